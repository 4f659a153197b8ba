package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import lab.recall.checkpoint.Checkpoint;
import lab.recall.checkpoint.Tensor;

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
    private static final int SHOWN = 5;
    private static final int BLOCK = 1 << 16;

    private final Architecture architecture;
    private final ModelFolder folder;
    private final Checkpoint checkpoint;
    private final Supplier<Checkpoint> again;
    private final List<String> warnings;
    private final Weights weights;
    private final Settings settings;
    private final boolean isUnlearned;

    Opening(Architecture architecture, ModelFolder folder, Checkpoint checkpoint, Supplier<Checkpoint> again, List<String> warnings) {
        this(architecture, folder, checkpoint, again, warnings, false);
    }

    private Opening(Architecture architecture, ModelFolder folder, Checkpoint checkpoint, Supplier<Checkpoint> again,
            List<String> warnings, boolean isUnlearned) {
        this.architecture = architecture;
        this.folder = folder;
        this.checkpoint = checkpoint;
        this.again = again;
        this.warnings = warnings;
        this.weights = new Weights(checkpoint);
        this.isUnlearned = isUnlearned;
        this.settings = new Settings(checkpoint.folder(), checkpoint.config(), architecture.family(), warnings);
    }

    /** Of weights whose layers are all the first one. */
    static Opening unlearned(Architecture architecture, ModelFolder folder, Checkpoint like) {
        return new Opening(architecture, folder, like, () -> like, new ArrayList<>(), true);
    }

    /** Whether one layer stands for all. */
    boolean isUnlearned() {
        return isUnlearned;
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

    /** What is doubtful, now that all has been read; refused where config.json says what is not done. */
    List<String> warnings() {
        settings.requireAllKnown();
        List<String> unread = isUnlearned ? List.of() : weights.unread();
        if (!unread.isEmpty()) {
            warnings.add(checkpoint.folder().getFileName() + " has tensors that nothing reads: "
                    + String.join(", ", unread.subList(0, Math.min(SHOWN, unread.size())))
                    + (unread.size() > SHOWN ? " and " + (unread.size() - SHOWN) + " more" : ""));
        }
        return warnings;
    }

    /** config.json as it stands there. */
    public JsonNode config() {
        return checkpoint.config();
    }

    /** config.json with checks; what the tensors contradict becomes a warning. */
    public Settings settings() {
        return settings;
    }

    /** The tensors; what is read of them is a weight of the model. */
    public Weights weights() {
        return weights;
    }

    /**
     * The name of the head's weight: that of the embedding where both are one. A head that is there all the same is not read; it is
     * warned of if it holds other numbers.
     */
    public String head(boolean tied, String embedding, String head) {
        if (tied && weights.has(head)) {
            weights.passOver(head);
            if (!same(checkpoint.tensor(head), checkpoint.tensor(embedding))) {
                warnings.add(checkpoint.folder().getFileName() + " has a " + head + " that differs from " + embedding
                        + ", but the two are tied, by config.json or where it does not say; the embedding is used");
            }
        }
        return tied ? embedding : head;
    }

    private static boolean same(Tensor a, Tensor b) {
        boolean same = Arrays.equals(a.shape(), b.shape());
        float[] of = new float[BLOCK];
        float[] and = new float[BLOCK];
        for (long from = 0; same && from < a.size(); from += BLOCK) {
            int count = (int) Math.min(BLOCK, a.size() - from);
            a.read(from, of, 0, count);
            b.read(from, and, 0, count);
            same = Arrays.equals(of, and);
        }
        return same;
    }

    /** The model, its layers read. */
    public LanguageModel model(Ends ends, int layers, Body body) {
        return new LanguageModel(this, ends, layers, body);
    }
}
