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
import lab.recall.Golden;
import lab.recall.base.BadData;
import org.junit.jupiter.api.Test;
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
        "{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}|dtype",
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
