package lab.recall.stats;

import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Curves by layer, looked at by relative depth, l / L, so that models of different depth can be compared.
 *
 * <pre>{@code
 * RelativeDepth.most(curve, 0.3, 0.65)                      // the largest value between 30 and 65 percent of the depth
 * RelativeDepth.layers(64, 0.8, 1)                          // 52 .. 63
 * }</pre>
 *
 * A range that holds no layer of a shallow model stands for the layer nearest to its middle.
 */
public final class RelativeDepth {
    private RelativeDepth() {
    }

    /** The layer of the largest value, the first of equals. */
    public static int peak(double[] curve) {
        return IntStream.range(0, curve.length).reduce(0, (a, b) -> curve[b] > curve[a] ? b : a);
    }

    /** The layer of the smallest value, the first of equals. */
    public static int lowest(double[] curve) {
        return IntStream.range(0, curve.length).reduce(0, (a, b) -> curve[b] < curve[a] ? b : a);
    }

    /** The first layer at which a curve is above another of the same model. */
    public static OptionalInt overtakes(double[] curve, double[] other) {
        return IntStream.range(0, curve.length).filter(l -> curve[l] > other[l]).findFirst();
    }

    /** The largest value in a range. */
    public static double most(double[] curve, double from, double to) {
        return layers(curve.length, from, to).mapToDouble(l -> curve[l]).max().orElseThrow();
    }

    /** The smallest value in a range. */
    public static double least(double[] curve, double from, double to) {
        return layers(curve.length, from, to).mapToDouble(l -> curve[l]).min().orElseThrow();
    }

    /** The mean over a range. */
    public static double mean(double[] curve, double from, double to) {
        return layers(curve.length, from, to).mapToDouble(l -> curve[l]).average().orElseThrow();
    }

    /** The layers in a range, both ends included. */
    public static IntStream layers(int layers, double from, double to) {
        int first = (int) Math.ceil(from * layers - 1e-9);
        int last = Math.min(layers - 1, (int) Math.floor(to * layers + 1e-9));
        return first <= last ? IntStream.rangeClosed(first, last)
                : IntStream.of(Math.min(layers - 1, (int) Math.round((from + to) / 2 * layers)));
    }
}
