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
import java.util.stream.Stream;
import lab.recall.Golden;
import lab.recall.base.BadData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CheckpointTest {
    @TempDir
    Path dir;

    @Test
    void everyLayoutOpens() {
        for (String name : Golden.CASES) {
            Checkpoint c = Checkpoint.open(Golden.folder(name));
            Tensor norm = Stream.of("backbone.norm_f", "gpt_neox.final_layer_norm", "model.norm", "transformer.ln_f", "ln_f")
                    .flatMap(n -> c.find(n + ".weight").stream()).findFirst().orElseThrow();
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

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "version https://git-lfs.github.com/spec/v1 oid sha256:12 size 3|a Git LFS pointer, not the file itself; git lfs pull fetches it",
        "GGUF\3\0\0\0|a GGUF file of llama.cpp", "<!DOCTYPE html><html><head>|an HTML page, perhaps of a download that failed",
        "{\"error\": \"Entry not found\"}|JSON text", "Invalid username or password.|text that begins 'Invalid username or password.'",
        "''|empty"})
    void whatStandsInThePlaceOfWeightsIsNamed(String content, String kind) throws IOException {
        Files.writeString(dir.resolve("config.json"), "{}");
        for (String name : List.of("pytorch_model.bin", "model.safetensors")) {
            Path file = Files.write(dir.resolve(name), content.getBytes(StandardCharsets.ISO_8859_1));
            String expected = name.endsWith("bin") ? "a file of PyTorch (.bin, .pt)" : "a safetensors file";
            assertEquals(file + ": " + kind + ", expected " + expected,
                    assertThrows(BadData.class, () -> Checkpoint.open(dir)).getMessage());
        }
    }

    @Test
    void aFileUnderTheNameOfAnotherKindIsNamed() throws IOException {
        Files.writeString(dir.resolve("config.json"), "{}");
        byte[] tensors = Files.readAllBytes(Golden.folder("mamba-a-f32").resolve("model.safetensors"));
        byte[] torch = Files.readAllBytes(Golden.folder("mamba-d-orig-zip").resolve("pytorch_model.bin"));
        byte[] arrays = Files.readAllBytes(Path.of("src/test/resources/files/moments.npz"));
        assertEquals("a safetensors file, expected a file of PyTorch (.bin, .pt)", said("pytorch_model.bin", tensors));
        assertEquals("the zip file has no data.pkl: it holds arrays of NumPy (.npz)", said("pytorch_model.bin", arrays));
        assertEquals("a file of PyTorch (.bin, .pt), expected a safetensors file", said("model.safetensors", torch));
        assertEquals("an archive of NumPy arrays (.npz), expected a safetensors file", said("model.safetensors", arrays));
    }

    private String said(String name, byte[] content) throws IOException {
        Files.write(dir.resolve(name), content);
        return assertThrows(BadData.class, () -> Checkpoint.open(dir)).reason();
    }
}
