package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import lab.recall.GgufBytes;
import lab.recall.Golden;
import lab.recall.base.BadData;
import lab.recall.base.Json;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Models of llama.cpp's files; see gguf/README.md. */
class GgufModelTest {
    @TempDir
    Path dir;

    /** Folders with files and their logits: ours, and the one that {@code .ci/nightly gguf} makes. */
    static Stream<Arguments> files() {
        return Stream.of(Golden.gguf(""), Golden.gguf("families"), Path.of(System.getProperty("gguf.made", "")))
                .filter(folder -> Files.exists(folder.resolve("logits.safetensors")))
                .flatMap(folder -> SafeTensors.read(folder.resolve("logits.safetensors")).keySet().stream()
                        .filter(name -> !name.equals("ids")).map(name -> Arguments.of(folder, name)));
    }

    /** The logits of the same weights, dequantised by the Python package gguf. */
    @ParameterizedTest(name = "{1}")
    @MethodSource("files")
    void everyQuantisationHasItsLogits(Path folder, String name) {
        Map<String, Tensor> expected = SafeTensors.read(folder.resolve("logits.safetensors"));
        LanguageModel model = LanguageModel.open(folder.resolve(name + ".gguf").toString());
        assertEquals(name, model.name());
        assertEquals(List.of(), model.warnings());
        int[] ids = Golden.ids(expected.get("ids").shaped(1, 8), 0);
        float[][] logits = model.logitLens(residuals(model, ids));
        for (int t = 0; t < ids.length; t++) {
            Golden.close(name + " token " + t, logits[t], Golden.slice(expected.get(name), t));
        }
    }

    private static float[][] residuals(LanguageModel model, int[] ids) {
        Pass pass = model.run(ids);
        float[][] rows = new float[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            rows[t] = pass.get(new Site(model.layers() - 1, HookPoint.RESID_POST, t));
        }
        return rows;
    }

    @Test
    void quantisedFilesAreSmallerThanTheirNumbers() throws IOException {
        assertTrue(Files.size(Golden.gguf("mamba-q4_0.gguf")) < Files.size(Golden.gguf("mamba-f32.gguf")) / 2);
    }

    @ParameterizedTest
    @CsvSource({"mamba-q4_k", "mamba-f16", "neox-q8_0", "neox-sequential-q5_1"})
    void whatIsSavedIsSafetensorsAndSaysTheSame(String name) throws IOException {
        LanguageModel model = LanguageModel.open(Golden.gguf(name + ".gguf"));
        model.save(dir.resolve("saved"));
        LanguageModel again = LanguageModel.open(dir.resolve("saved"));
        assertEquals(List.of(), again.warnings());
        assertEquals(model.parameters(), again.parameters());
        int[] ids = {1, 4, 9, 16};
        Golden.same(name, model.run(ids).logits(), again.run(ids).logits());
        assertFalse(Files.exists(dir.resolve("saved").resolve("tokenizer.json")), "it carries none");
        JsonNode config = Json.object(dir.resolve("saved").resolve("config.json"));
        assertEquals(model.width(), config.path("hidden_size").asInt());
        assertEquals(1e-5, config.path(name.startsWith("mamba") ? "layer_norm_epsilon" : "layer_norm_eps").asDouble());
    }

    @Test
    void aWeightCanBeReplacedAndSaved() {
        LanguageModel model = LanguageModel.open(Golden.gguf("neox-q4_0.gguf"));
        String name = "gpt_neox.layers.1.mlp.dense_4h_to_h.weight";
        float[] twice = model.weight(name);
        for (int i = 0; i < twice.length; i++) {
            twice[i] *= 2;
        }
        LanguageModel edited = model.with(name, twice);
        assertFalse(Arrays.equals(model.run(1, 2).logits(), edited.run(1, 2).logits()));
        edited.save(dir.resolve("edited"));
        assertArrayEquals(twice, LanguageModel.open(dir.resolve("edited")).weight(name));
        Golden.same("saved", edited.run(1, 2).logits(), LanguageModel.open(dir.resolve("edited")).run(1, 2).logits());
    }

