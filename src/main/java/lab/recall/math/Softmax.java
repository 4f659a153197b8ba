package lab.recall.math;

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

    /** Probability of one entry. */
    public static double probability(float[] logits, int at, int width, int id) {
        return Math.exp(logits[at + id] - logSumExp(logits, at, width));
    }

    /** log Σ exp(x). */
    public static double logSumExp(float[] x, int at, int width) {
        float max = max(x, at, width);
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
        int i = Simd.available() ? Lanes.exp(x, at, width, max, out, outAt) : 0;
        for (; i < width; i++) {
            out[outAt + i] = Exp.exp(x[at + i] - max);
        }
        double sum = sum(out, outAt, width);
        float scale = (float) (1 / sum);
        for (i = 0; i < width; i++) {
            out[outAt + i] *= scale;
        }
        return max + Math.log(sum);
    }

    private static double sum(float[] x, int at, int width) {
        double s0 = 0;
        double s1 = 0;
        double s2 = 0;
        double s3 = 0;
        int i = 0;
        for (; i < width - 3; i += 4) {
            s0 += x[at + i];
            s1 += x[at + i + 1];
            s2 += x[at + i + 2];
            s3 += x[at + i + 3];
        }
        for (; i < width; i++) {
            s0 += x[at + i];
        }
        return (s0 + s1) + (s2 + s3);
    }

    private static float max(float[] x, int at, int width) {
        float max = Float.NEGATIVE_INFINITY;
        int i = 0;
        if (Simd.available() && width >= Lanes.COUNT) {
            max = Lanes.max(x, at, width);
            i = width - width % Lanes.COUNT;
        }
        for (; i < width; i++) {
            max = Math.max(max, x[at + i]);
        }
        return max;
    }

    private static final class Lanes {
        static final int COUNT = VectorMath.LANES.length();

        static float max(float[] x, int at, int width) {
            FloatVector most = FloatVector.fromArray(VectorMath.LANES, x, at);
            for (int i = COUNT; i <= width - COUNT; i += COUNT) {
                most = most.max(FloatVector.fromArray(VectorMath.LANES, x, at + i));
            }
            return most.reduceLanes(VectorOperators.MAX);
        }

        static int exp(float[] x, int at, int width, float max, float[] out, int outAt) {
            int i = 0;
            for (; i <= width - COUNT; i += COUNT) {
                VectorMath.exp(FloatVector.fromArray(VectorMath.LANES, x, at + i).sub(max)).intoArray(out, outAt + i);
            }
            return i;
        }
    }
}
