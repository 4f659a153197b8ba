package lab.recall.math;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Softmax and what is read from it; sums are taken in f64, in an order that depends on the width alone.
 *
 * <pre>{@code
 * double p = Softmax.probability(logits, 0, vocabulary, answer);
 * }</pre>
 */
public final class Softmax {
    private Softmax() {
    }

    /** The largest entry, the first of equals. */
    public static int argmax(float[] x, int at, int width) {
        int best = 0;
        for (int i = 1; i < width; i++) {
            if (x[at + i] > x[at + best]) {
                best = i;
            }
        }
        return best;
    }

    /** Indices of the {@code count} largest entries, the largest first, of equals the first. */
    public static int[] largest(float[] x, int count) {
        int[] best = new int[count];
        int found = 0;
        for (int i = 0; i < x.length; i++) {
            if (found == count && !(x[i] > x[best[count - 1]])) {
                continue;
            }
            int at = found < count ? found++ : count - 1;
            for (; at > 0 && x[i] > x[best[at - 1]]; at--) {
                best[at] = best[at - 1];
            }
            best[at] = i;
        }
        return best;
    }

    /** Probability of one entry. */
    public static double probability(float[] logits, int at, int width, int id) {
        return Math.exp(logits[at + id] - logSumExp(logits, at, width));
    }

    /** log Σ exp(x). */
    public static double logSumExp(float[] x, int at, int width) {
        float max = max(x, at, width);
        if (Float.isNaN(max)) {
            return Double.NaN;
        }
        double sum = 0;
        for (int i = 0; i < width; i++) {
            sum += Exp.exp(x[at + i] - max);
        }
        return max + Math.log(sum);
    }

    /**
     * out = softmax(x); out may be x.
     *
     * @return log Σ exp(x)
     */
    public static double forward(float[] x, int at, int width, float[] out, int outAt) {
        float max = max(x, at, width);
        return max + Math.log(probabilities(x, at, width, max, out, outAt));
    }

    /** {@code x = softmax(x)}. */
    static void apply(float[] x, int at, int width) {
        probabilities(x, at, width, max(x, at, width), x, at);
    }

    /** Softmax; returns Σ exp(x - max). */
    private static double probabilities(float[] x, int at, int width, float max, float[] out, int outAt) {
        if (Float.isNaN(max)) {                             // some of which an exponential would make numbers
            Arrays.fill(out, outAt, outAt + width, Float.NaN);
            return Double.NaN;
        }
        int i = Simd.available() ? Lanes.exp(x, at, width, max, out, outAt) : 0;
        for (; i < width; i++) {
            out[outAt + i] = Exp.exp(x[at + i] - max);
        }
        double sum = Sums.of(out, outAt, width);
        Elementwise.scale((float) (1 / sum), out, outAt, width);
        return sum;
    }

    /** {@code d = scale p (d - sum of d p)}: from the gradients of the probabilities to those of scores that were multiplied by scale. */
    static void backward(float[] p, int pAt, int width, float scale, float[] d, int dAt) {
        float mean = (float) Sums.products(d, dAt, p, pAt, width);
        int i = Simd.available() ? Lanes.backward(p, pAt, width, scale, mean, d, dAt) : 0;
        for (; i < width; i++) {
            d[dAt + i] = scale * p[pAt + i] * (d[dAt + i] - mean);
        }
    }

    private static float max(float[] x, int at, int width) {
        float max = Float.NEGATIVE_INFINITY;
        int i = 0;
        if (Simd.available() && width >= VectorMath.COUNT) {
            max = Lanes.max(x, at, width);
            i = width - width % VectorMath.COUNT;
        }
        for (; i < width; i++) {
            max = Math.max(max, x[at + i]);
        }
        return max;
    }

    private static final class Lanes {
        static float max(float[] x, int at, int width) {
            FloatVector most = FloatVector.fromArray(VectorMath.LANES, x, at);
            for (int i = VectorMath.COUNT; i <= width - VectorMath.COUNT; i += VectorMath.COUNT) {
                most = most.max(FloatVector.fromArray(VectorMath.LANES, x, at + i));
            }
            return most.reduceLanes(VectorOperators.MAX);
        }

        static int exp(float[] x, int at, int width, float max, float[] out, int outAt) {
            int whole = width - width % VectorMath.COUNT;
            for (int i = 0; i < whole; i += VectorMath.COUNT) {
                FloatVector.fromArray(VectorMath.LANES, x, at + i).sub(max).intoArray(out, outAt + i);
            }
            VectorMath.exp(out, outAt, whole, out, outAt);
            return whole;
        }

        static int backward(float[] p, int pAt, int width, float scale, float mean, float[] d, int dAt) {
            int i = 0;
            for (; i <= width - VectorMath.COUNT; i += VectorMath.COUNT) {
                FloatVector g = FloatVector.fromArray(VectorMath.LANES, d, dAt + i).sub(mean);
                FloatVector.fromArray(VectorMath.LANES, p, pAt + i).mul(scale).mul(g).intoArray(d, dAt + i);
            }
            return i;
        }
    }
}