    @Test
    void aFolderWithOneGgufFileIsThatModel() throws IOException {
        Path folder = Files.createDirectories(dir.resolve("my-model"));
        Files.copy(Golden.gguf("mamba-q8_0.gguf"), folder.resolve("Model.GGUF"));
        LanguageModel model = LanguageModel.open(folder.toString());
        assertEquals("my-model", model.name());
        assertArrayEquals(LanguageModel.open(Golden.gguf("mamba-q8_0.gguf")).run(1, 2).logits(), model.run(1, 2).logits());
        assertEquals(List.of("Model.GGUF"), model.files().stream().map(f -> f.getFileName().toString()).limit(1).toList());

        Files.copy(Golden.gguf("mamba-q4_0.gguf"), folder.resolve("other.gguf"));
        String message = assertThrows(BadData.class, () -> LanguageModel.open(folder)).getMessage();
        assertTrue(message.contains("holds 2 GGUF files; name one of them"), message);
        LanguageModel.open("tiny-mamba").save(folder);
        assertEquals(LanguageModel.open("tiny-mamba").vocabulary(), LanguageModel.open(folder).vocabulary(), "safetensors come first");
    }

    @Test
    void aFileThatIsNotThereOrNoModelIsRefused() throws IOException {
        String none = assertThrows(BadData.class, () -> LanguageModel.open("nowhere/model.gguf")).getMessage();
        assertTrue(none.contains("model.gguf") && none.contains("no such file"), none);
        Files.writeString(dir.resolve("x.gguf"), "version https://git-lfs");
        String other = assertThrows(BadData.class, () -> LanguageModel.open(dir.resolve("x.gguf"))).getMessage();
        assertTrue(other.contains("x.gguf: does not begin with GGUF"), other);
    }

    @Test
    void aChangedFileIsNoticed() throws IOException {
        Path file = Files.copy(Golden.gguf("mamba-q8_0.gguf"), dir.resolve("m.gguf"));
        LanguageModel model = LanguageModel.open(file);
        Files.copy(Golden.gguf("mamba-q4_0.gguf"), file, StandardCopyOption.REPLACE_EXISTING);
        assertTrue(assertThrows(BadData.class, model::weights).getMessage().contains("has changed since it was opened"));
    }

    private String refused(GgufBytes bytes) throws IOException {
        Path file = Files.write(dir.resolve("m.gguf"), bytes.bytes());
        String message = assertThrows(BadData.class, () -> LanguageModel.open(file)).getMessage();
        assertTrue(message.contains("m.gguf") && !message.contains("\n"), message);
        return message;
    }

    private static GgufBytes neox() {
        return new GgufBytes().key("general.architecture", "gptneox").key("tokenizer.ggml.model", "no_vocab")
                .key("gptneox.context_length", 64).key("gptneox.embedding_length", 8).key("gptneox.block_count", 1)
                .key("gptneox.feed_forward_length", 8).key("gptneox.attention.head_count", 2)
                .key("gptneox.attention.layer_norm_epsilon", 1e-5f)
                .floats("token_embd.weight", new float[32], 8, 4);
    }

    @Test
    void metadataThatIsNotUnderstoodIsRefused() throws IOException {
        assertTrue(refused(new GgufBytes()).contains("no general.architecture"));
        assertTrue(refused(new GgufBytes().key("general.architecture", "bert")).contains("'bert'; known are mamba, gptneox"));
        assertTrue(refused(neox().key("general.type", "adapter")).contains("'adapter', expected model"));
        assertTrue(refused(neox().key("split.count", 3)).contains("one of 3 parts"));
        assertTrue(refused(neox()).contains("gptneox.use_parallel_residual is missing"));
        assertTrue(refused(new GgufBytes().key("general.architecture", "mamba").key("mamba.embedding_length", 8)
                .key("mamba.ssm.inner_size", 8).key("mamba.block_count", 1).key("mamba.ssm.state_size", 1).key("mamba.ssm.conv_kernel", 1)
                .key("mamba.ssm.time_step_rank", 1)).contains("the tensor 'token_embd.weight' is missing"));
        assertTrue(refused(neox().key("gptneox.use_parallel_residual", true).key("gptneox.clamp", 3))
                .contains("'gptneox.clamp' is not known"));
        assertTrue(refused(neox().key("gptneox.use_parallel_residual", true).key("gptneox.rope.scaling.type", "yarn"))
                .contains("rope.scaling.type is 'yarn'"));
        assertTrue(refused(neox().key("gptneox.use_parallel_residual", 1)).contains("expected true or false"));
        assertTrue(refused(neox().key("gptneox.rope.dimension_count", 6)).contains("rope.dimension_count is 6"));
        assertTrue(refused(neox().key("gptneox.attention.head_count_kv", 1)).contains("head_count_kv"));
        assertTrue(refused(new GgufBytes().key("general.architecture", "mamba").key("mamba.ssm.dt_b_c_rms", true))
                .contains("mamba.embedding_length is missing"));
    }

