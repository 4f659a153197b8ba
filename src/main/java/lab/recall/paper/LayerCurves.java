package lab.recall.paper;

import java.util.Arrays;
import java.util.stream.IntStream;
import lab.recall.linear.LinearRelation;
import lab.recall.linear.Selection;
import lab.recall.stats.RelativeDepth;

/**
 * A relation's faithfulness and causality by relative depth; the embedding stands at 0.
 *
 * @param causality empty where no edits were made
 */
record LayerCurves(double[] depth, double[] faithfulness, double[] causality) {
    static LayerCurves of(LinearRelation r, int layers) {
        return new LayerCurves(Arrays.stream(r.layers()).mapToDouble(l -> RelativeDepth.of(l, layers)).toArray(),
                r.faithfulnessByLayer(Selection.NESTED), r.hasCausality() ? r.causalityByLayer(Selection.NESTED) : new double[0]);
    }

    /** Mean of a curve over depths up to {@code end}. */
    double early(double[] curve, double end) {
        return IntStream.range(0, curve.length).filter(i -> depth[i] <= end).mapToDouble(i -> curve[i]).average().orElse(Double.NaN);
    }

    /** The depth of the last layer at which a curve has at least half of its largest value. */
    double lastHalf(double[] curve) {
        double half = Arrays.stream(curve).max().orElse(Double.NaN) / 2;
        return depth[IntStream.range(0, curve.length).filter(i -> curve[i] >= half).max().orElse(0)];
    }

    /** Whether, up to a depth of 0.5, a curve of at least 0.5 falls by more than half in one step and comes back later. */
    boolean hasHole() {
        return hasHole(faithfulness) || hasHole(causality);
    }

    private boolean hasHole(double[] curve) {
        for (int i = 0; i + 1 < curve.length && depth[i + 1] <= 0.5; i++) {
            double before = curve[i];
            if (before >= 0.5 && curve[i + 1] < before / 2 && Arrays.stream(curve, i + 2, curve.length).anyMatch(v -> v >= 0.9 * before)) {
                return true;
            }
        }
        return false;
    }
}
