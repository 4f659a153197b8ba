package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;
import lab.recall.checkpoint.GgufFamily;

/**
 * A family of language models: everything that is true of it stands in its package {@code lab.recall.model.<family>}, and its line in
 * {@code META-INF/services/lab.recall.model.Architecture} makes it known.
 *
 * <pre>{@code
 * LanguageModel.open(folder)                                 // asks each architecture whether it reads the folder's config.json
 * Architectures.of("mamba").sizes()                          // what a fresh model of the family is made from
 * }</pre>
 *
 * The model that it opens says what can be read, cut and edited in it: {@link LanguageModel#points}, {@link LanguageModel#mixing},
 * {@link LanguageModel#matrices}, {@link LanguageModel#profile}.
 */
public interface Architecture {
    /** Its {@code model_type} in config.json, also its name in configurations of trainings: {@code mamba}. */
    String type();

    /** Its name in texts: {@code Mamba}. */
    String family();

    /** All {@code model_type}s of config.json that it reads, {@link #type} first. */
    default List<String> types() {
        return List.of(type());
    }

    /** Whether a config.json is that of such a model. */
    default boolean reads(JsonNode config) {
        return types().contains(config.path("model_type").asText(""));
    }

    /** What the names of its tensors begin with, but for the head's: {@code backbone.}; some files leave it out. */
    default String trunk() {
        return "";
    }

    /** All points that models of the family have, in the order of computation, those of every language model included. */
    List<HookPoint> points();

    /** The matrices that rank-one editing changes; the first one that writes to the residual stream is edited unless another is named. */
    List<EditableMatrix> matrices();

    /** How a layer's tokens read each other, and in which forms that can be cut. */
    Mixing mixing();

    /** How the paper's settings carry over. */
    Profile profile();

    /**
     * Opens a model, by {@link Opening#model}.
     *
     * @throws lab.recall.base.BadData when its files are not those of one
     */
    LanguageModel open(Opening from);

    /** Whether checkpoints that come without a tokenizer use the bundled one, where the number of their ids fits it. */
    default boolean usesBundledTokenizer() {
        return false;
    }

    /** The record of a fresh model's sizes, as a training's configuration says them. */
    Class<? extends FreshSizes> sizes();

    /** Sizes of a fresh model of one layer that is like those that a config.json describes. */
    FreshSizes sizes(JsonNode config);

    /** How llama.cpp writes such models, where it does. */
    default Optional<GgufFamily> gguf() {
        return Optional.empty();
    }
}
