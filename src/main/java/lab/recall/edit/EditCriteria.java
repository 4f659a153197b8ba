package lab.recall.edit;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.edit.EditScores.Measure;
import lab.recall.model.EditableMatrix;
import lab.recall.model.mamba.Mamba;
import lab.recall.model.neox.GptNeoX;
import lab.recall.stats.RelativeDepth;
import lab.recall.view.Criteria;
import lab.recall.view.Criteria.Criterion;
import lab.recall.view.Criteria.Found;

/**
 * The shapes of the paper's curves of edits by layer, examined on a model: each criterion is one function of curves, applied to this
 * model's and to the published ones. Layers are compared by relative depth, l / L.
 *
 * <pre>{@code
 * EditCriteria.of(curves)
 * }</pre>
 *
 * Source: arXiv 2404.03646, section 4, Mamba-2.8b and Pythia-2.8b, 2,000 edits at each layer.
 */
public final class EditCriteria {
    /** Curves by layer, of a model or the paper's. */
    private record Source(BiFunction<EditableMatrix, Measure, double[]> shares, Function<EditableMatrix, double[]> scores) {
        double[] at(EditableMatrix matrix, Measure measure) {
            return shares.apply(matrix, measure);
        }

        double[] score(EditableMatrix matrix) {
            return scores.apply(matrix);
        }
    }

    private EditCriteria() {
    }

    /**
     * Criteria D, on curves over all layers.
     *
     * @throws BadRequest if some layer or matrix was not edited
     */
    public static Criteria of(EditCurves curves) {
        if (!curves.isComplete()) {
            throw new BadRequest("curves", "the paper's shapes need curves over all layers and matrices of " + curves.model().name());
        }
        return Criteria.examined(curves.model().name() + ", rank-one editing, " + curves.requests() + " edits at each layer",
                curves.isMamba() ? mamba() : neox(),
                new Source(curves::means, curves::scores), new Source(EditCurves::paper, EditCurves::paperScores))
                .evidence(EditCurves.numbers(curves.matrices().get(0)).evidence());
    }

