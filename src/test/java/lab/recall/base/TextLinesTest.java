package lab.recall.base;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Lines of files that may be of any length. */
class TextLinesTest {
    @TempDir
    Path dir;

    private List<String> lines(byte[] content, int longest) throws IOException {
        List<String> all = new ArrayList<>();
        try (TextLines lines = new TextLines(Files.write(dir.resolve("f"), content), longest)) {
            for (String line = lines.next(); line != null; line = lines.next()) {
                all.add(line);
                assertEquals(all.size(), lines.number());
            }
        }
        return all;
    }

    @Test
    void linesAreThoseOfJava() throws IOException {
        String[] parts = {"", "a", "é😀", "\n", "\r", "\r\n", "b".repeat(70_000), "c".repeat(65_535)};
        Random random = new Random(1);
        for (int i = 0; i < 300; i++) {
            StringBuilder text = new StringBuilder();
            for (int k = random.nextInt(8); k > 0; k--) {
                text.append(parts[random.nextInt(parts.length)]);
            }
            byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
            assertEquals(Files.readAllLines(Files.write(dir.resolve("f"), bytes)), lines(bytes, 1 << 20));
        }
    }

    @Test
    void aByteOrderMarkIsNoLetter() throws IOException {
        assertEquals(List.of("a\ufeff", "\ufeffb"), lines("\ufeffa\ufeff\n\ufeffb".getBytes(StandardCharsets.UTF_8), 10));
        assertEquals(List.of(), lines("\ufeff".getBytes(StandardCharsets.UTF_8), 10));
    }

    @Test
    void aLineThatDoesNotEndIsRefused() throws IOException {
        Path file = dir.resolve("endless");
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.write("one\n".getBytes(StandardCharsets.UTF_8));
            out.setLength(3L << 30);                            // a sparse file: zeros without an end of line
        }
        try (TextLines lines = new TextLines(file, 1000)) {
            assertEquals("one", lines.next());
            assertEquals(file + ": line 2: longer than the 1000 letters that a line may have",
                    assertThrows(BadData.class, lines::next).getMessage());
        }
    }

    @Test
    void whatIsNoTextIsRefused() {
        assertEquals("cannot be read (not UTF-8 text)",
                assertThrows(BadData.class, () -> lines(new byte[] {'a', '\n', (byte) 0xff}, 10)).reason());
        assertThrows(BadData.class, () -> new TextLines(dir, 10));
        assertThrows(BadData.class, () -> new TextLines(dir.resolve("none"), 10));
    }
}
