package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.function.Supplier;
import lab.recall.checkpoint.Checkpoint;

/**
 * What an {@link Architecture} opens a model from.
 *
 * <pre>{@code
 * Settings set = from.settings();                            // config.json, its fields checked
 * Weights weights = from.weights();                          // tensors by name, their shapes checked
 * weights.matrix("lm_head.weight", vocabulary, width)
 * }</pre>
 */
public final class Opening {
    private final Architecture architecture;
    private final ModelFolder folder;
    private final Checkpoint checkpoint;
    private final Supplier<Checkpoint> again;
    private final List<String> warnings;
    private final Weights weights;

    Opening(Architecture architecture, ModelFolder folder, Checkpoint checkpoint, Supplier<Checkpoint> again, List<String> warnings) {
        this.architecture = architecture;
        this.folder = folder;
        this.checkpoint = checkpoint;
        this.again = again;
        this.warnings = warnings;
        this.weights = new Weights(checkpoint);
    }

    /** The architecture that opens it. */
    Architecture architecture() {
        return architecture;
    }

    ModelFolder folder() {
        return folder;
    }

    /** Opens the checkpoint once more, for weights that are asked for later. */
    Supplier<Checkpoint> again() {
        return again;
    }

    List<String> warnings() {
        return warnings;
    }

    /** config.json as it stands there. */
    public JsonNode config() {
        return checkpoint.config();
    }

    /** config.json with checks; what the tensors contradict becomes a warning. */
    public Settings settings() {
        return new Settings(checkpoint.folder(), checkpoint.config(), warnings);
    }

    /** The tensors; what is read of them is a weight of the model. */
    public Weights weights() {
        return weights;
    }

    /** The model, its layers read. */
    public LanguageModel model(Ends ends, int layers, Body body) {
        return new LanguageModel(this, ends, layers, body);
    }
}
