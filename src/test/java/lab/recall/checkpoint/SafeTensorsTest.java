package lab.recall.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import lab.recall.Golden;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafeTensorsTest {
    @TempDir
    Path dir;

    private Path file(String header, int dataBytes) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer b = ByteBuffer.allocate(8 + text.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        b.putLong(text.length).put(text);
        return Files.write(dir.resolve("t.safetensors"), b.array());
    }

    @Test
    void whatIsWrittenIsRead() {
        Path file = dir.resolve("t.safetensors");
        Tensor half = SafeTensors.read(Golden.folder("mamba-b-bf16-untied").resolve("model.safetensors")).values().iterator().next();
        SafeTensors.write(file, List.of(Tensor.of("a", new float[] {1, 2, 3, 4, 5, 6}, 2, 3), Tensor.of("n", new long[] {-7}),
                Tensor.of("d", new double[] {Math.PI}, 1), half), Map.of("made by", "a test"));
        Map<String, Tensor> back = SafeTensors.read(file);
        assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, back.get("a").floats());
        assertArrayEquals(new long[] {2, 3}, back.get("a").shape());
        assertArrayEquals(new long[] {-7}, back.get("n").longs());
        assertArrayEquals(new double[] {Math.PI}, back.get("d").doubles());
        assertArrayEquals(half.floats(), back.get(half.name()).floats());
        assertEquals(half.dtype(), back.get(half.name()).dtype());
        float[] part = new float[4];
        back.get("a").read(2, part, 1, 3);
        assertArrayEquals(new float[] {0, 3, 4, 5}, part);
    }

    @Test
    void aTensorOverTwoGigabytesIsReadFromItsEnd() throws IOException {
        long numbers = (3L << 30) / 4;
        Path file = file("{\"big\":{\"dtype\":\"F32\",\"shape\":[" + numbers + "],\"data_offsets\":[0," + numbers * 4 + "]}}", 0);
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            long start = out.length();
            out.setLength(start + numbers * 4);                 // a sparse file
            out.seek(start + (numbers - 1) * 4);
            out.writeInt(Integer.reverseBytes(Float.floatToIntBits(42f)));
            out.seek(start + (1L << 30) - 4);
            out.writeInt(Integer.reverseBytes(Float.floatToIntBits(5f)));
            out.writeInt(Integer.reverseBytes(Float.floatToIntBits(6f)));
        }
        Tensor big = SafeTensors.read(file).get("big");
        float[] end = new float[2];
        big.read(numbers - 2, end, 0, 2);
        assertArrayEquals(new float[] {0, 42}, end);
        big.read((1L << 28) - 1, end, 0, 2);
        assertArrayEquals(new float[] {5, 6}, end, "across two mapped chunks");
        assertThrows(IllegalArgumentException.class, () -> big.read(numbers - 1, end, 0, 2));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}|overlap",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,80]}}|data section is 16 bytes",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}|offsets",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}|needs 12 bytes",
        "{\"a\":{\"dtype\":31,\"shape\":[2],\"data_offsets\":[0,8]}}|dtype",
        "{\"__metadata__\":{\"a\":1}}|__metadata__.a: 1, expected a text",
        "{\"__metadata__\":[]}|__metadata__: [], expected an object",
        "{\"a\":{\"dtype\":\"F4\",\"shape\":[9223372036854775807,9],\"data_offsets\":[0,8]}}|more than any file holds",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"
                + "\"data_offsets\":[0,1]}}|at most 32 whole numbers",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}|shape",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,9],\"data_offsets\":[0,8]}}|shape",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                + "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}|Duplicate",
        "{\"a\":3}|dtype",
        "[1]|not a JSON object",
        "{\"a\":|not JSON"})
    void aHeaderThatDoesNotDescribeTheFileIsRefused(String header, String why) throws IOException {
        Path file = file(header, 16);
        String message = assertThrows(BadData.class, () -> SafeTensors.read(file)).getMessage();
        assertTrue(message.contains(why) && message.contains("t.safetensors") && !message.contains("\n"), message);
    }

    @Test
    void tensorsOfAnyTypeStandThereUnread() throws IOException {
        String header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                + "\"b\":{\"dtype\":\"F4\",\"shape\":[3,2],\"data_offsets\":[8,11]},"
                + "\"c\":{\"dtype\":\"F8_E8M0\",\"shape\":[5],\"data_offsets\":[11,16]}}";
        Path file = file(header, 16);
        Map<String, Tensor> all = SafeTensors.read(file);
        assertArrayEquals(new float[2], all.get("a").floats());
        assertEquals(DType.OTHER, all.get("b").dtype());
        assertEquals("b F4[3, 2]", all.get("b").toString());
        for (Executable read : List.<Executable>of(() -> all.get("b").floats(), () -> all.get("b").doubles(), () -> all.get("b").longs(),
                () -> all.get("b").read(0, new float[1], 0, 1))) {
            assertEquals("'b' is F4, which is not read here; known are " + DType.known(),
                    assertThrows(BadRequest.class, read).getMessage());
        }
        Path copy = dir.resolve("copy.safetensors");
        SafeTensors.write(copy, List.of(all.get("b").named("x"), all.get("c")), Map.of());
        assertEquals("F4", SafeTensors.read(copy).get("x").format());
        assertEquals(8, Files.size(copy) - 8 - ByteBuffer.wrap(Files.readAllBytes(copy)).order(ByteOrder.LITTLE_ENDIAN).getLong(0));
    }

    @Test
    void eightBitNumbersAreRead() throws IOException {
        Path file = file("{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[256],\"data_offsets\":[0,256]},"
                + "\"b\":{\"dtype\":\"F8_E5M2\",\"shape\":[256],\"data_offsets\":[256,512]},"
                + "\"h\":{\"dtype\":\"F16\",\"shape\":[256],\"data_offsets\":[512,1024]}}", 1024);
        byte[] bytes = Files.readAllBytes(file);
        for (int i = 0; i < 256; i++) {
            bytes[bytes.length - 1024 + i] = (byte) i;
            bytes[bytes.length - 768 + i] = (byte) i;
            bytes[bytes.length - 512 + 2 * i + 1] = (byte) i;           // the upper byte of a half
        }
        Map<String, Tensor> all = SafeTensors.read(Files.write(file, bytes));
        assertArrayEquals(all.get("h").floats(), all.get("b").floats());
        float[] a = all.get("a").floats();
        assertArrayEquals(new float[] {0, 0x1p-9f, 7 * 0x1p-9f, 0x1p-6f, 1, 1.125f, 448, Float.NaN},
                new float[] {a[0], a[1], a[7], a[8], a[0x38], a[0x39], a[0x7e], a[0x7f]});
        for (int i = 1; i < 0x7f; i++) {
            assertTrue(a[i] > a[i - 1], "they rise");
            assertEquals(-a[i], a[i + 128], "the first bit is the sign");
        }
    }

    @Test
    void wholeNumbersWithoutASignAreRead() throws IOException {
        Path file = file("{\"a\":{\"dtype\":\"U16\",\"shape\":[1],\"data_offsets\":[0,2]},"
                + "\"b\":{\"dtype\":\"U32\",\"shape\":[1],\"data_offsets\":[2,6]},"
                + "\"c\":{\"dtype\":\"U64\",\"shape\":[1],\"data_offsets\":[6,14]}}", 14);
        byte[] bytes = Files.readAllBytes(file);
        Arrays.fill(bytes, bytes.length - 14, bytes.length, (byte) -1);
        Map<String, Tensor> all = SafeTensors.read(Files.write(file, bytes));
        assertArrayEquals(new double[] {65_535}, all.get("a").doubles());
        assertArrayEquals(new double[] {4_294_967_295.0}, all.get("b").doubles());
        assertArrayEquals(new double[] {0x1p64}, all.get("c").doubles());
    }

    @Test
    void aFileOfManyTensorsIsMappedOnce() throws IOException {
        int count = 200_000;
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i < count; i++) {
            header.append(i == 0 ? "" : ",").append("\"t").append(i).append("\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[")
                    .append(i).append(',').append(i + 1).append("]}");
        }
        Path file = file(header.append('}').toString(), count);
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 1] = 7;
        Map<String, Tensor> all = SafeTensors.read(Files.write(file, bytes));
        assertEquals(count, all.size());
        assertArrayEquals(new long[] {7}, all.get("t" + (count - 1)).longs());
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            assertTrue(maps.filter(line -> line.endsWith(file.toString())).count() <= 1);
        }
    }

    @Test
    void numbersThatLieAcrossTwoMapsAreRead() throws IOException {
        long from = Bytes.CHUNK - 3L * Float.BYTES - 1;                  // no number begins at the border, one lies across it
        Path file = file("{\"pad\":{\"dtype\":\"U8\",\"shape\":[" + from + "],\"data_offsets\":[0," + from + "]},"
                + "\"a\":{\"dtype\":\"F32\",\"shape\":[8],\"data_offsets\":[" + from + "," + (from + 32) + "]}}", 0);
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.seek(out.length() + from);
            for (int i = 0; i < 8; i++) {
                out.writeInt(Integer.reverseBytes(Float.floatToIntBits(i + 0.5f)));
            }
        }
        Tensor a = SafeTensors.read(file).get("a");
        assertArrayEquals(new float[] {0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f, 7.5f}, a.floats());
        float[] one = new float[1];
        a.read(3, one, 0, 1);
        assertEquals(3.5f, one[0]);
    }

    @Test
    void aWrongLengthIsRefused() throws IOException {
        Path file = dir.resolve("short");
        Files.write(file, new byte[] {1, 2, 3});
        assertThrows(BadData.class, () -> SafeTensors.read(file));
        Files.write(file, new byte[] {-1, -1, -1, -1, -1, -1, -1, -1, 0});
        assertThrows(BadData.class, () -> SafeTensors.read(file));
        assertThrows(BadData.class, () -> SafeTensors.read(dir.resolve("missing")));
    }

    @Test
    void damagedFilesAreReadOrRefusedButNeverWorse() throws IOException {
        Random random = new Random(5);
        for (String name : new String[] {"mamba-c-f16-sharded/model-00001-of-00002.safetensors", "mamba-d-orig-zip/pytorch_model.bin",
            "mamba-e-orig-legacy/pytorch_model.bin"}) {
            byte[] good = Files.readAllBytes(Golden.folder(name.substring(0, name.indexOf('/')))
                    .resolve(name.substring(name.indexOf('/') + 1)));
            for (int i = 0; i < 700; i++) {
                byte[] bad = i % 7 == 0 ? Arrays.copyOf(good, random.nextInt(good.length)) : good.clone();
                if (i % 7 != 0) {
                    int reach = name.endsWith("bin") ? Math.min(good.length, 6000) : 4000;
                    bad[i % 2 == 0 ? random.nextInt(reach) : good.length - 1 - random.nextInt(reach)] = (byte) random.nextInt();
                }
                Path file = Files.write(dir.resolve("damaged"), bad);
                try {
                    if (name.endsWith("bin")) {
                        TorchArchive.read(file);
                    } else {
                        SafeTensors.read(file);
                    }
                } catch (BadData e) {
                    assertFalse(e.getMessage().contains("\n"), e.getMessage());
                }
            }
        }
    }
}
