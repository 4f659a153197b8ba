package lab.recall.model;

import java.util.Arrays;
import java.util.Map;

/**
 * Mean cross-entropy of next-token prediction over rows of tokens, and its gradient with respect to every weight.
 *
 * <pre>{@code
 * ParameterGradients g = ParameterGradients.of(model, ids);  // ids [rows][tokens]
 * g.loss()
 * g.gradients().get("backbone.norm_f.weight")
 * }</pre>
 *
 * For many batches with changing weights use {@link Trainable}.
 *
 * @param loss      mean over all rows and positions 0..T-2
 * @param gradients by checkpoint name, in the checkpoint's layout; a tied head once, as the embedding, the sum of both roles
 */
public record ParameterGradients(double loss, Map<String, float[]> gradients) {
    /** The loss and its gradients. */
    public static ParameterGradients of(LanguageModel model, int[][] ids) {
        Trainable t = new Trainable(model, Arrays.stream(ids).mapToInt(row -> row.length).toArray());
        return new ParameterGradients(t.backward(ids, null), t.gradients());
    }
}
