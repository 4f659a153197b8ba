package lab.recall.edit;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Said;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Mamba;

/**
 * A matrix of a layer that rank-one editing changes: it takes a key to a value.
 *
 * <pre>{@code
 * EditMatrix.of("out_proj").key()                            // gated; its value is out
 * EditMatrix.all(mamba)                                      // W_a, W_g, W_o
 * }</pre>
 *
 * Names are those of request files, labels the paper's (arXiv 2404.03646, section 4).
 */
public enum EditMatrix {
    /** The rows of Mamba's in_proj that make the convolution's input. */
    W_A("in_proj.x", "W_a", HookPoint.NORMED, HookPoint.IN_X),
    /** The rows of Mamba's in_proj that make the gate. */
    W_G("in_proj.z", "W_g", HookPoint.NORMED, HookPoint.IN_Z),
    /** Mamba's out_proj. */
    W_O("out_proj", "W_o", HookPoint.GATED, HookPoint.OUT),
    /** GPT-NeoX's second MLP matrix, W_down in the paper. */
    W_DOWN("mlp.dense_4h_to_h", "W_down", HookPoint.MLP_ACT, HookPoint.MLP_OUT);

    private final String id;
    private final String label;
    private final HookPoint key;
    private final HookPoint value;

    EditMatrix(String id, String label, HookPoint key, HookPoint value) {
        this.id = id;
        this.label = label;
        this.key = key;
        this.value = value;
    }

    /** Those of a model. */
    public static List<EditMatrix> all(LanguageModel model) {
        return model instanceof Mamba ? List.of(W_A, W_G, W_O) : List.of(W_DOWN);
    }

    /** The one that writes to the residual stream: W_o or W_down. */
    public static EditMatrix output(LanguageModel model) {
        return model instanceof Mamba ? W_O : W_DOWN;
    }

    /**
     * A model's matrix by its name in request files.
     *
     * @throws BadRequest if the model has no such matrix
     */
    public static EditMatrix of(LanguageModel model, String id) {
        return all(model).stream().filter(m -> m.id.equals(id)).findFirst().orElseThrow(() -> new BadRequest("matrix",
                "'" + Said.of(id) + "', expected " + String.join(" or ", all(model).stream().map(m -> m.id).toList())
                + " (" + model.name() + " is a " + model.family() + ")"));
    }

    /** One by its name in request files. */
    @JsonCreator
    static EditMatrix of(String id) {
        return Arrays.stream(values()).filter(m -> m.id.equals(id)).findFirst().orElseThrow(() -> new BadRequest("matrix",
                "'" + Said.of(id) + "', expected " + String.join(" or ", Arrays.stream(values()).map(m -> m.id).toList())));
    }

    /** Its name in request files. */
    @JsonValue
    public String id() {
        return id;
    }

    /** The paper's letters. */
    public String label() {
        return label;
    }

    /** What goes into it. */
    public HookPoint key() {
        return key;
    }

    /** What comes out of it, the bias included. */
    public HookPoint value() {
        return value;
    }

    /** The weight that holds it in a layer, by its checkpoint name. */
    String weight(int layer) {
        return switch (this) {
            case W_A, W_G -> "backbone.layers." + layer + ".mixer.in_proj.weight";
            case W_O -> "backbone.layers." + layer + ".mixer.out_proj.weight";
            case W_DOWN -> "gpt_neox.layers." + layer + ".mlp.dense_4h_to_h.weight";
        };
    }

    /** Where its rows begin in that weight: a number's index. */
    int from(LanguageModel model) {
        return this == W_G ? size(model) : 0;
    }

    /** How many numbers it has. */
    int size(LanguageModel model) {
        return Math.multiplyExact(model.width(value), model.width(key));
    }

    /** Its rows in a layer, [width of the value, width of the key]. */
    public float[] rows(LanguageModel model, int layer) {
        return Arrays.copyOfRange(model.weight(weight(layer)), from(model), from(model) + size(model));
    }

    /** The model with other rows in a layer; all else is shared. */
    public LanguageModel with(LanguageModel model, int layer, float[] rows) {
        float[] whole = model.weight(weight(layer));
        System.arraycopy(rows, 0, whole, from(model), rows.length);
        return model.with(weight(layer), whole);
    }
}
