package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import lab.recall.text.DataFolder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands in processes of their own, as the scripts start them. */
class ColdStartTest {
    private static final String PROMPT = "Novux Bridge is located in the city of";

    @TempDir
    Path dir;

    private record Ended(int code, String out, String err) {
    }

    private Ended run(List<String> command) throws IOException, InterruptedException {
        Path out = dir.resolve("out");
        Path err = dir.resolve("err");
        int code = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile()).start().waitFor();
        return new Ended(code, Files.readString(out), Files.readString(err));
    }

    private Ended recall(List<String> options, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx1g",
                "--add-modules", "jdk.incubator.vector", "-Drecall.home=" + DataFolder.home()));
        if (Runtime.version().feature() >= 24) {
            command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"));
        }
        command.addAll(options);
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        command.addAll(List.of("-cp", classPath, Main.class.getName()));
        command.addAll(List.of(arguments));
        return run(command);
    }

    /** What the scripts give a JVM that somebody waits for, with another file in the archive's place. */
    private List<String> startOptions(Path archive, String thenDo) throws IOException, InterruptedException {
        Path lib = DataFolder.home().resolve("environment/lib.sh");
        Ended said = run(List.of("bash", "-c", "set -eu; . '" + lib + "'; find_java; archive='" + archive + "'; stamp='" + archive
                + ".none'; archive_is > '" + archive + ".stamp'; " + thenDo + "; start_options"));
        assertEquals("", said.err);
        return said.out.lines().toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-neox"})
    void firstWorkGivesTheSameBits(String model) throws Exception {
        String[] asked = {"next", model, PROMPT, "--json", "--top", "800"};
        Ended cold = recall(List.of("-Drecall.cold=true"), asked);
        Ended warm = recall(List.of(), asked);
        assertEquals(0, cold.code, cold.err);
        assertEquals(warm.out, cold.out);
        assertTrue(cold.out.lines().count() > 800, cold.out);
    }

    @Test
    void nextLoadsNoMoreThanItNeeds() throws Exception {
        Path loaded = dir.resolve("loaded.txt");
        Ended next = recall(List.of("-Drecall.cold=true", "-Xlog:class+load:file=" + loaded), "next", "tiny-mamba", PROMPT);
        assertEquals(0, next.code, next.err);
        assertTrue(next.out.contains("Pokburg"), next.out);
        try (Stream<String> lines = Files.lines(loaded)) {
            List<String> others = lines.filter(l -> l.contains(" org.nd4j.") || l.contains(" org.bytedeco.")
                    || l.contains(" tech.tablesaw.api.") || l.contains(" org.knowm.") || l.contains(" lab.recall.math.TileF32")).toList();
            assertEquals(List.of(), others);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 100_000})
    void anArchiveThatDoesNotFitIsPassedOver(int bytes) throws Exception {
        Path archive = Files.write(dir.resolve("classes.jsa"), new byte[bytes]);
        List<String> options = startOptions(archive, ":");
        assertTrue(options.contains("-XX:SharedArchiveFile=" + archive), options.toString());
        Ended version = recall(options, "--version");
        assertEquals(new Ended(0, "RecallLab 0.1.0\n", "WARNING: Using incubator modules: jdk.incubator.vector\n"), version);
    }

    @Test
    void aCutArchiveIsNotHandedOver() throws Exception {
        Path archive = Files.write(dir.resolve("classes.jsa"), new byte[100]);
        List<String> options = startOptions(archive, "printf x > '" + archive + "'");
        assertFalse(options.toString().contains("SharedArchiveFile"), options.toString());
    }
}
