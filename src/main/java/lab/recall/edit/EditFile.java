package lab.recall.edit;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Digest;
import lab.recall.checkpoint.DType;
import lab.recall.checkpoint.Rounding;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;

/**
 * A rank-one edit as a small safetensors file: u, left, v and the key in F64, layer, matrix, format and check sums as metadata.
 *
 * <pre>{@code
 * edit.change(mamba).write(file);
 * LanguageModel edited = EditFile.read(file).apply(mamba);
 * LanguageModel back = EditFile.read(file).revert(edited);   // the weights of mamba, bit for bit
 * }</pre>
 *
 * It is made for a matrix that is stored in a format: after the edit its numbers are rounded to that. Taking left u' away again misses some
 * of the old numbers by a rounding; those are kept, by their index. Check sums of the matrix
 * before and after tell that an edit meets the model it was made for.
 */
public final class EditFile {
    private final RankOneEdit edit;
    private final DType dtype;
    private final String before;
    private final String after;
    private final long[] missed;
    private final float[] values;

    private EditFile(RankOneEdit edit, DType dtype, String before, String after, long[] missed, float[] values) {
        this.edit = edit;
        this.dtype = dtype;
        this.before = before;
        this.after = after;
        this.missed = missed;
        this.values = values;
    }

    static EditFile of(LanguageModel model, RankOneEdit edit, DType dtype) {
        float[] old = edit.matrix().rows(model, edit.layer());
        float[] now = changed(edit, dtype, old, 1);
        float[] back = changed(edit, dtype, now, -1);
        long[] missed = IntStream.range(0, old.length)
                .filter(i -> Float.floatToIntBits(back[i]) != Float.floatToIntBits(old[i])).asLongStream().toArray();
        float[] values = new float[missed.length];
        for (int i = 0; i < missed.length; i++) {
            values[i] = old[(int) missed[i]];
        }
        return new EditFile(edit, dtype, Digest.of(old), Digest.of(now), missed, values);
    }

    private static float[] changed(RankOneEdit edit, DType dtype, float[] rows, int times) {
        float[] now = edit.changed(rows, times);
        Rounding.round(dtype, now);
        return now;
    }

    /** The edit. */
    public RankOneEdit edit() {
        return edit;
    }

    /**
     * The edited model.
     *
     * @throws BadRequest if it is not the model that the edit was made for, or holds it already
     */
    public LanguageModel apply(LanguageModel model) {
        float[] rows = rows(model);
        String sum = Digest.of(rows);
        require(model, sum.equals(before), sum.equals(after) ? "holds this edit already" : "is not the one that was edited");
        return edit.matrix().with(model, edit.layer(), changed(edit, dtype, rows, 1));
    }

    /**
     * The model before the edit, its weights bit for bit.
     *
     * @throws BadRequest if it does not hold this edit as it was made
     */
    public LanguageModel revert(LanguageModel edited) {
        float[] rows = rows(edited);
        String sum = Digest.of(rows);
        require(edited, sum.equals(after), sum.equals(before) ? "does not hold this edit" : "was changed since this edit, or never had it");
        float[] back = changed(edit, dtype, rows, -1);
        for (int i = 0; i < missed.length; i++) {
            back[(int) missed[i]] = values[i];
        }
        return edit.matrix().with(edited, edit.layer(), back);
    }

    private float[] rows(LanguageModel model) {
        if (!model.matrices().contains(edit.matrix()) || edit.layer() >= model.layers()
                || edit.u().length != model.width(edit.matrix().key()) || edit.left().length != model.width(edit.matrix().value())) {
            throw new BadRequest("edit", "one of " + edit.matrix().id() + " in layer " + edit.layer() + ", " + edit.left().length + " x "
                    + edit.u().length + ", does not fit " + model);
        }
        return edit.matrix().rows(model, edit.layer());
    }

    private void require(LanguageModel model, boolean fits, String why) {
        if (!fits) {
            throw new BadRequest("edit", edit.matrix().id() + " in layer " + edit.layer() + " of " + model.name() + " " + why);
        }
    }

    /** Writes it. */
    public void write(Path file) {
        RankOneEdit e = edit;
        List<Tensor> all = List.of(Tensor.of("u", e.u(), e.u().length), Tensor.of("left", e.left(), e.left().length),
                Tensor.of("v", e.v(), e.v().length), Tensor.of("key", e.key(), e.key().length),
                Tensor.of("missed", missed, missed.length), Tensor.of("missed_values", values, values.length));
        SafeTensors.write(file, all,
                Map.of("layer", String.valueOf(e.layer()), "matrix", e.matrix().id(), "dtype", dtype.name(), "before", before,
                        "after", after));
    }

    /**
     * Reads one.
     *
     * @throws BadData if it is no file of an edit
     */
    public static EditFile read(Path file) {
        Map<String, Tensor> t = SafeTensors.read(file);
        Map<String, String> said = SafeTensors.metadata(file);
        if (!t.keySet().containsAll(List.of("u", "left", "v", "key", "missed", "missed_values"))
                || !said.keySet().containsAll(List.of("layer", "matrix", "before", "after")) || !said.get("layer").matches("\\d{1,6}")) {
            throw new BadData(file, "not the file of an edit, which holds u, left, v, key and, as metadata, layer and matrix");
        }
        EditableMatrix matrix;
        DType dtype;
        try {
            matrix = EditableMatrix.of(said.get("matrix"));
            dtype = DType.valueOf(Check.word("dtype", said.getOrDefault("dtype", "F32"), List.of("F32", "F64", "BF16", "F16")));
        } catch (BadRequest e) {
            throw new BadData(file, e.field(), e.reason(), e);
        }
        RankOneEdit edit = new RankOneEdit(Integer.parseInt(said.get("layer")), matrix, t.get("u").doubles(), t.get("left").doubles(),
                t.get("v").doubles(), t.get("key").doubles());
        long[] missed = t.get("missed").longs();
        float[] values = t.get("missed_values").floats();
        long size = (long) edit.u().length * edit.left().length;
        if (missed.length != values.length || LongStream.of(missed).anyMatch(i -> i < 0 || i >= size)) {
            throw new BadData(file, "its missed numbers do not fit a matrix of " + size);
        }
        return new EditFile(edit, dtype, said.get("before"), said.get("after"), missed, values);
    }
}
