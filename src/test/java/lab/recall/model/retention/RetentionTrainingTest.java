package lab.recall.model.retention;

import static lab.recall.model.retention.RetentionFixture.arrays;
import static lab.recall.model.retention.RetentionFixture.ask;
import static lab.recall.model.retention.RetentionFixture.near;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import lab.recall.base.BadRequest;
import lab.recall.math.Parallel;
import lab.recall.model.LanguageModel;
import lab.recall.train.TrainConfig;
import lab.recall.train.TrainLog;
import lab.recall.train.Trained;
import lab.recall.train.Trainer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A family of the tests alone is trained as the two of the house are. */
class RetentionTrainingTest {
    private static final int[][] ROWS = {{3, 1, 12, 7, 7}, {0, 5, 5, 2, 9}};
    private static final String CONFIG = """
            {"seed": 3, "world": {"seed": 5, "names": "grid"}, "vocabulary": 400,
             "model": {"family": "retention", "width": 16, "layers": 2, "heads": 2, "keys": 6, "values": 8},
             "corpus": {"seed": 1, "rows": 6, "tokens": 64, "before": 0.2, "behind": 0.1, "binding": 0.2, "lists": 0.2,
                        "word_dropout": 0.05, "object_weight": 4, "dropped": 0.2},
             "optimizer": {"lr": 0.01, "final": 0.05, "warm_up": 2, "beta1": 0.9, "beta2": 0.98, "eps": 1e-8,
                           "weight_decay": 0.05, "clip": 1},
             "steps": 9, "evaluate_every": 4, "checkpoint_every": 3}
            """;

    @TempDir
    Path dir;
    private final int threads = Parallel.threads();

    @AfterEach
    void threadsAsBefore() {
        Parallel.setThreads(threads);
    }

    private static double loss(DenseRetention dense) {
        double loss = 0;
        for (int[] ids : ROWS) {
            double[][] logits = dense.logits(ids);
            for (int t = 0; t < ids.length - 1; t++) {
                loss -= DenseRetention.log(logits[t], ids[t + 1]) / (ROWS.length * (ids.length - 1));
            }
        }
        return loss;
    }

    /** AdamW in f64 with gradients by differences: those of every weight, the losses, and where the weights end. */
    @Test
    void stepsAreTheDenseModels() {
        LanguageModel model = RetentionFixture.small(dir);
        Map<String, float[]> found = arrays(ask(model, "train_step", "'ids':[[3,1,12,7,7],[0,5,5,2,9]],'steps':3,'gradients':true,"
                + "'optimizer':{'lr':0.02,'beta1':0.9,'beta2':0.99,'eps':0.01,'weight_decay':0.1}"));
        DenseRetention dense = new DenseRetention(dir);
        double[] losses = new double[4];
        Map<String, double[]> first = new LinkedHashMap<>();
        Map<String, double[]> second = new LinkedHashMap<>();
        for (int step = 0; step < 3; step++) {
            losses[step] = loss(dense);
            Map<String, double[]> gradients = new LinkedHashMap<>();
            dense.weights.forEach((name, w) -> gradients.put(name, DenseRetention.differences(w, () -> loss(dense))));
            for (Map.Entry<String, double[]> e : gradients.entrySet()) {
                double[] w = dense.weights.get(e.getKey());
                double[] m = first.computeIfAbsent(e.getKey(), n -> new double[w.length]);
                double[] v = second.computeIfAbsent(e.getKey(), n -> new double[w.length]);
                if (step == 0) {
                    near("grad." + e.getKey(), e.getValue(), found.get("grad." + e.getKey()));
                }
                for (int i = 0; i < w.length; i++) {
                    double g = e.getValue()[i];
                    m[i] = 0.9 * m[i] + 0.1 * g;
                    v[i] = 0.99 * v[i] + 0.01 * g * g;
                    double now = m[i] / (1 - Math.pow(0.9, step + 1));
                    w[i] += -0.02 * 0.1 * w[i] - 0.02 * now / (Math.sqrt(v[i] / (1 - Math.pow(0.99, step + 1))) + 0.01);
                }
            }
        }
        losses[3] = loss(dense);
        near("losses", losses, found.get("losses"));
        dense.weights.forEach((name, w) -> near(name, w, found.get(name)));
        assertEquals(2 * dense.weights.size() + 1, found.size());
    }

    @Test
    void trainedByAConfiguration() throws IOException {
        Parallel.setThreads(1);
        Trained one = train(dir.resolve("one"));
        Parallel.setThreads(3);
        train(dir.resolve("three"));
        assertArrayEquals(Files.readAllBytes(dir.resolve("one/model.safetensors")),
                Files.readAllBytes(dir.resolve("three/model.safetensors")));
        List<TrainLog.Entry> log = one.log().entries();
        assertTrue(log.get(log.size() - 1).loss() < log.get(0).loss() - 0.3, "the loss falls");
        int[] ids = one.model().prompt("Novux Bridge is located in the city of").ids();
        near("as the dense model", new DenseRetention(dir.resolve("one")).logits(ids)[ids.length - 1], one.model().run(ids).logits());
        assertEquals(Set.of("stack.0.in.kernel", "stack.0.out.kernel", "stack.1.in.kernel", "stack.1.out.kernel"),
                one.model().layerMatrices(), "these decay");
    }

    private static Trained train(Path folder) {
        return new Trainer(TrainConfig.parse(CONFIG), folder).train(before -> { }, step -> { }, log -> { });
    }

    @Test
    void aWrongSizeIsNamed() {
        String said = assertThrows(BadRequest.class, () -> TrainConfig.parse(CONFIG.replace("\"keys\": 6", "\"keys\": 0"))).getMessage();
        assertTrue(said.startsWith("model.keys: 0, expected"), said);
    }
}
