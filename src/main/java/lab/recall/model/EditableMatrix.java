package lab.recall.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.List;
import lab.recall.base.BadRequest;

/**
 * A matrix of a layer that rank-one editing changes: it takes a key to a value.
 *
 * <pre>{@code
 * EditableMatrix.of(mamba, "out_proj").key()                 // gated; its value is out
 * mamba.matrices()                                           // W_a, W_g, W_o
 * W_O.rows(mamba, 12)                                        // [width of the value, width of the key]
 * }</pre>
 *
 * An {@link Architecture} declares its own. Names are those of request files, labels the paper's (arXiv 2404.03646, section 4); matrices
 * of one name are equal, and which weight holds one is asked of the model at hand.
 */
public final class EditableMatrix {
    private final String id;
    private final String label;
    private final HookPoint key;
    private final HookPoint value;
    private final String weight;
    /** What the rows before its own in the same weight make. */
    private final List<HookPoint> above;
    private final boolean isTransposed;

    private EditableMatrix(String id, String label, HookPoint key, HookPoint value, String weight,
            List<HookPoint> above, boolean isTransposed) {
        this.id = id;
        this.label = label;
        this.key = key;
        this.value = value;
        this.weight = weight;
        this.above = above;
        this.isTransposed = isTransposed;
    }

    /**
     * A matrix.
     *
     * @param id     its name in request files
     * @param label  the paper's letters
     * @param key    what goes into it
     * @param value  what comes out of it, the bias included
     * @param weight the weight that holds it, by its checkpoint name with {@code {}} for the layer; stored [value, key]
     */
    public static EditableMatrix of(String id, String label, HookPoint key, HookPoint value, String weight) {
        return new EditableMatrix(id, label, key, value, weight, List.of(), false);
    }

    /** As one whose weight holds others above it, which make these values of the same key. */
    public EditableMatrix below(HookPoint... others) {
        return new EditableMatrix(id, label, key, value, weight, List.of(others), isTransposed);
    }

    /** As one that is stored [key, value]. */
    public EditableMatrix transposed() {
        return new EditableMatrix(id, label, key, value, weight, above, true);
    }

    /**
     * A model's matrix by its name in request files.
     *
     * @throws BadRequest if the model has no such matrix
     */
    public static EditableMatrix of(LanguageModel model, String id) {
        List<EditableMatrix> all = model.matrices();
        return all.stream().filter(m -> m.id.equals(id)).findFirst().orElseThrow(() -> new BadRequest("matrix",
                "'" + id + "', expected " + String.join(" or ", all.stream().map(m -> m.id).toList())
                + " (" + model.name() + " is a " + model.family() + ")"));
    }

    /**
     * One of whatever family by its name in request files.
     *
     * @throws BadRequest if no family has such a matrix
     */
    @JsonCreator
    public static EditableMatrix of(String id) {
        List<EditableMatrix> all = Architectures.matrices();
        return all.stream().filter(m -> m.id.equals(id)).findFirst().orElseThrow(() -> new BadRequest("matrix",
                "'" + id + "', expected " + String.join(" or ", all.stream().map(m -> m.id).toList())));
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

    /**
     * Its rows in a layer, [width of the value, width of the key].
     *
     * @throws BadRequest if the model has no such matrix
     */
    public float[] rows(LanguageModel model, int layer) {
        EditableMatrix own = of(model, id);
        float[] whole = model.weight(own.weightIn(layer));
        if (!own.isTransposed) {
            int from = own.firstRow(model) * model.width(own.key);
            return Arrays.copyOfRange(whole, from, from + own.size(model));
        }
        float[] rows = new float[own.size(model)];
        own.swap(model, whole, rows, false);
        return rows;
    }

    /**
     * The model with other rows in a layer; all else is shared.
     *
     * @throws BadRequest if the model has no such matrix
     */
    public LanguageModel with(LanguageModel model, int layer, float[] rows) {
        EditableMatrix own = of(model, id);
        float[] whole = model.weight(own.weightIn(layer));
        if (own.isTransposed) {
            own.swap(model, whole, rows, true);
        } else {
            System.arraycopy(rows, 0, whole, own.firstRow(model) * model.width(own.key), rows.length);
        }
        return model.with(own.weightIn(layer), whole);
    }

    private String weightIn(int layer) {
        return weight.replace("{}", String.valueOf(layer));
    }

    private int size(LanguageModel model) {
        return Math.multiplyExact(model.width(value), model.width(key));
    }

    private int firstRow(LanguageModel model) {
        return above.stream().mapToInt(model::width).sum();
    }

    /** Between [key, all values of the weight] and the rows of these values. */
    private void swap(LanguageModel model, float[] whole, float[] rows, boolean toWhole) {
        int keys = model.width(key);
        int values = model.width(value);
        int stride = whole.length / keys;
        int first = firstRow(model);
        for (int v = 0; v < values; v++) {
            for (int k = 0; k < keys; k++) {
                int at = k * stride + first + v;
                if (toWhole) {
                    whole[at] = rows[v * keys + k];
                } else {
                    rows[v * keys + k] = whole[at];
                }
            }
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof EditableMatrix m && id.equals(m.id);
    }

    @Override
    public int hashCode() {
        return id.hashCode();
    }

    @Override
    public String toString() {
        return id;
    }
}
