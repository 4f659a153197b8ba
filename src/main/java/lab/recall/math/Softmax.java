package lab.recall.math;

/**
 * Softmax and what is read from it; sums are taken in f64.
 *
 * <pre>{@code
 * double p = Softmax.probability(logits, 0, vocabulary, answer);
 * }</pre>
 */
public final class Softmax {
    private Softmax() {
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

    /** out = softmax(x); out may be x. */
    public static void forward(float[] x, int at, int width, float[] out, int outAt) {
        float max = max(x, at, width);
        double sum = 0;
        for (int i = 0; i < width; i++) {
            float e = Exp.exp(x[at + i] - max);
            out[outAt + i] = e;
            sum += e;
        }
        float scale = (float) (1 / sum);
        for (int i = 0; i < width; i++) {
            out[outAt + i] *= scale;
        }
    }

    private static float max(float[] x, int at, int width) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < width; i++) {
            max = Math.max(max, x[at + i]);
        }
        return max;
    }
}
