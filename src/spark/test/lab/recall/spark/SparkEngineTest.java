package lab.recall.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import lab.recall.base.BadRequest;
import lab.recall.base.Progress;
import lab.recall.model.LanguageModel;
import lab.recall.study.Experiment;
import lab.recall.study.PieceEngine;
import lab.recall.study.PiecesFailed;
import lab.recall.study.Runner;
import lab.recall.study.Store;
import lab.recall.study.Studies;
import lab.recall.study.StudiesTest;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The engine with both its sides in this process; {@code .ci/spark.py} has them in processes of their own. */
class SparkEngineTest {
    private static final String MASTER = "local[2]";
    private static final LanguageModel MODEL = LanguageModel.open("tiny-mamba");

    @TempDir
    Path dir;

    private PieceEngine engine;

    @BeforeEach
    void open() {
        Counting.TRIES.clear();
        engine = PieceEngine.named("spark", MASTER, false);
    }

    @AfterEach
    void close() {
        Thread.interrupted();
        engine.close();
    }

    private PieceEngine with(String key, String value) {
        SparkConf conf = Settings.of(MASTER).set(key, value);
        engine = new SparkEngine(conf, false);
        return engine;
    }

    private Runner runner(PieceEngine on, boolean retriesFailed) {
        return Runner.of(Store.at(dir), Store.at(dir), Progress.silent()).on(on, retriesFailed);
    }

    @ParameterizedTest
    @MethodSource("lab.recall.study.StudiesTest#requests")
    void givesWhatTheLocalEngineGives(String name, String fields) {
        Experiment<?, ?> experiment = Studies.named(name);
        assertEquals(StudiesTest.told(StudiesTest.found(experiment, fields, Runner.silent())).toString(),
                StudiesTest.told(StudiesTest.found(experiment, fields, runner(engine, false))).toString());
    }

    private static List<Integer> squares(int count) {
        return IntStream.range(0, count).mapToObj(i -> i * i).toList();
    }

    @Test
    void aPieceThatBreaksIsTriedThreeTimes() {
        assertEquals(squares(7), runner(engine, false).run(new Counting(), MODEL, new Counting.Asked(7, Map.of(3, 2, 5, 1), -1)));
        assertEquals(Map.of(0, 1, 1, 1, 2, 1, 3, 3, 4, 1, 5, 2, 6, 1), Counting.TRIES);
    }

    @Test
    void whatFailsIsToldWithItsReasonAndTheRestGoesOn() {
        Counting.Asked asked = new Counting.Asked(5, Map.of(3, 4), -1);
        String told = assertThrows(PiecesFailed.class, () -> runner(engine, false).run(new Counting(), MODEL, asked)).getMessage();
        assertEquals("counting: 1 of 5 pieces failed, the others are kept (piece 3: java.lang.IllegalStateException: tired of 3); "
                + "the same command with --retry-failed tries again", told);
        assertEquals(Map.of(0, 1, 1, 1, 2, 1, 3, 3, 4, 1), Counting.TRIES);
        assertEquals(told, assertThrows(PiecesFailed.class,
                () -> runner(PieceEngine.local(), false).run(new Counting(), MODEL, asked)).getMessage());
        assertEquals(squares(5), runner(engine, true).run(new Counting(), MODEL, asked));
        assertEquals(Map.of(0, 1, 1, 1, 2, 1, 3, 5, 4, 1), Counting.TRIES);
    }

    @Test
    void whatHasNoAnswerIsTriedOnce() {
        Counting.Asked asked = new Counting.Asked(3, Map.of(), 1);
        String told = assertThrows(PiecesFailed.class, () -> runner(engine, false).run(new Counting(), MODEL, asked)).getMessage();
        assertTrue(told.contains("(piece 1: the number: has no square)"), told);
        assertEquals(Map.of(0, 1, 1, 1, 2, 1), Counting.TRIES);
    }