    @Test
    void aMissingOrStrangeTensorIsNamed() throws IOException {
        byte[] bytes = Files.readAllBytes(Golden.gguf("mamba-f32.gguf"));
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        Path file = dir.resolve("m.gguf");
        Files.writeString(file, text.replace("blk.1.ssm_d\1", "blk.1.ssm_e\1"), StandardCharsets.ISO_8859_1);
        String message = assertThrows(BadData.class, () -> LanguageModel.open(file)).getMessage();
        assertTrue(message.contains("m.gguf: the tensor 'backbone.layers.1.mixer.D' is missing"), message);
        Files.writeString(file, text.replace("mamba.block_count\4\0\0\0\2", "mamba.block_count\4\0\0\0\1"),
                StandardCharsets.ISO_8859_1);
        LanguageModel one = LanguageModel.open(file);
        assertEquals(1, one.layers());
        assertEquals(1, one.warnings().size());
        assertTrue(one.warnings().get(0).contains("m.gguf has tensors that nothing reads: 'blk.1.")
                && one.warnings().get(0).endsWith(" and 5 more"), one.warnings().toString());
    }

    private static GgufBytes mamba(float a) {
        return new GgufBytes().key("general.architecture", "mamba").key("mamba.embedding_length", 2).key("mamba.block_count", 1)
                .key("mamba.ssm.conv_kernel", 2).key("mamba.ssm.inner_size", 4).key("mamba.ssm.state_size", 1)
                .key("mamba.ssm.time_step_rank", 1).key("mamba.attention.layer_norm_rms_epsilon", 1e-5f)
                .floats("token_embd.weight", ones(6), 2, 3).floats("output_norm.weight", ones(2), 2)
                .floats("blk.0.attn_norm.weight", ones(2), 2).floats("blk.0.ssm_in.weight", ones(16), 2, 8)
                .floats("blk.0.ssm_conv1d.weight", ones(8), 2, 4).floats("blk.0.ssm_conv1d.bias", ones(4), 4)
                .floats("blk.0.ssm_x.weight", ones(12), 4, 3).floats("blk.0.ssm_dt.weight", ones(4), 1, 4)
                .floats("blk.0.ssm_dt.bias", ones(4), 4).floats("blk.0.ssm_a", new float[] {a, a, a, a}, 1, 4)
                .floats("blk.0.ssm_d", ones(4), 4).floats("blk.0.ssm_out.weight", ones(8), 4, 2);
    }

    @Test
    void aTokenizerThatDoesNotSayHowItCutsIsWarnedOf() throws IOException {
        GgufBytes bytes = mamba(-1).key("tokenizer.ggml.model", "gpt2").key("tokenizer.ggml.tokens", List.of("a", "b", "ab"))
                .key("tokenizer.ggml.merges", List.of("a b"));
        LanguageModel model = LanguageModel.open(Files.write(dir.resolve("m.gguf"), bytes.bytes()));
        assertEquals(1, model.warnings().size());
        assertTrue(model.warnings().get(0).contains("(tokenizer.ggml.pre); GPT-2's way is taken"), model.warnings().toString());
        assertArrayEquals(new int[] {2, 1}, model.prompt("abb").ids());
        Path said = Files.write(dir.resolve("said.gguf"), bytes.key("tokenizer.ggml.pre", "gpt-2").bytes());
        assertEquals(List.of(), LanguageModel.open(said).warnings());
    }

    private static float[] ones(int count) {
        float[] all = new float[count];
        Arrays.fill(all, 1);
        return all;
    }

    @Test
    void theDecayIsStoredAsItself() throws IOException {
        LanguageModel model = LanguageModel.open(Files.write(dir.resolve("m.gguf"), mamba(-2).bytes()));
        assertEquals((float) Math.log(2), model.weight("backbone.layers.0.mixer.A_log")[3]);
        assertArrayEquals(new long[] {4, 1, 2}, model.shapeOf("backbone.layers.0.mixer.conv1d.weight"));
        String message = refused(mamba(0.5f));
        assertTrue(message.contains("A_log") && message.contains("ssm_a holds 0.5, expected no number above 0"), message);
        assertTrue(refused(mamba(Float.NaN)).contains("ssm_a holds NaN"));
    }
}
