package lab.recall.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.facts.Relations;
import lab.recall.math.Parallel;
import lab.recall.model.LanguageModel;
import lab.recall.model.ModelFacts;
import lab.recall.text.DataFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Training as a whole, on models so small that a few steps take a second. */
class TrainerTest {
    static final String CONFIG = """
            {"seed": 3, "world": {"seed": 5, "names": "grid"}, "vocabulary": 400, "model": MODEL,
             "corpus": {"seed": 1, "rows": 6, "tokens": 64, "before": 0.2, "behind": 0.1, "binding": 0.2, "lists": 0.2, \
            "word_dropout": 0.05,
                        "object_weight": 4, "dropped": 0.2},
             "optimizer": {"lr": 0.004, "final": 0.05, "warm_up": 2, "beta1": 0.9, "beta2": 0.98, "eps": 1e-8, \
            "weight_decay": 0.05, "clip": 1},
             "steps": 9, "evaluate_every": 4, "checkpoint_every": 3}
            """;
    static final String MAMBA = "{\"family\": \"mamba\", \"width\": 16, \"layers\": 2, \"states\": 4}";
    static final String NEOX = "{\"family\": \"gpt_neox\", \"width\": 16, \"layers\": 2, \"heads\": 2}";

    @TempDir
    Path dir;

    static TrainConfig config(String model) {
        return TrainConfig.parse(CONFIG.replace("MODEL", model));
    }

    private static byte[] weights(Path folder) throws IOException {
        return Files.readAllBytes(folder.resolve("model.safetensors"));
    }

    @ParameterizedTest
    @ValueSource(strings = {MAMBA, NEOX})
    void oneSeedOneModelForAnyThreads(String model) throws IOException {
        int threads = Parallel.threads();
        Parallel.setThreads(1);
        Trained one = new Trainer(config(model), dir.resolve("one")).train(b -> { }, s -> { }, l -> { });
        Parallel.setThreads(3);
        new Trainer(config(model), dir.resolve("three")).train(b -> { }, s -> { }, l -> { });
        Parallel.setThreads(threads);
        assertArrayEquals(weights(dir.resolve("one")), weights(dir.resolve("three")));
        assertEquals(List.of(4, 8, 9), one.log().entries().stream().map(TrainLog.Entry::step).toList());
        assertTrue(one.log().last().loss() < one.log().entries().get(0).loss(), "the loss falls");
        for (String file : new String[] {"config.json", "tokenizer.json", "tokenizer_config.json", "training.json", "log.jsonl",
            "learning-curve.png", "recall.json", "relations/place_in_city.json"}) {
            assertTrue(Files.exists(dir.resolve("one").resolve(file)), file);
        }
        assertFalse(Files.exists(dir.resolve("one").resolve("state.safetensors")));
        assertEquals(new ModelFacts("own", true, true, new ModelFacts.Edits(6.0, model.equals(NEOX) ? 0.01 : null)), one.model().facts());
        assertEquals(Set.copyOf(config(model).openWorld().relations()), Set.copyOf(Relations.of(one.model()).all()));
        Trained again = new Trainer(config(model), dir.resolve("one"))
                .train(b -> { }, s -> fail("what is trained is not trained again"), l -> { });
        assertEquals(one.recall(), again.recall());
        assertEquals(one.log().entries(), again.log().entries());
        Trained other = new Trainer(TrainConfig.parse(CONFIG.replace("MODEL", model).replace("\"seed\": 3", "\"seed\": 4")),
                dir.resolve("other")).train(b -> { }, s -> { }, l -> { });
        assertFalse(Arrays.equals(weights(dir.resolve("one")), weights(other.model().folder())), "another seed, another model");
    }