    @Test
    void anInterruptKeepsWhatArrived() {
        Progress impatient = new Progress() {
            @Override
            public void start(String task, String unit, long total) {
                assertEquals(40, total);
            }

            @Override
            public void to(long done) {
                if (done == 3) {
                    Thread.currentThread().interrupt();
                }
            }

            @Override
            public void finish() {
                // nothing to end
            }
        };
        Counting.Asked asked = new Counting.Asked(40, Map.of(), -1);
        assertThrows(CancellationException.class, () -> Runner.of(Store.at(dir), Store.none(), impatient).on(engine, false)
                .run(new Counting(), MODEL, asked));
        assertTrue(Thread.interrupted());
        Runner again = runner(PieceEngine.local(), false);
        assertEquals(squares(40), again.run(new Counting(), MODEL, asked));
        assertTrue(again.taken() >= 3, again.taken() + " pieces were kept");
    }

    @Test
    void aModelWithChangedWeightsStaysHere() {
        String weight = MODEL.weights().keySet().stream().filter(n -> n.contains("layers.0.")).findFirst().orElseThrow();
        LanguageModel changed = MODEL.with(weight, MODEL.weight(weight));
        assertEquals(squares(3), runner(with("spark.recall.models", dir.resolve("none").toString()), false)
                .run(new Counting(), changed, new Counting.Asked(3, Map.of(), -1)));
    }

    @Test
    void aModelThatExecutorsDoNotSeeIsToldInOneSentence() {
        Path models = dir.resolve("models");
        String told = assertThrows(BadRequest.class, () -> runner(with("spark.recall.models", models.toString()), false)
                .run(new Counting(), MODEL, new Counting.Asked(3, Map.of(), -1))).getMessage();
        assertEquals("the executor on 127.0.0.1 cannot open the model at " + models.resolve("tiny-mamba") + " ("
                + models.resolve("tiny-mamba") + ": no such folder); it has to lie there too, or below the folder that "
                + "spark.recall.models names, or be sent by --ship", told);
    }

    @Test
    void aModelIsShippedWhereExecutorsDoNotSeeIt() throws IOException {
        engine = new SparkEngine(Settings.of(MASTER).set("spark.recall.models", dir.resolve("none").toString()), true);
        assertEquals(squares(3), runner(engine, false).run(new Counting(), MODEL, new Counting.Asked(3, Map.of(), -1)));
        LanguageModel other = LanguageModel.open("tiny-neox");
        assertEquals(squares(3), runner(engine, false).run(new Counting(), other, new Counting.Asked(3, Map.of(), -1)));
        assertEquals("ship: there is nowhere to ship the model to; give --engine spark",
                assertThrows(BadRequest.class, () -> PieceEngine.named("local", null, true)).getMessage());
    }

    @Test
    void otherWeightsThereAreToldInOneSentence() throws IOException {
        Path there = Files.createDirectories(dir.resolve("models/tiny-mamba"));
        try (Stream<Path> files = Files.list(LanguageModel.open("tiny-neox").folder())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, there.resolve(file.getFileName()));
            }
        }
        String told = assertThrows(BadRequest.class, () -> runner(with("spark.recall.models", dir.resolve("models").toString()), false)
                .run(new Counting(), MODEL, new Counting.Asked(3, Map.of(), -1))).getMessage();
        assertTrue(told.startsWith("the executor on 127.0.0.1 has another model at " + there + " (digest "), told);
    }

    @Test
    void aWrongMasterIsToldInOneSentence() {
        for (Map.Entry<String, String> wrong : Map.of("spark://127.0.0.1:1", "--master: nobody answers at 'spark://127.0.0.1:1' (",
                "sparky", "--master: 'sparky', where Spark cannot work (Could not parse Master URL: 'sparky')").entrySet()) {
            try (PieceEngine nowhere = PieceEngine.named("spark", wrong.getKey(), false)) {
                String told = assertThrows(BadRequest.class, () -> runner(nowhere, false)
                        .run(new Counting(), MODEL, new Counting.Asked(3, Map.of(), -1))).getMessage();
                assertTrue(told.startsWith(wrong.getValue()), told);
            }
        }
        assertEquals("master: missing; expected such as spark://127.0.0.1:7077, what environment/cluster start prints",
                assertThrows(BadRequest.class, () -> PieceEngine.named("spark", null, false)).getMessage());
    }
}
