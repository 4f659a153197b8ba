package lab.recall.base;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
    @TempDir
    Path dir;

    @Test
    void whatAKilledProcessLeftOnItsWayToAFileIsRemoved() throws IOException {
        for (String name : Set.of(".a.json.part-999999999", ".b.json.part-999999999", ".a.json.part-x", "a.json.part-999999999")) {
            Files.writeString(dir.resolve(name), "x");
        }
        AtomicFiles.write(dir.resolve("a.json"), new byte[] {1});
        assertEquals(Set.of("a.json", ".b.json.part-999999999", ".a.json.part-x", "a.json.part-999999999"), Set.of(dir.toFile().list()));
    }

    /** Moved over a device or a pipe, a file would take its place for everybody. */
    @Test
    void onlyFilesAreReplaced() throws IOException {
        String said = assertThrows(BadData.class, () -> AtomicFiles.write(dir, new byte[] {1})).getMessage();
        assertEquals(dir + ": is a folder, expected the name of a file", said);
        Path device = Path.of("/dev/null");
        assumeTrue(Files.exists(device));
        assertThrows(BadData.class, () -> AtomicFiles.requireReplaceable(device));
    }

    @Test
    void aFailureLeavesTheFileAsItWas() throws IOException {
        Path file = Files.writeString(dir.resolve("a.json"), "earlier");
        UncheckedIOException said = assertThrows(UncheckedIOException.class, () -> AtomicFiles.write(file, out -> {
            out.write(1);
            throw new IOException("no space left on device");
        }));
        assertEquals(file + ": cannot be written (no space left on device)", said.getMessage());
        assertEquals("earlier", Files.readString(file));
        assertEquals(Set.of("a.json"), Set.of(dir.toFile().list()));
    }
}