    private static List<Criterion<Source>> mamba() {
        List<Criterion<Source>> all = new ArrayList<>();
        all.add(new Criterion<>("D1", "W_o: score of at least 0.9 everywhere in the first 0.3 of the layers", c -> {
            double least = RelativeDepth.least(c.score(Mamba.W_O), 0, 0.3);
            return new Found("at least " + number(least), least >= 0.9);
        }));
        all.add(new Criterion<>("D1", "W_o: score below 0.65 from 0.75 of the depth on, below 0.2 in the last layer", c -> {
            double[] score = c.score(Mamba.W_O);
            double most = RelativeDepth.most(score, 0.75, 1);
            double last = score[score.length - 1];
            return new Found("at most " + number(most) + "; " + number(last), most < 0.65 && last < 0.2);
        }));
        all.add(new Criterion<>("D2", "W_g falls below a score of 0.5 at a lower layer than W_o, and by its efficacy", c -> {
            double[] gate = c.score(Mamba.W_G);
            double[] out = c.score(Mamba.W_O);
            int first = firstBelow(gate, 0.5);
            double efficacy = first < gate.length ? c.at(Mamba.W_G, Measure.EFFICACY)[first] : Double.NaN;
            return new Found("W_g at " + place(first, gate) + " with efficacy " + number(efficacy)
                    + ", W_o at " + place(firstBelow(out, 0.5), out),
                    first < firstBelow(out, 0.5) && efficacy < 0.6);
        }));
        all.add(new Criterion<>("D3", "W_a: efficacy of at least 0.98 at three of four layers up to 0.78 of the depth", c -> {
            double[] efficacy = c.at(Mamba.W_A, Measure.EFFICACY);
            int[] layers = RelativeDepth.layers(efficacy.length, 0, 0.78).toArray();
            long good = IntStream.of(layers).filter(l -> efficacy[l] >= 0.98).count();
            return new Found("at " + good + " of " + layers.length, good >= 0.75 * layers.length);
        }));
        all.add(new Criterion<>("D3",
                "W_a: generalisation below 0.77 in the first 0.15 of the layers, its best score at 0.25 to 0.36 of the depth", c -> {
            double early = RelativeDepth.most(c.at(Mamba.W_A, Measure.GENERALISATION), 0, 0.15);
            double[] score = c.score(Mamba.W_A);
            int best = RelativeDepth.peak(score);
            double depth = best / (double) score.length;
            return new Found("at most " + number(early) + "; " + number(score[best]) + " at " + place(best, score),
                    early < 0.77 && depth >= 0.25 && depth <= 0.36);
        }));
        all.add(new Criterion<>("D3", "last layer: W_a keeps a score of at least 0.6 where W_o and W_g have less than 0.1", c -> {
            double[] a = c.score(Mamba.W_A);
            double[] g = c.score(Mamba.W_G);
            double[] o = c.score(Mamba.W_O);
            int last = a.length - 1;
            return new Found("W_a " + number(a[last]) + ", W_g " + number(g[last]) + ", W_o " + number(o[last]),
                    a[last] >= 0.6 && g[last] < 0.1 && o[last] < 0.1);
        }));
        all.add(new Criterion<>("D5", "specificity: 0.85 to 0.95 in the first 0.15 of the layers, in all three matrices", c -> {
            double least = Double.POSITIVE_INFINITY;
            double most = Double.NEGATIVE_INFINITY;
            for (EditableMatrix m : List.of(Mamba.W_A, Mamba.W_G, Mamba.W_O)) {
                least = Math.min(least, RelativeDepth.least(c.at(m, Measure.SPECIFICITY), 0, 0.15));
                most = Math.max(most, RelativeDepth.most(c.at(m, Measure.SPECIFICITY), 0, 0.15));
            }
            return new Found(number(least) + " to " + number(most), least >= 0.85 && most <= 0.95);
        }));
        all.add(new Criterion<>("D5",
                "W_o: lowest specificity between 0.6 and 0.8 of the depth, at least 0.1 higher again in the last layer", c -> {
            double[] s = c.at(Mamba.W_O, Measure.SPECIFICITY);
            int low = RelativeDepth.lowest(s);
            double depth = low / (double) s.length;
            return new Found(number(s[low]) + " at " + place(low, s) + ", " + number(s[s.length - 1]) + " in the last",
                    depth >= 0.6 && depth <= 0.8 && s[s.length - 1] >= s[low] + 0.1);
        }));
        return all;
    }

    private static List<Criterion<Source>> neox() {
        List<Criterion<Source>> all = new ArrayList<>();
        all.add(new Criterion<>("D6", "W_down: score of at least 0.93 everywhere in the first sixth of the layers", c -> {
            double least = RelativeDepth.least(c.score(GptNeoX.W_DOWN), 0, 0.16);
            return new Found("at least " + number(least), least >= 0.93);
        }));
        all.add(new Criterion<>("D6", "W_down: score of at least 0.85 at 0.28 to 0.5 of the depth", c -> {
            double least = RelativeDepth.least(c.score(GptNeoX.W_DOWN), 0.28, 0.5);
            return new Found("at least " + number(least), least >= 0.85);
        }));
        all.add(new Criterion<>("D6", "W_down: score below 0.72 from 0.78 of the depth on, below 0.1 in the last layer", c -> {
            double[] score = c.score(GptNeoX.W_DOWN);
            double most = RelativeDepth.most(score, 0.78, 1);
            double last = score[score.length - 1];
            return new Found("at most " + number(most) + "; " + number(last), most < 0.72 && last < 0.1);
        }));
        return all;
    }

    private static int firstBelow(double[] curve, double bound) {
        return IntStream.range(0, curve.length).filter(l -> curve[l] < bound).findFirst().orElse(curve.length);
    }

    private static String place(int layer, double[] curve) {
        return layer < curve.length ? "layer " + layer + " of " + curve.length : "no layer";
    }

    private static String number(double v) {
        return String.format(Locale.ROOT, "%.2f", v).replace("-0.00", "0.00");
    }
}
