package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import lab.recall.base.Progress;
import lab.recall.trace.Position;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands trace and path-blocking, from options to files. */
class TraceCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path dir;
    private final Terminal terminal = new Terminal();

    private int recall(String... args) {
        return terminal.recall(args);
    }

    @Test
    void twoModelsSideBySide() throws IOException {
        Path out = dir.resolve("out");
        assertEquals(0, recall("trace", "--relation", "all", "--model", "tiny-mamba", "--model", "tiny-neox",
                "--pairs", "6", "--out", out.toString(), "--point", "residual,components", "--attribution"), () -> terminal.err());
        for (String file : new String[] {"resid_post.csv", "resid_post.json", "resid_post-map.svg", "resid_post-map.png", "hand-over.png",
            "difference.csv", "in_x.csv", "y.csv", "gate.csv", "out.csv", "out.attribution.csv", "result.json", "result.safetensors"}) {
            assertTrue(Files.size(out.resolve("tiny-mamba").resolve(file)) > 0, file);
        }
        assertTrue(Files.exists(out.resolve("tiny-neox").resolve("attn_out.csv"))
                && Files.exists(out.resolve("tiny-neox").resolve("mlp_out.csv")));
        assertTrue(Files.exists(out.resolve("resid_post-map.png")) && !Files.exists(out.resolve("y-map.png")),
                "beside each other: what both have");
        List<String> lines = Files.readAllLines(out.resolve("tiny-mamba").resolve("resid_post.csv"));
        assertEquals("position,place,layer,mean,low,high,pairs", lines.get(0));
        JsonNode rows = JSON.readTree(out.resolve("tiny-mamba").resolve("resid_post.json").toFile());
        for (JsonNode row : rows) {
            if (row.get("position").asText().equals("before the subject")) {
                assertEquals("prefix", row.get("place").asText());
            }
            if (row.get("place").asText().equals("last") && row.get("layer").asInt() == 7) {
                assertEquals(1, row.get("mean").asDouble(), 1e-5, "the last layer's last token is the answer");
            }
        }
        assertEquals(lines.size() - 1, rows.size());
        try (Stream<Path> files = Files.list(out.resolve("tiny-mamba"))) {
            assertFalse(files.anyMatch(f -> f.getFileName().toString().startsWith(".")), "no file stays on its way");
        }
    }

    /** Stops itself when the second point begins, after the facts and the first one, as Ctrl-C would then. */
    private static final class Impatient implements Progress {
        private int started;

        @Override
        public void start(String what, String unit, long total) {
            if (++started == 3) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void to(long done) {
        }

        @Override
        public void finish() {
        }
    }

    @Test
    void anInterruptedRunGoesOnAndGivesTheSame() throws IOException {
        Resumed.givesTheSame(dir,
                "{\"experiment\":\"trace\",\"model\":\"tiny-mamba\",\"points\":[\"residual\",\"out\"],\"pairs\":5}", new Impatient(),
                "resid_post.mean", "out.low");
    }

    @Test
    void anInterruptedCommandSaysSoAndNoMore() {
        Thread.currentThread().interrupt();
        assertEquals(130, recall("trace", "--model", "tiny-mamba", "--pairs", "4", "--out", dir.resolve("out").toString()));
        Thread.interrupted();
        assertTrue(terminal.err().startsWith("interrupted") && terminal.err().strip().lines().count() == 1, terminal.err());
        assertFalse(Files.exists(dir.resolve("out").resolve("result.json")));
    }

    @Test
    void blockedPaths() throws IOException {
        Path out = dir.resolve("out");
        assertEquals(0, recall("path-blocking", "--model", "tiny-mamba", "--relation", "place_in_city",
                "--pairs", "4", "--out", out.toString()), () -> terminal.err());
        JsonNode settings = JSON.readTree(out.resolve("result.json").toFile());
        assertTrue(settings.toString().contains("place_in_city"), settings.toString());
        try (Stream<Path> files = Files.list(out)) {
            assertTrue(files.anyMatch(f -> f.toString().endsWith(".svg")));
        }
        assertEquals(2, recall("trace", "--model", "tiny-mamba", "--pairs", "4", "--out", out.toString()));
        assertTrue(terminal.err().contains("--out: ") && terminal.err().contains("--fresh begins anew"), terminal.err());
        assertEquals(0, recall("trace", "--model", "tiny-mamba", "--pairs", "4", "--out", out.toString(), "--fresh"), () -> terminal.err());
        JsonNode files = JSON.readTree(out.resolve("result.json").toFile()).get("files");
        try (Stream<Path> there = Files.list(out)) {
            assertEquals(files.size() + 2, there.count(),
                    "result.json and store beside them; another request's files do not stay beside the new ones: " + files);
        }
    }

    @Test
    void tokensTogether() throws IOException {
        Path out = dir.resolve("out");
        assertEquals(0, recall("trace", "--model", "tiny-mamba", "--pairs", "4", "--together", "--point", "residual,state",
                "--out", out.toString()), () -> terminal.err());
        assertTrue(JSON.readTree(out.resolve("result.json").toFile()).path("settings").path("together").asBoolean());
        assertTrue(Files.exists(out.resolve("hand-over-by-subject-tokens.csv")) && Files.exists(out.resolve("state.csv")));
        assertFalse(Files.exists(out.resolve("state-after-subject.csv")), "which is by single tokens");
        Path blocked = dir.resolve("blocked");
        assertEquals(0, recall("path-blocking", "--model", "tiny-mamba", "--pairs", "4", "--together", "--out", blocked.toString()),
                () -> terminal.err());
        assertTrue(Files.exists(blocked.resolve("recovery-subject.svg")) && Files.exists(blocked.resolve("recovery-prompt-last.svg")));
        assertTrue(Files.readAllLines(blocked.resolve("recovery.csv")).stream()
                .anyMatch(l -> l.startsWith(Position.SUBJECT.label() + ",subject,none,0,")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--relation nope|nope", "--relations missing|missing", "--point resid_pots|did you mean 'resid_post'", "--point attn_out|attn_out",
        "--point logits|logits", "--mode magic|expected corrected or published", "--window 0|--window: 0", "--pairs 0|--pairs: 0",
        "--noise 0|--noise: 0", "--noise 3 --samples 0|--samples: 0", "--samples 5|--samples: only noise is sampled",
        "--reverse --mode published|reverse", "--noise 3 --attribution|attribution", "--together --attribution|attribution",
        "--together --mode published|--together: true with mode published", "--seed x|--seed: 'x', expected a whole number",
        "--threads 0|threads: 0"})
    void badOptionsAreOneSentence(String options, String why) {
        Path out = dir.resolve("out");
        String[] args = Stream.concat(Stream.of("trace", "--model", "tiny-mamba", "--out", out.toString()), Stream.of(options.split(" ")))
                .toArray(String[]::new);
        assertEquals(2, recall(args), terminal.err());
        assertTrue(terminal.err().contains(why), terminal.err());
        assertEquals(1, terminal.err().strip().lines().count(), terminal.err());
        assertFalse(Files.exists(out), "nothing is written");
    }

    @Test
    void twoModelsOfOneNameNeedTwoFolders() {
        assertEquals(2, recall("trace", "--model", "tiny-mamba", "--model", "elsewhere/tiny-mamba", "--out", dir.toString()));
        assertTrue(terminal.err().contains("two models would write to"), terminal.err());
    }
}
