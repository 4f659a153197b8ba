package lab.recall;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import lab.recall.model.mamba.MambaSizes;
import lab.recall.model.neox.NeoXSizes;
import lab.recall.text.DataFolder;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kernels leave nothing on the heap, for any lanes and threads: vectors that are put there make them ten times slower. */
class AllocationTest {
    private static final Pattern VECTORS = Pattern.compile("import jdk\\.incubator\\.vector");

    @TempDir
    static Path dir;

    /** Four layers of a mamba-130m's shape and of a pythia-160m's. */
    @BeforeAll
    static void models() {
        Path tokenizer = DataFolder.find("models/tiny-mamba/tokenizer.json");
        new MambaSizes(768, 4, 16).fresh(50_280, 1).write(dir.resolve("mamba"), tokenizer);
        new NeoXSizes(768, 4, 12).fresh(50_304, 1).write(dir.resolve("neox"), tokenizer);
    }

    @ParameterizedTest(name = "lanes {0}")
    @ValueSource(strings = {"native", "-XX:UseAVX=2", "-XX:MaxVectorSize=16"})
    void nothingIsLeftOnTheHeap(String lanes) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(options());
        if (!lanes.equals("native")) {
            command.add(lanes);
        }
        command.addAll(List.of("-Xbatch", "-cp", System.getProperty("java.class.path"), Allocations.class.getName()));
        command.addAll(List.of(dir.resolve("mamba").toString(), dir.resolve("neox").toString()));
        List<String> printed = lines(command);
        List<String[]> measured = printed.stream().filter(line -> line.contains("\t")).map(line -> line.split("\t")).toList();
        List<String> tooMany = measured.stream().filter(m -> Long.parseLong(m[1]) > Long.parseLong(m[2]))
                .map(m -> m[0] + ": " + m[1] + " bytes, expected at most " + m[2]).toList();
        assertTrue(tooMany.isEmpty(), () -> String.join(System.lineSeparator(), tooMany) + System.lineSeparator()
                + String.join(System.lineSeparator(), printed.stream().filter(line -> line.startsWith("  ")).toList()));
        TreeSet<String> missing = new TreeSet<>(vectorClasses());
        measured.forEach(m -> missing.remove(m[0].split("[ .,]")[0]));
        assertEquals(List.of("VectorMath"), List.copyOf(missing), "which all the others use");
    }

    /** Those that the scripts give to every JVM. */
    private static List<String> options() throws IOException, InterruptedException {
        return lines(List.of("bash", "-c", ". environment/lib.sh; jvm_options"));
    }

    private static List<String> lines(List<String> command) throws IOException, InterruptedException {
        ProcessBuilder b = new ProcessBuilder(command).directory(DataFolder.home().toFile()).redirectError(dir.resolve("errors").toFile());
        b.environment().put("JAVA_HOME", System.getProperty("java.home"));
        b.environment().put("HEAP", "2g");
        Process p = b.start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, p.waitFor(), Files.readString(dir.resolve("errors")));
        return out.lines().toList();
    }

    /** Classes of kernels on vectors, the generated ones among them. */
    private static List<String> vectorClasses() throws IOException {
        List<String> names = new ArrayList<>();
        for (String root : List.of("src/main/java", "target/generated-sources/tiles")) {
            try (Stream<Path> files = Files.list(DataFolder.home().resolve(root).resolve("lab/recall/math"))) {
                for (Path f : files.toList()) {
                    if (VECTORS.matcher(Files.readString(f)).find()) {
                        names.add(f.getFileName().toString().replace(".java", ""));
                    }
                }
            }
        }
        return names;
    }
}
