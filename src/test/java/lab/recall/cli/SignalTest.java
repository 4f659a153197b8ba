package lab.recall.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import lab.recall.text.DataFolder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code environment/recall} in processes of its own, asked to end as by {@code kill} and by Ctrl-C in a terminal. */
class SignalTest {
    @TempDir
    Path dir;

    /** The scripts beside classes that are built already: those of this test. */
    @BeforeEach
    void makeProject() throws IOException, InterruptedException {
        assumeTrue(new ProcessBuilder("setsid", "env", "--default-signal=INT", "true").redirectErrorStream(true)
                .redirectOutput(dir.resolve("tools").toFile()).start().waitFor() == 0, "this machine lacks setsid or env --default-signal");
        Path project = dir.resolve("project");
        for (String file : List.of("recall", "lib.sh")) {
            Files.createDirectories(project.resolve("environment"));
            Files.copy(DataFolder.home().resolve("environment").resolve(file), project.resolve("environment").resolve(file));
        }
        Files.createSymbolicLink(project.resolve("data"), DataFolder.home().resolve("data"));
        Path target = Files.createDirectory(project.resolve("target"));
        Files.writeString(target.resolve("built-by-java"), Runtime.version().feature() + "\n");
        Files.writeString(target.resolve("classpath.txt"),
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    }

    /** The folder's own end would warn of a link that leads out of it. */
    @AfterEach
    void removeLink() throws IOException {
        Files.deleteIfExists(dir.resolve("project/data"));
    }

    /** A trace of many pieces, in a process group of its own as behind a terminal. */
    private Process trace() throws IOException {
        ProcessBuilder b = new ProcessBuilder("setsid", "env", "--default-signal=INT", "bash",
                dir.resolve("project/environment/recall").toString(), "trace", "--model", "tiny-mamba", "--point", "residual,components",
                "--pairs", "66", "--threads", "1", "--out", dir.resolve("out").toString())
                .redirectOutput(dir.resolve("stdout").toFile()).redirectError(dir.resolve("stderr").toFile());
        b.environment().put("JAVA_HOME", System.getProperty("java.home"));
        b.environment().put("RECALL_STORE", dir.resolve("store").toString());
        b.environment().put("HEAP", "1g");
        return b.start();
    }

    /** Pieces of the command's own that are kept; of names alone, for others come and go. */
    private long kept() {
        File[] folders = dir.resolve("out/store").toFile().listFiles((folder, name) -> name.matches("[0-9a-f]{2}"));
        return folders == null ? 0 : Arrays.stream(folders).mapToLong(
                f -> Arrays.stream(f.list()).filter(name -> name.matches("[0-9a-f]{64}\\.json")).count()).sum();
    }

    private String told(String stream) throws IOException {
        return Files.readString(dir.resolve(stream));
    }

    private interface Signal {
        void to(Process process) throws IOException, InterruptedException;
    }

    /** Stops a trace within a piece, after others; it goes on and ends as one that nobody stopped. */
    private void stopped(Signal signal, int code, String word) throws IOException, InterruptedException {
        Process first = trace();
        while (first.isAlive() && kept() == 0) {
            Thread.sleep(10);
        }
        Thread.sleep(50);                                       // within the next piece
        List<ProcessHandle> processes = first.descendants().toList();
        long before = kept();
        assertTrue(first.isAlive() && processes.size() >= 2, () -> "Java and what filters its first line: " + processes);
        signal.to(first);
        assertEquals(code, first.waitFor());
        assertEquals(word + "; the same command goes on where it stopped\n", told("stderr"));
        assertEquals("", told("stdout"));
        processes.forEach(p -> assertFalse(p.isAlive(), () -> p.info().commandLine().orElse("a process") + " is left"));
        long after = kept();
        assertTrue(code == 130 || after > before, () -> "the piece at work is kept: " + before + ", " + after);
        assertFalse(Files.exists(dir.resolve("out/result.json")));
        assertEquals(0, trace().waitFor(), () -> "the same command");
        assertTrue(told("stdout").contains(after + " finished pieces of an earlier run were taken from "), told("stdout"));
        assertEquals("", told("stderr"));
    }

    @Test
    void aSignalToTheScriptEndsItAfterThePieceAtWork() throws IOException, InterruptedException {
        stopped(Process::destroy, 143, "ended");
    }

    @Test
    void controlCStopsAtOnceAndKeepsWhatIsDone() throws IOException, InterruptedException {
        stopped(p -> assertEquals(0, new ProcessBuilder("kill", "-INT", "--", "-" + p.pid()).inheritIO().start().waitFor()),
                130, "interrupted");
    }
}
