package lab.recall.model;

import lab.recall.math.Parallel;

/**
 * What a model says next if its last residual stream is beta x + b, for many beta.
 *
 * <pre>{@code
 * int[][] ids = Readout.tokens(model, x, rows, b, new double[] {0.5, 1, 2});   // [rows][3]
 * }</pre>
 *
 * Up to its scale the final norm is linear, and so is the head: each row of x and b go through the head once, whatever the number of betas.
 */
public final class Readout {
    private static final int TOGETHER = 32;

    private Readout() {
    }

    /**
     * The most probable tokens, [rows][betas].
     *
     * @param x [rows, d]
     * @param b [d]
     */
    public static int[][] tokens(LanguageModel model, float[] x, int rows, float[] b, double[] betas) {
        int d = model.width();
        int vocabulary = model.vocabulary();
        Norm norm = model.finalNorm();
        float[] ofB = throughHead(model, norm, b, 0, 1);
        float[] ofBias = null;
        if (norm.bias() != null) {
            ofBias = new float[vocabulary];
            model.logits(norm.bias(), 1, ofBias);
        }
        float[] constant = ofBias;
        int[][] tokens = new int[rows][betas.length];
        for (int from = 0; from < rows; from += TOGETHER) {
            int first = from;
            int count = Math.min(TOGETHER, rows - from);
            float[] ofX = throughHead(model, norm, x, from * d, count);
            Parallel.forEach(count, r -> {
                int at = (first + r) * d;
                for (int k = 0; k < betas.length; k++) {
                    double square = betas[k] * betas[k] * norm.product(x, at, x, at) + 2 * betas[k] * norm.product(x, at, b, 0)
                            + norm.product(b, 0, b, 0) + norm.epsilon();
                    tokens[first + r][k] = best(ofX, r * vocabulary, (float) betas[k], ofB, constant, (float) Math.sqrt(square));
                }
            });
        }
        return tokens;
    }

    private static float[] throughHead(LanguageModel model, Norm norm, float[] rows, int at, int count) {
        int d = model.width();
        float[] linear = new float[count * d];
        for (int r = 0; r < count; r++) {
            norm.linear(rows, at + r * d, linear, r * d);
        }
        float[] logits = new float[count * model.vocabulary()];
        model.logits(linear, count, logits);
        return logits;
    }

    /** Where (beta x + b) / scale + constant is largest; without a constant the scale does not matter. */
    private static int best(float[] x, int at, float beta, float[] b, float[] constant, float scale) {
        int best = 0;
        float most = Float.NEGATIVE_INFINITY;
        for (int v = 0; v < b.length; v++) {
            float logit = Math.fma(beta, x[at + v], b[v]);
            if (constant != null) {
                logit += scale * constant[v];
            }
            if (logit > most) {
                most = logit;
                best = v;
            }
        }
        return best;
    }
}
