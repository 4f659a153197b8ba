package lab.recall.model;

import lab.recall.checkpoint.Tensor;
import lab.recall.math.PackedMatrix;

/**
 * What lies before and behind the layers.
 *
 * @param embedding [V, d]
 * @param positions what is added to it at each position, [longest prompt, d]; null for nothing
 * @param finalNorm before the head
 * @param headName  of the head's weight, that of the embedding when it is tied
 * @param head      [V, d]
 */
public record Ends(Tensor embedding, Tensor positions, Norm finalNorm, String headName, PackedMatrix head) {
    /** The ends of a model; a tied head is the embedding. */
    public static Ends of(Weights weights, String embedding, Norm finalNorm, String head, int vocabulary, int width) {
        return new Ends(weights.tensor(embedding, vocabulary, width), null, finalNorm, head, weights.matrix(head, vocabulary, width));
    }

    /** The same with a table of positions, of which a prompt may not have more tokens than it has rows. */
    public Ends at(Tensor table) {
        return new Ends(embedding, table, finalNorm, headName, head);
    }
}
