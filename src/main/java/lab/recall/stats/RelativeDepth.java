package lab.recall.stats;

import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Curves by layer, looked at by relative depth, so that models of different depth can be compared: after layer l of L a prompt has gone
 * through (l + 1) / L of the model.
 *
 * <pre>{@code
 * RelativeDepth.of(3, 8)                                    // 0.5
 * RelativeDepth.most(curve, 0.3, 0.65)                      // the largest value between 30 and 65 percent of the depth
 * RelativeDepth.layers(64, 0.8, 1)                          // 51 .. 63
 * }</pre>
 *
 * A range may hold no layer of a shallow model: then there is no value, NaN.
 */
public final class RelativeDepth {
    private RelativeDepth() {
    }

    /** The share of the depth that lies behind after a layer; 0 after the embedding, which is layer -1. */
    public static double of(int layer, int layers) {
        return (layer + 1) / (double) layers;
    }

    /** The same after each layer. */
    public static double[] each(int layers) {
        return IntStream.range(0, layers).mapToDouble(l -> of(l, layers)).toArray();
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
        return layers(curve.length, from, to).mapToDouble(l -> curve[l]).max().orElse(Double.NaN);
    }

    /** The smallest value in a range. */
    public static double least(double[] curve, double from, double to) {
        return layers(curve.length, from, to).mapToDouble(l -> curve[l]).min().orElse(Double.NaN);
    }

    /** The mean over a range. */
    public static double mean(double[] curve, double from, double to) {
        return layers(curve.length, from, to).mapToDouble(l -> curve[l]).average().orElse(Double.NaN);
    }

    /** The layers in a range, both ends included. */
    public static IntStream layers(int layers, double from, double to) {
        return IntStream.range(0, layers).filter(l -> of(l, layers) >= from - 1e-9 && of(l, layers) <= to + 1e-9);
    }
}
