package lab.recall.model.retention;

import static lab.recall.model.retention.RetentionFixture.arrays;
import static lab.recall.model.retention.RetentionFixture.ask;
import static lab.recall.model.retention.RetentionFixture.near;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rank-one edits of both matrices, by token ids: one whole weight, one in the middle of another, both stored [key, value]. */
class RetentionEditTest {
    /** The prompt plain and after another text, the target's first token after it. */
    private static final int[][] CONTEXTS = {{3, 1, 12, 5, 4}, {2, 9, 3, 1, 12, 5, 4}};
    private static final int[] LOOKUPS = {1, 3};
    private static final int[] TARGET = {4, 6};
    private static final int[] KL = {1, 8};
    private static final double RATE = 0.1;
    private static final double KL_FACTOR = 0.4;

    @TempDir
    Path dir;
    private LanguageModel model;
    private DenseRetention dense;

    @BeforeEach
    void open() {
        model = RetentionFixture.small(dir.resolve("small"));
        dense = new DenseRetention(model.folder());
    }

    private Map<String, float[]> edit(EditableMatrix matrix, int steps, String more) {
        return arrays(ask(model, "rome", "'layer':1,'matrix':'" + matrix.id() + "','prompt':{'ids':[3,1,12,5]},'subject_last':1,"
                + "'prefixes':[{'ids':[]},{'ids':[2,9]}],'target':[4,6],'kl_prompt':{'ids':[1,8]},'kl_pos':1,'covariance':'identity',"
                + "'hyperparameters':{'steps':" + steps + ",'lr':" + RATE + ",'weight_decay':0.5,'kl_factor':" + KL_FACTOR
                + ",'clamp_norm_factor':3,'stop_loss':0}" + more));
    }

    private static EditableMatrix matrix(String id) {
        return id.equals("in.value") ? Retention.W_VALUE : Retention.W_WRITE;
    }

    private static DenseRetention.Touch added(String point, int at, double[] delta) {
        return (name, token, value) -> {
            for (int i = 0; i < value.length && token == at && name.equals(point); i++) {
                value[i] += delta[i];
            }
        };
    }

    /** Negative log-likelihood and divergence with a vector added to the value. */
    private double[] losses(String point, double[] delta) {
        double nll = 0;
        for (int c = 0; c < CONTEXTS.length; c++) {
            double[][] logits = dense.run(CONTEXTS[c], added(point, LOOKUPS[c], delta), DenseRetention.NO_EDGE);
            for (int i = 0; i < TARGET.length; i++) {
                nll -= DenseRetention.log(logits[logits.length - TARGET.length + i], TARGET[i]) / TARGET.length / CONTEXTS.length;
            }
        }
        double[] before = dense.logits(KL)[1];
        double[] now = dense.run(KL, added(point, 1, delta), DenseRetention.NO_EDGE)[1];
        double divergence = 0;
        for (int id = 0; id < now.length; id++) {
            double log = DenseRetention.log(now, id);
            divergence += Math.exp(log) * (log - DenseRetention.log(before, id));
        }
        return new double[] {nll, KL_FACTOR * divergence};
    }

    /** The first step is Adam's by the gradient; later losses are those of the vector that was found. */
    @ParameterizedTest
    @ValueSource(strings = {"in.value", "out.kernel"})
    void theSearchGoesDown(String id) {
        String point = matrix(id).value().name(1);
        double[] delta = new double[model.width(matrix(id).value())];
        double[] gradient = DenseRetention.differences(delta, () -> Arrays.stream(losses(point, delta)).sum());
        near("first step", Arrays.stream(gradient).map(g -> -RATE * g / (Math.abs(g) + 1e-8)).toArray(),
                edit(matrix(id), 2, "").get("delta"));
        Map<String, float[]> found = edit(matrix(id), 15, "");
        double[] last = new double[delta.length];
        for (int i = 0; i < last.length; i++) {
            last[i] = found.get("delta")[i];
        }
        float[] parts = found.get("loss_parts");
        near("losses at the start", losses(point, delta), Arrays.copyOf(parts, 2));
        near("losses at the end", losses(point, last), Arrays.copyOfRange(parts, parts.length - 3, parts.length - 1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"in.value", "out.kernel"})
    void theKeyGetsTheValue(String id) {
        EditableMatrix matrix = matrix(id);
        Path saved = dir.resolve("edited");
        Map<String, float[]> found = edit(matrix, 15, ",'save':'" + saved + "'");
        double[][] keys = new double[CONTEXTS.length][];
        for (int c = 0; c < CONTEXTS.length; c++) {
            keys[c] = dense.values(CONTEXTS[c]).get(matrix.key().name(1))[LOOKUPS[c]];
        }
        double[] u = new double[keys[0].length];
        double norm = 0;
        for (int i = 0; i < u.length; i++) {
            u[i] = (keys[0][i] + keys[1][i]) / 2;
            norm = Math.hypot(norm, u[i]);
        }
        double along = 0;
        for (int i = 0; i < u.length; i++) {
            u[i] /= norm;
            along += u[i] * keys[0][i];
        }
        near("u", u, found.get("u"));
        double[] now = dense.values(CONTEXTS[0]).get(matrix.value().name(1))[LOOKUPS[0]];
        float[] v = found.get("v");
        double[] rows = new double[v.length * u.length];
        float[] old = matrix.rows(model, 1);
        for (int i = 0; i < rows.length; i++) {
            rows[i] = old[i] + (v[i / u.length] - now[i / u.length]) / along * u[i % u.length];
        }
        near("W", rows, found.get("W_new"));
        // the checkpoint that was saved, read by the dense model alone
        DenseRetention edited = new DenseRetention(saved);
        double[] value = edited.values(CONTEXTS[0]).get(matrix.value().name(1))[LOOKUPS[0]];
        near("W k = v", value, v);
        near("logits", edited.logits(CONTEXTS[1])[6], LanguageModel.open(saved).run(CONTEXTS[1]).logits());
        onlyTheMatrixChanged(matrix, edited, rows);
    }

    /** Stored [key, value], the value's columns behind those of queries and keys. */
    private void onlyTheMatrixChanged(EditableMatrix matrix, DenseRetention edited, double[] rows) {
        boolean inner = matrix.equals(Retention.W_VALUE);
        String weight = inner ? "stack.1.in.kernel" : "stack.1.out.kernel";
        int values = inner ? 4 : 6;
        int first = inner ? 12 : 0;
        int stride = inner ? 20 : 6;
        dense.weights.forEach((name, old) -> {
            double[] now = edited.weights.get(name);
            for (int i = 0; i < old.length; i++) {
                int column = i % stride - first;
                if (name.equals(weight) && column >= 0 && column < values) {
                    assertEquals(rows[column * (old.length / stride) + i / stride], now[i], 1e-5);
                    assertNotEquals(old[i], now[i]);
                } else {
                    assertEquals(old[i], now[i], name);
                }
            }
        });
    }

    /** Rows of a model that holds the edit are read as they were written. */
    @Test
    void rowsAreReadAsWritten() {
        for (EditableMatrix m : model.matrices()) {
            float[] rows = m.rows(model, 2);
            for (int i = 0; i < rows.length; i++) {
                rows[i] += i;
            }
            LanguageModel other = m.with(model, 2, rows);
            assertArrayEquals(rows, m.rows(other, 2));
            assertArrayEquals(m.rows(model, 1), m.rows(other, 1));
        }
    }
}
