package lab.recall.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Archives of NumPy's arrays. */
class NpzTest {
    private static final Path FILES = Path.of("src/test/resources/files");

    @TempDir
    Path dir;

    @ParameterizedTest
    @ValueSource(strings = {"moments.npz", "moments-packed.npz"})
    void whatNumPyWritesIsRead(String name) {
        Map<String, Tensor> all = Npz.read(FILES.resolve(name));
        assertEquals(List.of("constructor", "mom2.constructor", "mom2.count", "mom2.mom2", "sample_size", "nothing"),
                List.copyOf(all.keySet()));
        assertArrayEquals(new long[] {7}, all.get("mom2.count").longs());
        assertArrayEquals(new long[] {3, 3}, all.get("mom2.mom2").shape());
        assertArrayEquals(new float[] {20.759531f, -3.9319103f, 1.9649045f, -3.9319103f, 7.5595646f, -0.2648065f, 1.9649045f, -0.2648065f,
            2.26507f}, all.get("mom2.mom2").floats());
        assertTrue(assertThrows(BadRequest.class, () -> all.get("constructor").floats()).getMessage().contains("<U"));
    }

    private String refused(String header, int bytes) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.ISO_8859_1);
        byte[] array = new byte[10 + text.length + bytes];
        byte[] front = "\u0093NUMPY\1\0".getBytes(StandardCharsets.ISO_8859_1);
        System.arraycopy(front, 0, array, 0, front.length);
        array[8] = (byte) text.length;
        System.arraycopy(text, 0, array, 10, text.length);
        Path file = Files.write(dir.resolve("a.npz"), TorchFiles.zip(Map.of("a.npy", array)));
        BadData said = assertThrows(BadData.class, () -> Npz.read(file));
        assertEquals(file.toString(), said.file());
        return said.reason();
    }

    @Test
    void arraysThatAreNoneAreRefused() throws IOException {
        assertEquals("the array 'a' needs 8 bytes for F32[2] but has 4",
                refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 4));
        assertTrue(refused("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2,), }", 8).contains("which is not read here"));
        assertTrue(refused("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999999999, 999999999999), }", 8)
                .contains("more than any file holds"));
        assertTrue(refused("__import__('os').system('true')", 8).contains("which is not read here"));
        Path file = Files.write(dir.resolve("b.npz"), TorchFiles.zip(Map.of("b.npy", new byte[5])));
        assertEquals(file + ": the array 'b' is none of NumPy", assertThrows(BadData.class, () -> Npz.read(file)).getMessage());
        assertThrows(BadData.class, () -> Npz.read(FILES.resolve("new.bin")));
    }
}
