package lab.recall.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import lab.recall.Golden;
import lab.recall.base.BadData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
    @TempDir
    Path dir;

    @Test
    void everyLayoutOpens() {
        for (String name : Golden.CASES) {
            Checkpoint c = Checkpoint.open(Golden.folder(name));
            Tensor norm = c.find("backbone.norm_f.weight").or(() -> c.find("gpt_neox.final_layer_norm.weight")).orElseThrow();
            assertEquals(1, norm.shape().length, name);
            for (float v : norm.floats()) {
                assertTrue(Float.isFinite(v) && Math.abs(v) < 100, name + " " + v);
            }
        }
        Checkpoint zip = Checkpoint.open(Golden.folder("mamba-d-orig-zip"));
        assertArrayEquals(zip.tensor("backbone.embedding.weight").floats(), zip.tensor("lm_head.weight").floats(), "one storage for both");
    }

    private String refused(String config) throws IOException {
        Files.writeString(dir.resolve("config.json"), config);
        String message = assertThrows(BadData.class, () -> Checkpoint.open(dir)).getMessage();
        assertTrue(!message.contains("\n"), message);
        return message;
    }

    @Test
    void foldersThatAreNoneAreRefused() throws IOException {
        assertThrows(BadData.class, () -> Checkpoint.open(dir.resolve("nowhere")));
        assertTrue(assertThrows(BadData.class, () -> Checkpoint.open(dir)).getMessage().contains("config.json"));
        assertTrue(refused("{}").contains("no weights"));
        assertTrue(refused("[]").contains("not a JSON object"));
        assertTrue(refused("{\"a\":1,\"a\":2}").contains("not JSON"));
    }

    @Test
    void anIndexMustStayInItsFolder() throws IOException {
        for (String shard : new String[] {"../x.safetensors", "/x", "..", ""}) {
            Files.writeString(dir.resolve("model.safetensors.index.json"), "{\"weight_map\":{\"a\":\"" + shard + "\"}}");
            assertTrue(refused("{}").contains("outside the folder"), shard);
        }
        SafeTensors.write(dir.resolve("s.safetensors"), List.of(Tensor.of("b", new float[1], 1)), Map.of());
        Files.writeString(dir.resolve("model.safetensors.index.json"), "{\"weight_map\":{\"a\":\"s.safetensors\"}}");
        assertTrue(refused("{}").contains("'a' is not in s.safetensors"));
        Files.writeString(dir.resolve("model.safetensors.index.json"), "{}");
        assertTrue(refused("{}").contains("weight_map"));
    }

    private Path zip(byte[] pickle) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream out = new ZipOutputStream(bytes)) {
            out.setMethod(ZipOutputStream.STORED);
            ZipEntry e = new ZipEntry("archive/data.pkl");
            e.setSize(pickle.length);
            e.setCompressedSize(pickle.length);
            CRC32 crc = new CRC32();
            crc.update(pickle);
            e.setCrc(crc.getValue());
            out.putNextEntry(e);
            out.write(pickle);
            out.closeEntry();
        }
        return Files.write(dir.resolve("pytorch_model.bin"), bytes.toByteArray());
    }

    @Test
    void aPickleThatNamesAnythingButTensorsIsRefused() throws IOException {
        byte[] system = "\u0080\u0002cos\nsystem\n(X\u0004\u0000\u0000\u0000truetR.".getBytes(StandardCharsets.ISO_8859_1);
        String message = assertThrows(BadData.class, () -> TorchArchive.read(zip(system))).getMessage();
        assertTrue(message.contains("os.system") && message.contains("pytorch_model.bin"), message);
        byte[] number = "\u0080\u0002K\u0001.".getBytes(StandardCharsets.ISO_8859_1);
        assertTrue(assertThrows(BadData.class, () -> TorchArchive.read(zip(number))).getMessage().contains("dictionary of tensors"));
        byte[] cut = "\u0080\u0002}q\u0000(X\u00ff\u00ff\u00ff\u007f".getBytes(StandardCharsets.ISO_8859_1);
        assertTrue(assertThrows(BadData.class, () -> TorchArchive.read(zip(cut))).getMessage().contains("cut short"));
        for (String none : List.of("NK\u0001K\u0001s.", ")K\u0001a.", "N(K\u0001e.", "ctorch\nFloatStorage\nNNN\u0087R.")) {
            assertThrows(BadData.class, () -> TorchArchive.read(zip(none.getBytes(StandardCharsets.ISO_8859_1))), none);
        }
        Files.writeString(dir.resolve("pytorch_model.bin"), "hello");
        assertThrows(BadData.class, () -> TorchArchive.read(dir.resolve("pytorch_model.bin")));
    }
}
