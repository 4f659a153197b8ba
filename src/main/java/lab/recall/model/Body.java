package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/** What an architecture knows of one open model: how its layers are read, and the sizes of what passes through them. */
public interface Body {
    /** Reads one layer. */
    Block block(int layer, Weights weights);

    /** Numbers that one token has at a point of the architecture; of a {@link HookPoint.Kind#WHOLE whole} one, all that it has. */
    int width(HookPoint point);

    /** Heads that a token's numbers at a point belong to, one after another; 0 where they are one vector. */
    default int heads(HookPoint point) {
        return 0;
    }

    /** What was kept of a {@link HookPoint.Kind#WHOLE whole} point, in its natural shape. */
    Activation whole(String name, HookPoint point, float[] values, int tokens);

    /** The longest prompt for which the model is computed as it was trained, and what ends there; none where any length is. */
    default Optional<Reach> reach() {
        return Optional.empty();
    }

    /**
     * How far a model reads.
     *
     * @param tokens  of the longest prompt
     * @param because what ends there: {@code its table of positions}
     */
    record Reach(int tokens, String because) {
    }

    /** The name in the checkpoint of a weight that has this name in HuggingFace's layout; the inverse of {@link #publicName}. */
    default String storedName(String publicName) {
        return publicName;
    }

    /** A weight's name in HuggingFace's layout. */
    default String publicName(String weight) {
        return weight;
    }

    /** config.json in HuggingFace's layout. */
    default ObjectNode publicConfig(JsonNode stored) {
        return stored.deepCopy();
    }
}
