package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import lab.recall.checkpoint.SafeTensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands train and world, from options to files. */
class TrainCommandTest {
    private static final String CONFIG = """
            {"seed": 3, "world": {"seed": 5, "names": "grid"}, "vocabulary": 400, \
            "model": {"family": "mamba", "width": 16, "layers": 2, "states": 4},
             "corpus": {"seed": 1, "rows": 6, "tokens": 64, "before": 0.2, "behind": 0.1, "binding": 0.2, "lists": 0.2, \
            "word_dropout": 0.05,
                        "object_weight": 4, "dropped": 0.2},
             "optimizer": {"lr": 0.004, "final": 0.05, "warm_up": 2, "beta1": 0.9, "beta2": 0.98, "eps": 1e-8, \
            "weight_decay": 0.05, "clip": 1},
             "steps": 60, "evaluate_every": 30, "checkpoint_every": 4}
            """;

    @TempDir
    Path dir;
    private final Terminal terminal = new Terminal();

    /**
     * A training that is killed twice as the system kills it, in a process of its own and later than its first checkpoint, and started
     * again.
     */
    @Test
    void aKilledTrainingGoesOnAndGivesTheSame() throws IOException, InterruptedException {
        Path config = Files.writeString(dir.resolve("c.json"), CONFIG);
        assertEquals(0, terminal.recall("train", config.toString(), "--out", dir.resolve("whole").toString()), terminal::err);
        assertTrue(terminal.out().contains("step 30 of 60  loss ") && terminal.out().contains("s left"), terminal.out());
        Path out = dir.resolve("killed");
        killed(config, out, 8);
        killed(config, out, 16);
        assertEquals(0, terminal.recall("next", out.toString(), "People in"), terminal::err);
        assertEquals(0, terminal.recall("train", config.toString(), "--out", out.toString(), "--threads", "1"), terminal::err);
        assertTrue(terminal.out().contains("going on after step "), terminal.out());
        assertArrayEquals(Files.readAllBytes(dir.resolve("whole").resolve("model.safetensors")),
                Files.readAllBytes(out.resolve("model.safetensors")));
        assertFalse(Files.exists(out.resolve("state.safetensors")));
        assertEquals(0, terminal.recall("next", out.toString(), "People in"), terminal::err);
    }

    /** Ctrl-C costs no step, however far the next checkpoint is. */
    @Test
    void anInterruptedTrainingKeepsTheStepAtWork() throws IOException, InterruptedException {
        Path config = Files.writeString(dir.resolve("c.json"),
                CONFIG.replace("\"steps\": 60", "\"steps\": 100000").replace("\"checkpoint_every\": 4", "\"checkpoint_every\": 100000"));
        Path out = dir.resolve("stopped");
        Process p = start(config, out);
        while (p.isAlive() && !log().contains("step 30 of")) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
        p.destroy();                                        // as Ctrl-C: the virtual machine shuts down in order
        p.waitFor();
        Matcher said = Pattern.compile("interrupted after step (\\d+); the same call goes on there").matcher(log());
        assertTrue(said.find(), this::log);
        long step = SafeTensors.read(out.resolve("state.safetensors")).get("step").longs()[0];
        assertEquals(Long.parseLong(said.group(1)), step);
        assertTrue(step >= 30, this::log);
    }

    /** Trains in a process of its own and kills it when the state of that step is there. */
    private void killed(Path config, Path out, int step) throws IOException, InterruptedException {
        Process p = start(config, out);
        Path state = out.resolve("state.safetensors");
        while (p.isAlive() && (!Files.exists(state) || SafeTensors.read(state).get("step").longs()[0] < step)) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
        p.destroyForcibly();
        p.waitFor();
        assertTrue(Files.exists(state), () -> "killed too late or never begun: " + log());
    }

