package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import lab.recall.SystemProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --plan} of commands, and the plan of the whole paper. */
class PlanCommandTest {
    private static final Pattern ALL = Pattern.compile("(?m)^all +(\\d+) +(\\d+) +(\\d+) +(\\S+) +(\\S+)$");

    @TempDir
    Path dir;
    private final Terminal terminal = new Terminal();

    private String before;

    @BeforeEach
    void ownStore() {
        before = SystemProperty.set("recall.store", dir.resolve("user").toString());
    }

    @AfterEach
    void otherStore() {
        SystemProperty.set("recall.store", before);
    }

    /** Pieces, kept ones, rows. */
    private List<Long> all() {
        Matcher all = ALL.matcher(terminal.out());
        assertTrue(all.find(), terminal.out());
        assertTrue(Double.parseDouble(all.group(4)) >= 0 && Double.parseDouble(all.group(5)) >= 0);
        return List.of(Long.parseLong(all.group(1)), Long.parseLong(all.group(2)), Long.parseLong(all.group(3)));
    }

    private void requiresHours(int cores) {
        assertTrue(terminal.out().contains("hours on this machine: "), terminal.out());
        assertTrue(terminal.out().contains("hours on " + cores + " cores like those here: "), terminal.out());
    }

    @Test
    void aCommandSaysWhatItWouldCompute() {
        Path out = dir.resolve("out");
        assertEquals(0, terminal.recall("trace", "--model", "tiny-mamba", "--model", "tiny-neox", "--relation", "landmark_in_country",
                "--pairs", "6", "--out", out.toString(), "--plan", "--cores", "3"), () -> terminal.err());
        assertTrue(all().get(2) > 0);
        requiresHours(3);
        assertTrue(terminal.out().contains("interchange of resid_post"), terminal.out());
        assertFalse(Files.exists(out));
        assertEquals(0, terminal.recall("trace", "--model", "tiny-mamba", "--relation", "landmark_in_country",
                "--pairs", "6", "--out", out.toString()), () -> terminal.err());
        assertEquals(0, terminal.recall("trace", "--model", "tiny-mamba", "--relation", "landmark_in_country",
                "--pairs", "6", "--out", out.toString(), "--plan"), () -> terminal.err());
        assertEquals(0L, all().get(0), "all is kept");
        assertEquals(0L, all().get(2));
    }

    @Test
    void aFileOfRequestsIsOnePlan() throws IOException {
        Path file = dir.resolve("requests.jsonl");
        Files.writeString(file, """
                {"experiment": "path_blocking", "model": "tiny-mamba", "relation": "landmark_in_country", "pairs": 6}
                {"experiment": "jacobian", "model": "tiny-mamba", "prompt": {"ids": [1, 2, 3]}, "layer": 1, "token": 1}
                {"experiment": "knockout", "model": "tiny-mamba", "relation": "landmark_in_country", "facts": 6, "form": "some"}
                {"experiment": "knockout", "model": "tiny-mamba", "relation": "landmark_in_country", "facts": 6, "form": "edges"}
                """);
        assertEquals(2, terminal.recall("run", file.toString(), "--out", dir.resolve("out").toString(), "--plan"));
        assertTrue(terminal.err().contains("line 1: jacobian is not planned: it does not work in pieces alone"), terminal.err());
        assertTrue(terminal.err().contains("line 2: form: 'some'"), terminal.err());
        assertTrue(terminal.out().contains("knock-out, edges") && terminal.out().contains(", out blocked"), terminal.out());
        requiresHours(64);
        assertFalse(Files.exists(dir.resolve("out")));
    }

    @Test
    void badInputIsOneSentence() {
        assertEquals(2, terminal.recall("trace", "--model", "tiny-mamba", "--out", dir.toString(), "--plan", "--cores", "0"));
        assertTrue(terminal.err().startsWith("--cores: 0, expected"), terminal.err());
        assertEquals(2, terminal.recall("trace", "--model", "tiny-mamba", "--out", dir.toString(), "--plan", "--point", "nowhere"));
        assertTrue(terminal.err().startsWith("--point: "), terminal.err());
        assertEquals(2, terminal.recall("plan", "papers", "--model", "mamba-2.8b"));
        assertTrue(terminal.err().startsWith("WHAT: 'papers'"), terminal.err());
        assertEquals(2, terminal.recall("plan", "paper", "--model", "mamba-2.9b"));
        assertTrue(terminal.err().contains("'mamba-2.9b', expected mamba-2.8b or pythia-2.8b, a config.json"), terminal.err());
    }

    @Test
    void thePaperOfAConfiguration() throws IOException {
        Files.writeString(dir.resolve("config.json"), """
                {"model_type": "mamba", "hidden_size": 320, "num_hidden_layers": 5, "vocab_size": 50280, "state_size": 4,
                 "conv_kernel": 4, "intermediate_size": 640, "time_step_rank": 20, "tie_word_embeddings": true}
                """);
        assertEquals(0, terminal.recall("plan", "paper", "--model", dir.toString(), "--cores", "8"), () -> terminal.err());
        requiresHours(8);
        assertTrue(terminal.err().contains("rank-one editing .."), terminal.err());
        assertTrue(terminal.out().contains("second moments of 100000 texts of 500 tokens"), terminal.out());
        assertTrue(Pattern.compile("(?m)^ +editing +" + 63 * 5 * 3 + " ").matcher(terminal.out()).find(), terminal.out());
        assertTrue(Pattern.compile("(?m)^ +interchange of resid_post +30 ").matcher(terminal.out()).find(), terminal.out());
        assertTrue(Pattern.compile("(?m)^ +linear relations\\S* \\S+ +" + 26 * 3 + " ").matcher(terminal.out()).find(), terminal.out());
    }
}
