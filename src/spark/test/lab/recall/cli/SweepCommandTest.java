package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command sweep, on both engines. */
class SweepCommandTest {
    private static final String SMALL = "models: [tiny-mamba, tiny-neox]\nstudies:\n"
            + "  where: {experiment: trace, pairs: 4, points: [resid_post]}\n"
            + "  read: {experiment: knockout, form: edges, facts: 4, relation: landmark_in_country}\nsettings: {seed: [1, 2]}\n";

    @TempDir
    Path dir;
    private final Terminal terminal = new Terminal();

    private int sweep(Path file, String out, String... more) {
        List<String> all = new ArrayList<>(List.of("sweep", file.toString(), "--out", dir.resolve(out).toString()));
        all.addAll(List.of(more));
        return terminal.recall(all.toArray(String[]::new));
    }

    @Test
    void bothEnginesAndBothFormsGiveTheSameBytes() throws IOException {
        Path yaml = Files.writeString(dir.resolve("s.yaml"), SMALL);
        Path json = Files.writeString(dir.resolve("s.json"), "{\"models\":[\"tiny-mamba\",\"tiny-neox\"],\"studies\":{"
                + "\"where\":{\"points\":[\"resid_post\"],\"pairs\":4,\"experiment\":\"trace\"},"
                + "\"read\":{\"experiment\":\"knockout\",\"form\":\"edges\",\"facts\":4,\"relation\":\"landmark_in_country\"}},"
                + "\"settings\":{\"seed\":[1,2]}}");
        assertEquals(0, sweep(yaml, "local"), () -> terminal.err());
        assertTrue(terminal.out().contains("8 of 8: tiny-neox, read, seed=2"), terminal.out());
        assertEquals(0, sweep(json, "spark", "--engine", "spark", "--master", "local[2]", "--threads", "1"), () -> terminal.err());
        for (String file : List.of("results.csv", "results.parquet", "sweep.json")) {
            assertArrayEquals(Files.readAllBytes(dir.resolve("local").resolve(file)),
                    Files.readAllBytes(dir.resolve("spark").resolve(file)), file);
        }
        List<String> lines = Files.readAllLines(dir.resolve("local/results.csv"));
        assertEquals("model,study,setting,place,mean,low,high,n", lines.get(0));
        assertTrue(lines.get(1).startsWith("tiny-mamba,where,seed=1,resid_post/"), lines.get(1));
        assertTrue(lines.stream().anyMatch(l -> l.startsWith("tiny-neox,read,seed=2,change/")));
        try (Stream<Path> files = Files.list(dir.resolve("local"))) {
            assertEquals(List.of("requests", "results.csv", "results.parquet", "sweep.json"),
                    files.map(f -> f.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void whatHasAnAnswerIsKeptAndWhatHasNoneIsTold() throws IOException {
        Path bad = Files.writeString(dir.resolve("bad.yaml"), "models: [tiny-mamba]\nstudies:\n"
                + "  one: {experiment: trace, pairs: 2, points: [resid_post]}\n  two: {experiment: trace, pairs: 2, points: [nowhere]}\n");
        assertEquals(2, sweep(bad, "out"));
        assertTrue(terminal.err().startsWith("tiny-mamba, two: "), terminal.err());
        assertTrue(terminal.err().contains("1 of 2 requests have no answer, the others are kept; the table is written when all have one"),
                terminal.err());
        assertFalse(Files.exists(dir.resolve("out/results.csv")));
    }

    @Test
    void aBadFileOrMasterChangesNothing() throws IOException {
        Path bad = Files.writeString(dir.resolve("bad.yaml"), "models: [tiny-mamba]\nstudys: {}\n");
        assertEquals(2, sweep(bad, "none"));
        assertEquals(bad + ": studys: unknown field; known here are models, settings, studies. Did you mean 'studies'?\n", terminal.err());
        assertFalse(Files.exists(dir.resolve("none")));
        Path good = Files.writeString(dir.resolve("good.yaml"), SMALL);
        assertEquals(2, sweep(good, "nowhere", "--engine", "spark", "--master", "spark://127.0.0.1:1"));
        assertTrue(terminal.err().startsWith("--master: nobody answers at 'spark://127.0.0.1:1'"), terminal.err());
        assertEquals(1, terminal.err().lines().count());
    }
}