    private Process start(Path config, Path out) throws IOException {
        List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElse("java")));
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(a -> a.startsWith("--add") || a.startsWith("-D")).forEach(command::add);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(),
                "train", config.toString(), "--out", out.toString()));
        return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(dir.resolve("process.log").toFile()).start();
    }

    private String log() {
        try {
            return Files.readString(dir.resolve("process.log"));
        } catch (IOException e) {
            return e.getMessage();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"steps\": 60|\"steps\": 0|steps: 0, expected a whole number from 1",
        "\"lr\": 0.004|\"lr\": -1|optimizer.lr: -1",
        "\"beta1\": 0.9|\"beta1\": 1.0|optimizer.beta1: 1.0, expected a number from 0 to below 1",
        "\"beta2\": 0.98|\"beta2\": 1.5|optimizer.beta2: 1.5, expected a number from 0 to below 1",
        "\"eps\": 1e-8|\"eps\": 0|optimizer.eps: 0.0, expected a number above 0",
        "\"eps\": 1e-8|\"eps\": 1e-60|optimizer.eps: 1.0E-60, expected a number above 0",
        "\"word_dropout\": 0.05|\"word_dropout\": 1.2|corpus.word_dropout: 1.2, expected a number from 0 to 1",
        "\"tokens\": 64, \"before\": 0.2, \"behind\": 0.1, \"binding\": 0.2, \"lists\": 0.2"
                + "|\"tokens\": 16, \"before\": 0, \"behind\": 0, \"binding\": 0, \"lists\": 1"
                + "|corpus.tokens: 16, too few for a list",
        "\"family\": \"mamba\"|\"family\": \"rnn\"|model.family: 'rnn', expected ",
        "\"names\": \"grid\"|\"names\": \"odd\"|world.names: 'odd', expected grid or unique",
        "\"names\": \"grid\"|\"nams\": \"grid\"|world.nams: unknown field; known here are folder, invented, names, seed. "
                + "Did you mean 'names'?",
        "\"seed\": 3|\"sead\": 3|sead: unknown field; known here are",
        "\"warm_up\": 2|\"warm_up\": 2000|optimizer.warm_up: 2000, expected at most the",
        "\"steps\": 60,|\"steps\": 60|to separate Object entries, line 5)",
        "\"binding\": 0.2|\"binding\": 0.8|their sum is above 1",
        "\"vocabulary\": 400|\"vocabulary\": 50|vocabulary: 50, expected at least",
        "\"world\": {\"seed\": 5, \"names\": \"grid\"}|\"world\": {\"folder\": \"/nope\"}|/nope: no such folder of relations"
    })
    void badConfigurationsAreRefusedInOneSentence(String good, String bad, String said) throws IOException {
        assertTrue(CONFIG.contains(good));
        Path config = Files.writeString(dir.resolve("bad.json"), CONFIG.replace(good, bad));
        assertEquals(2, terminal.recall("train", config.toString(), "--out", dir.resolve("out").toString()));
        assertTrue(terminal.err().contains(said) && terminal.err().strip().lines().count() == 1, terminal.err());
        assertFalse(Files.exists(dir.resolve("out")), "nothing is written");
    }

    @Test
    void rowsOfATransformerAreNoLongerThanItsPositions() throws IOException {
        Path config = Files.writeString(dir.resolve("bad.json"), CONFIG.replace("\"tokens\": 64", "\"tokens\": 513")
                .replace("\"family\": \"mamba\"", "\"family\": \"gpt_neox\"").replace("\"states\"", "\"heads\""));
        assertEquals(2, terminal.recall("train", config.toString(), "--out", dir.resolve("out").toString()));
        assertTrue(terminal.err().contains("corpus.tokens: 513, expected at most 512"), terminal.err());
    }

    @Test
    void sentencesAboutTwoSubjectsNeedTwo() throws IOException {
        Path world = Files.createDirectory(dir.resolve("world"));
        Files.writeString(world.resolve("r.json"), "{\"prompt_templates\": [\"{} is in\", \"I saw {} in\"], "
                + "\"samples\": [{\"subject\": \"A\", \"object\": \"B\"}]}");
        String text = CONFIG.replace("{\"seed\": 5, \"names\": \"grid\"}", "{\"folder\": \"" + world + "\"}");
        assertEquals(2, terminal.recall("train", Files.writeString(dir.resolve("one.json"), text).toString(),
                "--out", dir.resolve("out").toString()));
        assertTrue(terminal.err().contains("corpus.binding: 0.2, expected 0: the world has one subject"), terminal.err());
        assertFalse(Files.exists(dir.resolve("out")));
    }

    @Test
    void badFilesAndOptions() {
        assertEquals(2, terminal.recall("train", dir.resolve("none.json").toString(), "--out", dir.toString()));
        assertTrue(terminal.err().contains("none.json: no such file"), terminal.err());
        assertEquals(2, terminal.recall("world", "--seed", "1", "--names", "x", "--out", dir.toString()));
        assertEquals(2, terminal.recall("world", "--seed", "1"));
        for (String seed : new String[] {"-1", "2147483648"}) {
            assertEquals(2, terminal.recall("world", "--seed=" + seed, "--out", dir.resolve("w").toString()));
            assertTrue(terminal.err().contains("--seed: " + seed + ", expected a whole number from 0 to 2147483647"), terminal.err());
        }
        assertEquals(2, terminal.recall("world", "--seed", "1", "--edits=-1", "--out", dir.resolve("w").toString()));
        assertTrue(terminal.err().contains("--edits: -1, expected a whole number of at least 1"), terminal.err());
        assertFalse(Files.exists(dir.resolve("w")));
    }

    @Test
    void aWorldWithRequestsForEdits() throws IOException {
        assertEquals(0, terminal.recall("world", "--seed", "9", "--out", dir.toString()), terminal::err);
        JsonNode edits = new ObjectMapper().readTree(dir.resolve("edits").resolve("requests.json").toFile());
        assertEquals(100, edits.size());
        for (JsonNode e : edits) {
            JsonNode rewrite = e.get("requested_rewrite");
            assertFalse(rewrite.at("/target_new/str").equals(rewrite.at("/target_true/str")));
            assertTrue(rewrite.get("prompt").asText().contains("{}")
                    && e.get("paraphrase_prompts").size() == 2 && e.get("neighborhood_prompts").size() >= 2);
            e.get("neighborhood_prompts").forEach(n -> assertFalse(n.asText().contains(rewrite.get("subject").asText()), n.asText()));
            e.get("paraphrase_prompts").forEach(n -> assertTrue(n.asText().contains(rewrite.get("subject").asText()), n.asText()));
        }
    }
}
