package lab.recall.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import lab.recall.base.Failure;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Files of every kind, changed at random: each opens, or is refused in one sentence. A third of the changes are of a single field of what
 * is else a valid file.
 *
 * <p>{@code mvn test -Dtest=FuzzTest -Dfuzz.seed=7 -Dfuzz.mutants=20000} tries others and more. A file that did something else is kept in
 * target/fuzz.
 */
class FuzzTest {
    private static final long SEED = Long.getLong("fuzz.seed", 1);
    private static final int USUAL = 2100;
    private static final int MUTANTS = Integer.getInteger("fuzz.mutants", USUAL);
    private static final int LONGEST_SENTENCE = 2100;
    private static final int MOST_SECONDS = 120;

    private interface Work {
        void run() throws Exception;
    }

    @TempDir
    Path dir;
    private final List<String> faults = new ArrayList<>();
    private final Map<String, int[]> outcomes = new TreeMap<>();

    private final ExecutorService worker = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "fuzz");
        thread.setDaemon(true);
        return thread;
    });

    @Test
    void everyFileOpensOrIsRefusedInOneSentence() throws Exception {
        List<Subject> subjects = Subjects.in(dir);
        quietly(() -> {
            for (Subject s : subjects) {
                assertEquals("", outcome(s, s.good()), s.name() + " as it is");
            }
            for (int i = 0; i < MUTANTS; i++) {
                Subject s = subjects.get(i % subjects.size());
                Random random = new Random(SEED * 1_000_003 + i);
                boolean field = i / subjects.size() % 3 == 0;
                examine(s, s.name(), field ? s.fields().change(s.good(), random) : Mutation.bytes(s.good(), random), i);
            }
        });
        for (Subject s : subjects) {
            assertTrue(outcomes.get(s.name())[1] > 0, s.name() + " was refused at least once");
        }
    }

    /** Each field that a family declares, one after another: see {@link Config#check(String)}. */
    @Test
    void everyFieldOfAConfigurationIsReadHarmlessOrRefused() throws Exception {
        List<Config> configs = Config.all(dir);
        quietly(() -> {
            int number = 0;
            for (int c = 0; c < configs.size(); c++) {
                for (String field : configs.get(c).fields(c, configs.size())) {
                    Subject s = configs.get(c).subject(dir, field);
                    for (int times = 0; times < Math.max(1, MUTANTS / USUAL); times++) {
                        examine(s, "fields of configurations", s.fields().change(s.good(), new Random(SEED * 1_000_003 + number)), number);
                        number++;
                    }
                }
            }
        });
    }

    /** Without the warnings about changed files; then what came out. */
    private void quietly(Work work) throws Exception {
        PrintStream err = System.err;
        System.setErr(new PrintStream(PrintStream.nullOutputStream(), true, StandardCharsets.UTF_8));
        try {
            work.run();
        } finally {
            System.setErr(err);
            worker.shutdownNow();
        }
        outcomes.forEach((name, counts) -> System.out.println(name + ": " + counts[0] + " open, " + counts[1] + " refused"));
        assertEquals("", String.join("\n", faults));
    }

    private void examine(Subject s, String kind, byte[] bad, int number) throws IOException, InterruptedException {
        String said = outcome(s, bad);
        outcomes.computeIfAbsent(kind, n -> new int[2])[said.isEmpty() ? 0 : 1]++;
        if (said.startsWith("!")) {
            Path kept = Path.of("target/fuzz").resolve(SEED + "-" + number + "-" + Path.of(s.file()).getFileName());
            Files.createDirectories(kept.getParent());
            Files.write(kept, bad);
            faults.add(s.name() + ", seed " + SEED + ", number " + number + ", kept as " + kept + ": " + said);
        }
    }

    /** Empty when it opens, the sentence when it is refused; what begins with an exclamation mark is neither. */
    private String outcome(Subject s, byte[] content) throws IOException, InterruptedException {
        Path file = dir.resolve(s.file());
        Files.createDirectories(file.getParent());
        Files.write(file, content);
        Future<?> opening = worker.submit(() -> {
            s.opening().open(file);
            return null;
        });
        try {
            opening.get(MOST_SECONDS, TimeUnit.SECONDS);
            return "";
        } catch (TimeoutException e) {
            return "! does not end";
        } catch (ExecutionException e) {
            return sentence(e.getCause());
        } finally {
            Files.write(file, s.good());                        // which another subject may stand beside
        }
    }

    private static String sentence(Throwable e) {
        if (!(e instanceof Failure)) {
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace));
            return "! " + trace.toString().lines().limit(12).reduce("", (a, b) -> a + "\n    " + b.strip());
        }
        String said = e.getMessage();
        boolean clean = said != null && !said.isBlank() && said.length() <= LONGEST_SENTENCE
                && said.codePoints().noneMatch(c -> Character.isISOControl(c) || c >= 0xd800 && c < 0xe000)
                && !said.contains("Exception") && !said.contains("com.fasterxml") && !said.contains("java.");
        return clean ? said : "! " + said;
    }
}
