package lab.recall.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What sources must not say, because the compilers then put vectors on the heap: seldom, on some machines, ten times slower. */
class VectorSourcesTest {
    private static final Pattern SECOND_SHAPE = Pattern.compile(
            "SPECIES_(64|128|256|512|MAX)|VectorShape|VectorSpecies\\s*\\.\\s*of\\b");
    /** In a method's parameters, or as what it gives. */
    private static final Pattern PASSED = Pattern.compile(
            "(static|private|public) [^=;{}()]*\\b(\\w+Vector|VectorMask<\\w+>) \\w+\\(|[(,]\\s*(final )?\\w+Vector \\w+\\s*[,)]");

    /** A second shape of one element type makes Java 17 put the vectors of all kernels on the heap. */
    @ParameterizedTest
    @ValueSource(strings = {"src/main", "src/jmh"})
    void usePreferredShapeAlone(String root) throws IOException {
        assertTrue(sources(root).stream().anyMatch(f -> text(f).contains("SPECIES_PREFERRED")), root + " was read");
        assertEquals(List.of(), sources(root).stream().filter(f -> SECOND_SHAPE.matcher(text(f)).find()).toList());
    }

    /** A method that is not inlined gets its vectors from the heap. Masks that are made once, as a class is loaded, may pass. */
    @ParameterizedTest
    @ValueSource(strings = {"src/main", "src/jmh"})
    void passNoVectorToAMethod(String root) throws IOException {
        assertEquals(List.of("Tiles.java", "Transpose.java").subList(0, root.equals("src/main") ? 2 : 0),
                sources(root).stream().filter(f -> PASSED.matcher(text(f)).find()).map(f -> f.getFileName().toString()).sorted().toList());
    }

    @Test
    void thatRuleFindsWhatItIsFor() {
        assertTrue(PASSED.matcher("    private static FloatVector rate(float[] a, int at) {").find());
        assertTrue(PASSED.matcher("    static float[] store(float[] a, FloatVector v) {").find());
    }

    private static List<Path> sources(String root) throws IOException {
        try (Stream<Path> files = Files.walk(Path.of(root))) {
            return files.filter(f -> f.toString().endsWith(".java")).toList();
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
