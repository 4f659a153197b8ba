package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/** What an architecture knows of one open model: how its layers are read, and the sizes of what passes through them. */
public interface Body {
    /** Reads one layer. */
    Block block(int layer, Weights weights);

    /** Of what passes through the layers. */
    PointSizes sizes();

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