    /** Those on the way are the models of their steps, however often the training was stopped: the last one is the result. */
    @Test
    void modelsOnTheWayAreKept() throws IOException {
        new Trainer(config(MAMBA), dir.resolve("plain")).train(b -> { }, s -> { }, l -> { });
        Path whole = dir.resolve("whole");
        new Trainer(config(MAMBA), whole).keeping(3).train(b -> { }, s -> { }, l -> { });
        Path stopped = dir.resolve("stopped");
        assertThrows(CancellationException.class, () -> new Trainer(config(MAMBA), stopped).keeping(3).train(b -> { }, s -> {
            if (s == 4) {
                Thread.currentThread().interrupt();
            }
        }, l -> { }));
        assertTrue(Thread.interrupted());
        new Trainer(config(MAMBA), stopped).keeping(3).train(b -> { }, s -> { }, l -> { });
        assertArrayEquals(weights(dir.resolve("plain")), weights(whole));
        assertArrayEquals(weights(whole), weights(whole.resolve("steps/9")));
        assertFalse(Arrays.equals(weights(whole.resolve("steps/0")), weights(whole.resolve("steps/3"))));
        for (String step : List.of("0", "3", "6", "9")) {
            assertArrayEquals(weights(whole.resolve("steps/" + step)), weights(stopped.resolve("steps/" + step)), step);
        }
        assertFalse(Files.exists(dir.resolve("plain/steps")));
        LanguageModel first = LanguageModel.open(whole.resolve("steps/0"));
        assertEquals(LanguageModel.open(whole).facts(), first.facts());
        assertEquals(Relations.of(LanguageModel.open(whole)).all(), Relations.of(first).all());
        assertThrows(BadRequest.class, () -> new Trainer(config(MAMBA), whole).keeping(0));
        Trainer late = new Trainer(config(MAMBA), dir.resolve("plain")).keeping(3);
        assertTrue(assertThrows(BadData.class, () -> late.train(b -> { }, s -> { }, l -> { })).getMessage()
                .endsWith("holds a training whose models on the way were not kept; expected a new folder"));
    }

    @Test
    void anInterruptedTrainingGoesOnAndGivesTheSame() throws IOException {
        new Trainer(config(MAMBA), dir.resolve("whole")).train(b -> { }, s -> { }, l -> { });
        Path folder = dir.resolve("stopped");
        assertThrows(CancellationException.class, () -> new Trainer(config(MAMBA), folder).train(b -> { }, s -> {
            if (s == 5) {
                Thread.currentThread().interrupt();
            }
        }, l -> { }));
        assertTrue(Thread.interrupted(), "the flag is still set");
        assertTrue(Files.exists(folder.resolve("state.safetensors")));
        int[] first = {0};
        int[] before = {0};
        new Trainer(config(MAMBA), folder).train(b -> before[0] = b, s -> first[0] = first[0] == 0 ? s : first[0], l -> { });
        assertEquals(6, before[0]);
        assertEquals(7, first[0], "it stopped after step 6, the one after the interruption");
        assertArrayEquals(weights(dir.resolve("whole")), weights(folder));
        assertEquals(List.of(4, 8, 9), TrainLog.read(folder).entries().stream().map(TrainLog.Entry::step).toList());
    }

    /** Ends a training as a kill would, after a step. */
    private void dieAfter(int step, Path folder) {
        assertThrows(IllegalStateException.class, () -> new Trainer(config(MAMBA), folder).train(b -> { }, s -> {
            if (s == step) {
                throw new IllegalStateException("dead");
            }
        }, l -> { }));
    }

    @Test
    void aResumedTrainingLeavesTheModelOfItsLastCheckpoint() throws IOException {
        new Trainer(config(MAMBA), dir.resolve("whole")).train(b -> { }, s -> { }, l -> { });
        Path folder = dir.resolve("killed");
        dieAfter(2, folder);
        byte[] fresh = weights(folder);
        dieAfter(4, folder);
        byte[] third = weights(folder);
        assertFalse(Arrays.equals(fresh, third), "the model of step 3, the checkpoint");
        dieAfter(5, folder);
        assertArrayEquals(third, weights(folder), "a second kill before the next checkpoint");
        dieAfter(7, folder);
        assertFalse(Arrays.equals(third, weights(folder)), "the model of step 6");
        new Trainer(config(MAMBA), folder).train(b -> { }, s -> { }, l -> { });
        assertArrayEquals(weights(dir.resolve("whole")), weights(folder));
    }

