package lab.recall.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import lab.recall.GgufBytes;
import lab.recall.Golden;
import lab.recall.base.BadRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Numbers of every format against those of the Python package gguf; see gguf/README.md. */
class GgufBlocksTest {
    private final GgufFile file = GgufFile.open(Golden.gguf("blocks.gguf"));
    private final Map<String, Tensor> expected = SafeTensors.read(Golden.gguf("blocks.safetensors"));

    @ParameterizedTest
    @EnumSource(value = GgufType.class, names = "I\\d+", mode = Mode.MATCH_NONE)
    void everyNumberIsTheSameBits(GgufType type) {
        Tensor t = file.tensor(type.name());
        assertArrayEquals(new long[] {2, 256}, t.shape());
        assertArrayEquals(expected.get(type.name()).floats(), t.floats(), type.name());
    }

    /** Wherever a part begins and ends, in a block or between two. */
    @ParameterizedTest
    @EnumSource(value = GgufType.class, names = {"Q4_0", "Q6_K", "F16"})
    void aPartIsThatOfTheWhole(GgufType type) {
        Tensor t = file.tensor(type.name());
        float[] all = t.floats();
        for (int from = 0; from < all.length; from += 13) {
            for (int to : new int[] {from, from + 1, (from + all.length) / 2, all.length}) {
                float[] part = new float[to - from + 1];
                t.read(from, part, 1, to - from);
                assertArrayEquals(Arrays.copyOfRange(all, from, to), Arrays.copyOfRange(part, 1, part.length), from + " to " + to);
            }
        }
    }

    /** Longer than what is decoded at once, and mapped in chunks. */
    @Test
    void manyBlocksAreDecodedInTurn(@TempDir Path dir) throws IOException {
        int rows = 300;
        int width = 32 * 1024;
        byte[] block = new byte[18];
        block[1] = 0x3c;                        // the half 1.0
        GgufBytes bytes = new GgufBytes().tensor("q", 2, 0, width, rows);
        byte[] row = new byte[width / 32 * 18];
        for (int r = 0; r < rows; r++) {
            for (int b = 0; b < width / 32; b++) {
                Arrays.fill(block, 2, 18, (byte) ((b + r) % 16 * 17));
                System.arraycopy(block, 0, row, b * 18, 18);
            }
            bytes.data(row);
        }
        Tensor q = GgufFile.open(Files.write(dir.resolve("long.gguf"), bytes.bytes())).tensor("q");
        float[] some = new float[width];
        for (int r : new int[] {0, 1, 150, 299}) {
            q.read((long) r * width, some, 0, width);
            for (int i = 0; i < width; i++) {
                assertEquals((i / 32 + r) % 16 - 8, some[i], r + ", " + i);
            }
        }
        assertEquals(rows * width, q.floats().length);
    }

    @Test
    void everyFormatThatIsReadHasItsNumber() {
        Set<String> known = new TreeSet<>(List.of("F32", "F16", "BF16", "F64", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K",
                "Q4_K", "Q5_K", "Q6_K", "IQ4_NL"));
        assertEquals(known, file.tensors().keySet().stream().collect(Collectors.toCollection(TreeSet::new)));
        assertEquals("IQ4_XS", GgufType.name(23));
        assertEquals("Q4_K", GgufType.name(12));
        assertTrue(GgufType.of(4).isEmpty(), "a format that llama.cpp gave up");
    }

    @Test
    void viewsOfATensor() {
        Tensor t = Tensor.of("t", new float[] {1, 2, 3, 4, 5, 6}, 3, 2);
        assertArrayEquals(new float[] {5, 6, 1, 2, 3, 4}, t.rows(new int[] {2, 0, 1}).floats());
        assertArrayEquals(new float[] {2, 3}, Arrays.copyOfRange(part(t.rows(new int[] {2, 0, 1}), 3, 2), 0, 2));
        assertArrayEquals(new long[] {2, 1, 3}, t.shaped(2, 1, 3).shape());
        assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, t.shaped(6).floats());
        assertArrayEquals(new float[] {1, 4, 9, 16, 25, 36}, t.mapped(x -> x * x).floats());
        assertArrayEquals(new float[] {9, 16}, part(t.mapped(x -> x * x), 2, 2));
        assertEquals(DType.F32, Tensor.of("d", new double[] {1}, 1).mapped(x -> x).dtype());
        assertThrows(BadRequest.class, () -> t.shaped(7));
        assertThrows(BadRequest.class, () -> t.rows(new int[] {0, 1}));
    }

    private static float[] part(Tensor t, int from, int count) {
        float[] some = new float[count];
        t.read(from, some, 0, count);
        return some;
    }
}
