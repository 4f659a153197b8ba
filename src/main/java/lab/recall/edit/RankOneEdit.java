package lab.recall.edit;

import java.util.Arrays;
import java.util.Objects;
import lab.recall.base.BadRequest;
import lab.recall.base.Unsolvable;
import lab.recall.checkpoint.DType;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;

/**
 * A rank-one change of one matrix: W becomes W + left u'.
 *
 * <pre>{@code
 * LanguageModel edited = edit.applyTo(mamba);                // mamba stays as it is; all other layers are shared
 * edit.change(mamba).write(file)                             // a small file that can be applied and taken back
 * }</pre>
 *
 * Source: arXiv 2404.03646, section 4; arXiv 2202.05262, equation 2.
 *
 * @param layer  0..L-1
 * @param matrix which one
 * @param u      unit vector along C^-1 k, [width of the key]
 * @param left   (v - W k) / (k u), [width of the value]
 * @param v      the value that the key is to get, the bias included
 * @param key    k of the denominator: the plain prompt's, or the mean over contexts
 */
public record RankOneEdit(int layer, EditableMatrix matrix, double[] u, double[] left, double[] v, double[] key) {
    /**
     * The edit that takes a key to a value.
     *
     * @param ridge share of C's mean diagonal that is added to it
     * @param mean  the mean key over contexts, which makes u
     * @param key   the key that is to get the value
     * @param value what it gets
     * @param now   what it gets before the edit
     */
    static RankOneEdit of(int layer, EditableMatrix matrix, SecondMoment c, double ridge,
            double[] mean, double[] key, double[] value, double[] now) {
        double[] u = c.solve(mean, ridge);
        double norm = ValueSearch.norm(u);
        if (!(norm > 0) || Double.isInfinite(norm)) {
            throw new Unsolvable("covariance", "singular: C^-1 k has the length " + norm);
        }
        for (int i = 0; i < u.length; i++) {
            u[i] /= norm;
        }
        double along = dot(key, u);
        if (along == 0) {
            throw new Unsolvable("edit", "the key is orthogonal to u: no multiple of u changes its value");
        }
        double[] left = new double[value.length];
        for (int i = 0; i < left.length; i++) {
            left[i] = (value[i] - now[i]) / along;
        }
        return new RankOneEdit(layer, matrix, u, left, value, key);
    }

    /** k u: a small one makes a large change. */
    public double keyDotU() {
        return dot(key, u);
    }

    /** The matrix's rows after the edit, [width of the value, width of the key]. */
    public float[] rows(LanguageModel model) {
        return changed(matrix.rows(model, layer), 1);
    }

    /** Rows with the change added so many times. */
    float[] changed(float[] rows, int times) {
        if (rows.length != left.length * u.length) {
            throw new BadRequest("edit", "one of " + left.length + " x " + u.length + " numbers does not fit a matrix of " + rows.length);
        }
        float[] now = new float[rows.length];
        for (int i = 0; i < left.length; i++) {
            for (int j = 0; j < u.length; j++) {
                now[i * u.length + j] = (float) (rows[i * u.length + j] + times * left[i] * u[j]);
            }
        }
        return now;
    }

    /** The edited model; the given one stays as it is, and all else is shared. */
    public LanguageModel applyTo(LanguageModel model) {
        return matrix.with(model, layer, rows(model));
    }

    /** The change as a file would hold it, for weights in f32: it can be applied to this model and taken back bit for bit. */
    public EditFile change(LanguageModel model) {
        return EditFile.of(model, this, DType.F32);
    }

    /** The same for weights in the format that the model's files have, to which the edited matrix is rounded. */
    public EditFile changeAsStored(LanguageModel model) {
        return EditFile.of(model, this, matrix.storedAs(model, layer));
    }

    /** The model with edits made one after another, each of the model that the ones before have left. */
    static LanguageModel apply(LanguageModel model, Iterable<RankOneEdit> edits) {
        LanguageModel now = model;
        for (RankOneEdit e : edits) {
            now = e.applyTo(now);
        }
        return now;
    }

    static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RankOneEdit e && layer == e.layer && matrix.equals(e.matrix) && Arrays.equals(u, e.u)
                && Arrays.equals(left, e.left) && Arrays.equals(v, e.v) && Arrays.equals(key, e.key);
    }

    @Override
    public int hashCode() {
        return Objects.hash(layer, matrix, Arrays.hashCode(u), Arrays.hashCode(left), Arrays.hashCode(v), Arrays.hashCode(key));
    }
}