    @Test
    void aTrainingThatDiedAtItsEndIsFinished() throws IOException {
        Path folder = dir.resolve("m");
        Map<Integer, byte[]> states = new HashMap<>();
        Map<Integer, byte[]> models = new HashMap<>();
        Trained whole = new Trainer(config(MAMBA), folder).train(b -> { }, s -> {
            try {
                states.put(s, Files.readAllBytes(folder.resolve("state.safetensors")));
                models.put(s, weights(folder));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }, l -> { });
        byte[] trained = weights(folder);
        for (int model : new int[] {1, 6, 9}) {               // what stood there when it died: nothing learned, an older one, the last one
            Files.write(folder.resolve("model.safetensors"), models.get(model));
            Files.write(folder.resolve("state.safetensors"), states.get(9));
            Trained again = new Trainer(config(MAMBA), folder).train(b -> { }, s -> fail("no step is left"), l -> { });
            assertArrayEquals(trained, weights(folder));
            assertEquals(whole.recall(), again.recall());
            assertEquals(whole.log().entries(), again.log().entries());
            assertFalse(Files.exists(folder.resolve("state.safetensors")));
        }
        Files.write(folder.resolve("state.safetensors"), states.get(6));          // the log was written to its end, the last state was not
        Files.write(folder.resolve("model.safetensors"), models.get(6));
        new Trainer(config(MAMBA), folder).train(b -> { }, s -> assertTrue(s > 6), l -> { });
        assertArrayEquals(trained, weights(folder));
        assertEquals(List.of(4, 8, 9), TrainLog.read(folder).entries().stream().map(TrainLog.Entry::step).toList());
    }

    @Test
    void aFolderHoldsOneTraining() {
        new Trainer(config(MAMBA), dir).train(b -> { }, s -> { }, l -> { });
        String said = assertThrows(IllegalArgumentException.class,
                () -> new Trainer(config(NEOX), dir).train(b -> { }, s -> { }, l -> { })).getMessage();
        assertTrue(said.contains("another configuration"), said);
    }

    @Test
    void theRateWarmsUpAndFallsAlongACosine() {
        TrainFile.Optimizer o = new TrainFile.Optimizer(1.0, 0.1, 10, 0.9, 0.98, 1e-8, 0.0, 1.0);
        assertEquals(0.1, o.rate(0, 110), 1e-12);
        assertEquals(1, o.rate(9, 110), 1e-12);
        assertEquals(1, o.rate(10, 110), 1e-12);
        assertEquals(0.55, o.rate(60, 110), 1e-12);
        assertEquals(0.1, o.rate(110, 110), 1e-12);
    }

    /** Embeddings, heads, norms, biases, convolutions and decay rates do not. */
    @Test
    void matricesOfLayersDecay() {
        assertEquals(Set.of("mixer.in_proj.weight", "mixer.x_proj.weight", "mixer.dt_proj.weight", "mixer.out_proj.weight"),
                decaying(MAMBA, "backbone.layers."));
        assertEquals(Set.of("attention.query_key_value.weight", "attention.dense.weight", "mlp.dense_h_to_4h.weight",
                "mlp.dense_4h_to_h.weight"), decaying(NEOX, "gpt_neox.layers."));
    }

    /** The same in each of two layers. */
    private Set<String> decaying(String model, String prefix) {
        Path tokenizer = DataFolder.find("models/tiny-mamba/tokenizer.json");
        Set<String> all = config(model).said().sizes().fresh(400, 1).write(dir.resolve(prefix), tokenizer).layerMatrices();
        Set<String> ofOne = all.stream().map(n -> n.replaceFirst("^" + Pattern.quote(prefix) + "[01]\\.", "")).collect(Collectors.toSet());
        assertEquals(2 * ofOne.size(), all.size());
        return ofOne;
    }
}
