package lab.recall.checkpoint;

import static lab.recall.GgufBytes.little;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import lab.recall.GgufBytes;
import lab.recall.base.BadData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Headers of GGUF files: right ones are read, all others refused with one sentence. */
class GgufFileTest {
    private static final int U8 = 0;
    private static final int I8 = 1;
    private static final int U16 = 2;
    private static final int I16 = 3;
    private static final int BOOL = 7;
    private static final int TEXT = 8;
    private static final int LIST = 9;
    private static final int U64 = 10;
    private static final int I64 = 11;
    private static final int F64 = 12;
    private static final int Q4_0 = 2;

    @TempDir
    Path dir;

    private GgufFile open(byte[] bytes) throws IOException {
        return GgufFile.open(Files.write(dir.resolve("t.gguf"), bytes));
    }

    @ParameterizedTest
    @MethodSource("versions")
    void everyKindOfValueIsRead(int version) throws IOException {
        GgufFile f = open(new GgufBytes().version(version).key("u8", U8, little(1).put((byte) 200)).key("i8", I8, little(1).put((byte) -2))
                .key("u16", U16, little(2).putShort((short) 60_000)).key("i16", I16, little(2).putShort((short) -300))
                .key("u32", -1).key("u64", U64, little(8).putLong(1L << 40)).key("i64", I64, little(8).putLong(-5))
                .key("f32", 1e-5f).key("f64", F64, little(8).putDouble(Math.PI)).key("yes", true).key("text", "a 日本 b")
                .key("texts", List.of("x", "", "日")).key("wholes", new int[] {3, -1})
                .key("lists", LIST, little(12 + 12 + 2).putInt(LIST).putLong(1).putInt(U8).putLong(2).putShort((short) 0))
                .floats("m", new float[] {1, 2, 3, 4, 5, 6}, 3, 2).bytes());
        assertEquals(Optional.of(200L), f.whole("u8"));
        assertEquals(Optional.of(-2L), f.whole("i8"));
        assertEquals(Optional.of(60_000L), f.whole("u16"));
        assertEquals(Optional.of(-300L), f.whole("i16"));
        assertEquals(Optional.of(4_294_967_295L), f.whole("u32"));
        assertEquals(Optional.of(1L << 40), f.whole("u64"));
        assertEquals(Optional.of(-5L), f.whole("i64"));
        assertEquals(Optional.of(1e-5), f.number("f32"), "as it was written before it was rounded to f32");
        assertEquals(Optional.of(Math.PI), f.number("f64"));
        assertEquals(Optional.of(true), f.flag("yes"));
        assertEquals(Optional.of("a 日本 b"), f.text("text"));
        assertEquals(Optional.of(List.of("x", "", "日")), f.texts("texts"));
        assertArrayEquals(new long[] {3, -1}, f.wholes("wholes").orElseThrow());
        assertEquals(Optional.empty(), f.text("none"));
        assertEquals(14, f.keys().size());
        assertArrayEquals(new long[] {2, 3}, f.tensor("m").shape(), "outermost first");
        assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, f.tensor("m").floats());
        for (String key : List.of("text", "wholes", "yes", "f32")) {
            assertTrue(assertThrows(BadData.class, () -> f.whole(key)).getMessage().contains("'" + key + "'"), key);
        }
        assertThrows(BadData.class, () -> f.texts("wholes"));
        assertThrows(BadData.class, () -> f.wholes("texts"));
        assertTrue(assertThrows(BadData.class, () -> f.tensor("other")).getMessage().contains("'other' is missing"));
    }

    static List<Integer> versions() {
        return List.of(2, 3);
    }

    @Test
    void aHeaderLongerThanTheWindowIsRead() throws IOException {
        String[] words = new String[30_000];
        Arrays.setAll(words, i -> "word " + i);
        String longest = "x".repeat(200_000);
        GgufFile f = open(new GgufBytes().key("long", longest).key("words", List.of(words)).key("after", 7)
                .floats("m", new float[] {8}, 1).bytes());
        assertEquals(longest, f.text("long").orElseThrow());
        assertEquals(List.of(words), f.texts("words").orElseThrow());
        assertEquals(Optional.of(7L), f.whole("after"));
        assertArrayEquals(new float[] {8}, f.tensor("m").floats());
    }

    @Test
    void theAlignmentIsTheFiles() throws IOException {
        byte[] bytes = new GgufBytes().key("general.alignment", 64).tensor("a", 0, 64, 1).bytes();
        byte[] padded = Arrays.copyOf(bytes, (bytes.length + 63) / 64 * 64 + 68);
        little(4).putFloat(9).flip().get(padded, padded.length - 4, 4);
        assertArrayEquals(new float[] {9}, open(padded).tensor("a").floats());
    }

    static Stream<Arguments> lies() {
        byte[] block = new byte[64];
        return Stream.of(
                Arguments.of("magic", "does not begin with GGUF", "{}".getBytes(StandardCharsets.UTF_8)),
                Arguments.of("empty", "does not begin with GGUF", new byte[0]),
                Arguments.of("version 1", "version 1; 2 and 3", new GgufBytes().version(1).bytes()),
                Arguments.of("version 4", "version 4", new GgufBytes().version(4).bytes()),
                Arguments.of("big-endian", "big-endian", new GgufBytes().version(0x03000000).bytes()),
                Arguments.of("many keys", "count of keys is 1000000", new GgufBytes().counts(0, 1_000_000).bytes()),
                Arguments.of("many tensors", "count of tensors is 9223372036854775807", new GgufBytes().counts(Long.MAX_VALUE, 0).bytes()),
                Arguments.of("negative count", "18446744073709551615", new GgufBytes().counts(-1, 0).bytes()),
                Arguments.of("fewer keys", "the name of key 1 is empty", new GgufBytes().key("a", 1).counts(0, 3).bytes()),
                Arguments.of("key twice", "two keys are named 'a'", new GgufBytes().key("a", 1).key("a", 2).bytes()),
                Arguments.of("empty key", "key 0 is empty", new GgufBytes().key("", 1).bytes()),
                Arguments.of("type of value", "has the type 13", new GgufBytes().key("a", 13, little(64)).bytes()),
                Arguments.of("bool", "the byte 2", new GgufBytes().key("a", BOOL, little(64).put((byte) 2)).bytes()),
                Arguments.of("long text", "ends within", new GgufBytes().key("a", TEXT, little(8).putLong(1L << 50)).bytes()),
                Arguments.of("long list", "has 1099511627776 items", new GgufBytes().key("a", LIST,
                        little(12).putInt(U64).putLong(1L << 40)).bytes()),
                Arguments.of("long list of texts", "has 1099511627776 items", new GgufBytes().key("a", LIST,
                        little(12).putInt(TEXT).putLong(1L << 40)).bytes()),
                Arguments.of("deep list", "a list in lists", new GgufBytes().key("a", LIST, deep(20)).bytes()),
                Arguments.of("alignment 0", "general.alignment is 0", new GgufBytes().key("general.alignment", 0).bytes()),
                Arguments.of("alignment 24", "general.alignment is 24", new GgufBytes().key("general.alignment", 24).bytes()),
                Arguments.of("alignment text", "'general.alignment' is of the type TEXT",
                        new GgufBytes().key("general.alignment", "32").bytes()),
                Arguments.of("sizes", "has 5 sizes", new GgufBytes().tensor("a", 0, 0, 1, 1, 1, 1, 1).data(block).bytes()),
                Arguments.of("size", "more than any file holds", new GgufBytes().tensor("a", 0, 0, -1).data(block).bytes()),
                Arguments.of("product", "more than any file holds",
                        new GgufBytes().tensor("a", 0, 0, 1L << 40, 1L << 40).data(block).bytes()),
                Arguments.of("unknown type", "of the type number 99; known are F32",
                        new GgufBytes().tensor("a", 99, 0, 32).data(block).bytes()),
                Arguments.of("another type", "of the type IQ2_XXS; known", new GgufBytes().tensor("a", 16, 0, 256).data(block).bytes()),
                Arguments.of("row", "rows of 33 numbers, Q4_0 needs a multiple of 32",
                        new GgufBytes().tensor("a", Q4_0, 0, 33).data(block).bytes()),
                Arguments.of("offset", "multiple of the alignment 32", new GgufBytes().tensor("a", 0, 8, 1).data(block).bytes()),
                Arguments.of("beyond", "needs 68 bytes from 0 on; the data section is 64",
                        new GgufBytes().tensor("a", 0, 0, 17).data(block).bytes()),
                Arguments.of("far beyond", "the data section is 64", new GgufBytes().tensor("a", 0, 1L << 62, 1).data(block).bytes()),
                Arguments.of("no data", "needs 4 bytes from 0 on", new GgufBytes().tensor("a", 0, 0, 1).bytes()),
                Arguments.of("overlap", "the data of 'a' and 'b' overlap",
                        new GgufBytes().tensor("a", 0, 0, 16).tensor("b", 0, 32, 1).data(block).bytes()),
                Arguments.of("tensor twice", "two tensors are named 'a'",
                        new GgufBytes().tensor("a", 0, 0, 1).tensor("a", 0, 32, 1).data(block).bytes()));
    }

    private static ByteBuffer deep(int levels) {
        ByteBuffer b = little(12 * levels);
        for (int i = 0; i < levels; i++) {
            b.putInt(LIST).putLong(1);
        }
        return b;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("lies")
    void aHeaderThatLiesIsRefused(String what, String why, byte[] bytes) {
        String message = assertThrows(BadData.class, () -> open(bytes), what).getMessage();
        assertTrue(message.contains(why) && message.contains("t.gguf") && !message.contains("\n"), message);
    }

    @Test
    void namesAreUtf8Text() throws IOException {
        byte[] bytes = new GgufBytes().key("a", "b").bytes();
        bytes[4 + 4 + 16 + 8] = (byte) 0xff;
        assertTrue(assertThrows(BadData.class, () -> open(bytes)).getMessage().contains("the name of key 0 is not UTF-8"));
        byte[] value = new GgufBytes().key("a", TEXT, little(9).putLong(1).put((byte) 0xff)).bytes();
        GgufFile f = open(value);
        assertTrue(assertThrows(BadData.class, () -> f.text("a")).getMessage().contains("'a' is not UTF-8"));
    }

    @Test
    void aLongNameIsCutAndStaysInOneLine() throws IOException {
        String name = "line\n" + "x".repeat(500);
        String message = assertThrows(BadData.class, () -> open(new GgufBytes().tensor(name, 99, 0, 1).bytes())).getMessage();
        assertFalse(message.contains("\n"), message);
        assertFalse(message.contains("x".repeat(100)), message);
    }

    /** The sizes of what is kept do not follow from what a header says. */
    @Test
    void truncatedAndDamagedFilesAreReadOrRefusedButNeverWorse() throws IOException {
        byte[] good = new GgufBytes().key("general.architecture", "mamba").key("list", List.of("a", "b")).key("n", new int[] {1, 2})
                .key("x", 1.5f).tensor("q", Q4_0, 0, 32, 2).data(new byte[64]).floats("m", new float[16], 4, 4).bytes();
        for (int i = 0; i < good.length; i++) {
            byte[] cut = Arrays.copyOf(good, i);
            assertThrows(BadData.class, () -> open(cut), "cut at " + i);
        }
        Random random = new Random(3);
        int refused = 0;
        for (int i = 0; i < 3000; i++) {
            byte[] bad = good.clone();
            for (int k = 0; k <= i % 3; k++) {
                bad[random.nextInt(bad.length - 128)] = (byte) random.nextInt();
            }
            try {
                open(bad).tensors().values().forEach(Tensor::floats);
            } catch (BadData e) {
                assertFalse(e.getMessage().contains("\n"), e.getMessage());
                refused++;
            }
        }
        assertTrue(refused > 1000, refused + " refused");
    }
}
