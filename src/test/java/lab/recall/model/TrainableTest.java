package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import lab.recall.Golden;
import lab.recall.math.Parallel;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A model in training against differences of its loss. Gradients without weights are checked against goldens through the command line. */
class TrainableTest {
    static List<String> cases() {
        return List.of("mamba-a-f32", "mamba-b-bf16-untied", "neox-a-f32", "neox-b-seq-f16-sharded", "falcon-a-f32", "mamba2-a-f32",
                "mamba2-b-bf16", "llama-a-f32", "llama-b-bf16", "gpt2-a-f32", "gpt2-b-hub");
    }

    private static int[][] ids(LanguageModel model, int rows, int tokens) {
        Random random = new Random(2);
        int[][] ids = new int[rows][];
        for (int r = 0; r < rows; r++) {
            ids[r] = random.ints(tokens, 0, model.vocabulary()).toArray();
        }
        return ids;
    }

    private static float[][] care(int rows, int tokens) {
        float[][] care = new float[rows][tokens - 1];
        for (int r = 0; r < rows; r++) {
            for (int t = 0; t < tokens - 1; t++) {
                care[r][t] = t > tokens - 4 ? 0 : 1 + (r + t) % 4;
            }
        }
        return care;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void weightedGradientsAndChangedWeights(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        int[][] ids = ids(model, 5, 9);
        float[][] care = care(5, 9);
        Trainable t = new Trainable(model, 5, 9);
        double loss = t.backward(ids, care);
        assertEquals(loss, t.loss(ids, care), 1e-6);
        Map<String, float[]> direction = new LinkedHashMap<>();
        t.gradients().forEach((n, g) -> direction.put(n, g.clone()));
        assertEquals(t.weights().keySet(), direction.keySet());
        double norm = 0;
        for (float[] g : direction.values()) {
            for (float x : g) {
                norm += (double) x * x;
            }
        }
        double step = 1e-3 / Math.sqrt(norm);
        double[] around = new double[2];
        for (int side = 0; side < 2; side++) {
            double size = side == 0 ? -step : 2 * step;
            t.weights().forEach((n, w) -> {
                for (int i = 0; i < w.length; i++) {
                    w[i] += (float) (size * direction.get(n)[i]);
                }
            });
            t.changed();
            around[side] = t.loss(ids, care);
        }
        assertEquals(norm, (around[1] - around[0]) / (2 * step), 2e-2 * norm, "along the gradient");
        // the weights packed anew are those of a model that is opened with them
        LanguageModel now = t.model();
        Golden.same("changed", now.run(ids[0]).logits(), model.with(t.weights()).run(ids[0]).logits());
        assertEquals(new Trainable(now, 5, 9).loss(ids, care), t.loss(ids, care), 1e-9);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void anyNumberOfThreadsGivesTheSame(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        int[][] ids = ids(model, 24, 40);
        int threads = Parallel.threads();
        Parallel.setThreads(1);
        Trainable one = new Trainable(model, 24, 40);
        double loss = one.backward(ids, null);
        Parallel.setThreads(3);
        Trainable three = new Trainable(model, 24, 40);
        three.backward(ids, null);
        assertEquals(loss, three.backward(ids, null), "buffers are clean the second time");
        Parallel.setThreads(threads);
        one.gradients().forEach((n, g) -> assertArrayEquals(g, three.gradients().get(n), n));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void badBatches(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        assertThrows(IllegalArgumentException.class, () -> new Trainable(model, 1, 1));
        Trainable t = new Trainable(model, 2, 4);
        assertThrows(IllegalArgumentException.class, () -> t.backward(new int[1][4], null));
        assertThrows(IllegalArgumentException.class, () -> t.backward(new int[2][4], new float[2][3]));
        assertThrows(IllegalArgumentException.class, () -> t.backward(new int[][] {{0, 1, 2, 3}, {0, 1, 2, model.vocabulary()}}, null));
    }
}
