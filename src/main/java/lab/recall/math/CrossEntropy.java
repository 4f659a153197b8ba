package lab.recall.math;

/**
 * Cross-entropy of one row of logits with a target: -log softmax(logits)[target].
 *
 * <pre>{@code
 * double loss = CrossEntropy.forward(logits, 0, vocabulary, target);
 * loss = CrossEntropy.backward(logits, 0, vocabulary, target, 1f, dLogits, 0);
 * }</pre>
 */
public final class CrossEntropy {
    private CrossEntropy() {
    }

    /** The loss. */
    public static double forward(float[] logits, int at, int width, int target) {
        return Softmax.logSumExp(logits, at, width) - logits[at + target];
    }

    /**
     * dLogits = scale (softmax(logits) - onehot(target)), written; may be logits itself.
     *
     * @return the loss, not scaled
     */
    public static double backward(float[] logits, int at, int width, int target, float scale, float[] dLogits, int dAt) {
        float asked = logits[at + target];
        double loss = Softmax.forward(logits, at, width, dLogits, dAt) - asked;
        dLogits[dAt + target] -= 1f;
        Elementwise.scale(scale, dLogits, dAt, width);
        return loss;
    }
}
