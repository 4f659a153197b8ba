package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import lab.recall.Golden;
import lab.recall.base.BadData;
import lab.recall.base.Json;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What config.json says is done, or refused, or noted: field by field. */
class ConfigTest {
    private static final int[] IDS = {3, 1, 4, 1, 5, 9, 2, 6};

    @TempDir
    Path dir;

    private static Path folder(String name) throws URISyntaxException {
        return Path.of(ConfigTest.class.getResource("/configs/" + name).toURI());
    }

    /** A copy of a folder with another configuration and some tensors changed or left out (null). */
    private LanguageModel open(Path from, Consumer<ObjectNode> config, Function<Tensor, Tensor> tensors) throws IOException {
        return LanguageModel.open(Golden.copy(from, dir, config,
                SafeTensors.read(from.resolve("model.safetensors")).values().stream().map(tensors).filter(t -> t != null).toList()));
    }

    private LanguageModel open(String golden, String field, String value) throws IOException {
        return open(Golden.folder(golden), c -> set(c, field, value), t -> t);
    }

    private static void set(ObjectNode config, String field, String value) {
        int dot = field.indexOf('.');
        ObjectNode at = dot < 0 ? config : config.withObjectProperty(field.substring(0, dot));
        at.set(field.substring(dot + 1), json(value));
    }

    private static JsonNode json(String value) {
        try {
            return Json.MAPPER.readTree(value.replace('\'', '"'));
        } catch (IOException e) {
            throw new IllegalArgumentException(value, e);
        }
    }

    private String refused(String golden, String field, String value) {
        String message = assertThrows(BadData.class, () -> open(golden, field, value), field + " = " + value).getMessage();
        assertTrue(message.contains(field.substring(field.indexOf('.') + 1)) && !message.contains("\n"), message);
        return message;
    }

    @Test
    void ropeParametersOfTransformers5AreRead() throws Exception {
        LanguageModel model = LanguageModel.open(folder("neox-rope-parameters"));
        assertEquals(List.of(), model.warnings());
        logits(model, "neox-rope-parameters", 47, 0, 68, 63, 34, 73, 47, 9, 4, 40, 11, 43);
    }

    @Test
    void layerNormsOfStateSpacesAreComputed() throws Exception {
        LanguageModel model = LanguageModel.open(folder("state-spaces-layernorm"));
        assertEquals(List.of(), model.warnings());
        logits(model, "state-spaces-layernorm", 73, 80, 93, 114, 28, 18, 127, 67, 70, 112, 76, 14);
    }

    private void logits(LanguageModel model, String name, int... ids) throws Exception {
        Tensor expected = SafeTensors.read(folder(name).resolve("expected.safetensors")).get("logits");
        double scale = Golden.largest(expected.doubles());
        for (int t = 0; t < ids.length; t++) {
            Golden.close(name, model.run(Arrays.copyOf(ids, t + 1)).logits(), Golden.slice(expected, t), scale);
        }
    }

    @Test
    void layerNormsAreSavedInALayoutThatCanSayThem() throws Exception {
        LanguageModel model = LanguageModel.open(folder("state-spaces-layernorm"));
        model.save(dir);
        LanguageModel again = LanguageModel.open(dir);
        assertEquals(List.of(), again.warnings());
        Golden.same("saved", model.run(IDS).logits(), again.run(IDS).logits());
        assertTrue(SafeTensors.read(dir.resolve("model.safetensors")).containsKey("backbone.layers.0.norm.bias"));
    }

    /** Fields that say in other words what is computed, or nothing that a number depends on. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"mamba-a-f32|hidden_act|'swish'", "mamba-a-f32|time_step_min|0.5",
        "mamba-a-f32|use_cache|false", "mamba-a-f32|residual_in_fp32|false", "mamba-a-f32|dtype|'bfloat16'",
        "mamba-a-f32|use_mambapy|true", "mamba-a-f32|_name_or_path|'x'", "mamba-a-f32|ssm_cfg.layer|'Mamba1'",
        "mamba-a-f32|ssm_cfg.d_state|16", "mamba-a-f32|time_step_rank|2", "mamba-a-f32|time_step_rank|'auto'",
        "mamba-a-f32|x|null", "mamba-a-f32|sliding_window|null",
        "mamba-a-f32|is_encoder_decoder|false", "mamba-a-f32|time_step_limit|[]", "neox-a-f32|attention_bias|true",
        "neox-a-f32|partial_rotary_factor|0.25", "neox-a-f32|rope_theta|10000.0", "neox-a-f32|rope_scaling|null",
        "neox-a-f32|rope_parameters|{'rope_type': 'default', 'rope_theta': 10000}", "neox-a-f32|rope_scaling|{'type': 'default'}",
        "neox-a-f32|attention_dropout|0.5", "neox-a-f32|max_position_embeddings|9"})
    void harmlessFieldsChangeNothing(String golden, String field, String value) throws IOException {
        LanguageModel model = open(golden, field, value);
        assertEquals(List.of(), model.warnings());
        Golden.same(field, LanguageModel.open(Golden.folder(golden)).run(IDS).logits(), model.run(IDS).logits());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"mamba-a-f32|hidden_act|'gelu'|silu",
        "mamba-a-f32|rms_norm|false|no tensor", "mamba-a-f32|d_intermediate|64|only 0 is known",
        "mamba-a-f32|attn_layer_idx|[1]|only [] is known", "mamba-a-f32|ssm_cfg.layer|'Mamba2'|Mamba1",
        "mamba-a-f32|quantization_config|{'bits': 4}|Mamba", "mamba-a-f32|rms_norm|'no'|true or false",
        "mamba-a-f32|num_hidden_layers|0|positive", "mamba-a-f32|layer_norm_epsilon|-1|positive",
        "mamba-a-f32|tie_word_embeddings|1|true or false", "mamba-a-f32|logit_scale|0.5|changes numbers",
        "neox-a-f32|hidden_act|'relu'|gelu", "neox-a-f32|rope_scaling|{'type': 'yarn', 'factor': 2.0}|default",
        "neox-a-f32|rope_scaling|'linear'|object", "neox-a-f32|rope_parameters|{'rope_type': 'longrope'}|default",
        "neox-a-f32|rope_parameters|{'factor': 2.0}|changes numbers", "neox-a-f32|rope_theta|500000|rotary_emb_base",
        "neox-a-f32|attention_bias|false|there is a tensor", "neox-a-f32|num_attention_heads|5|divide",
        "neox-a-f32|num_key_value_heads|1|GPT-NeoX", "neox-a-f32|sliding_window|16|16",
        "neox-a-f32|use_parallel_residual|0|true or false",
        "llama-a-f32|rope_theta|123.0|rope_theta"})
    void whatIsNotDoneIsRefused(String golden, String field, String value, String part) {
        assertTrue(refused(golden, field, value).contains(part), refused(golden, field, value));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"mamba-a-f32|hidden_size|48", "mamba-a-f32|state_size|'16'",
        "mamba-a-f32|conv_kernel|3", "mamba-a-f32|time_step_rank|3", "mamba-a-f32|expand|3", "mamba-a-f32|vocab_size|127",
        "mamba-a-f32|hidden_size|'auto'",
        "mamba-a-f32|use_bias|true", "mamba-a-f32|use_conv_bias|false", "mamba-a-f32|n_layer|3", "mamba-a-f32|ssm_cfg.d_conv|8",
        "neox-a-f32|intermediate_size|64", "neox-a-f32|hidden_size|64", "neox-a-f32|vocab_size|120", "mamba-a-f32|new_field|7"})
    void whatTheTensorsContradictIsNoted(String golden, String field, String value) throws IOException {
        LanguageModel model = open(golden, field, value);
        assertEquals(1, model.warnings().size(), model.warnings().toString());
        assertTrue(model.warnings().get(0).contains(field), model.warnings().toString());
        Golden.same(field, LanguageModel.open(Golden.folder(golden)).run(IDS).logits(), model.run(IDS).logits());
    }

    @Test
    void oneWarningNamesAllFieldsThatAreNotKnown() throws IOException {
        LanguageModel model = open(Golden.folder("mamba-a-f32"), c -> c.put("first_new", 1).put("second_new", "x"), t -> t);
        assertEquals(1, model.warnings().size());
        assertTrue(model.warnings().get(0).contains("first_new, second_new"), model.warnings().toString());
    }

    @Test
    void tensorsThatNothingReadsAreNamed() throws IOException {
        LanguageModel fewer = open("mamba-a-f32", "num_hidden_layers", "3");
        assertTrue(fewer.warnings().stream().anyMatch(w -> w.contains("nothing reads") && w.contains("backbone.layers.3.")
                && w.contains(" more")), fewer.warnings().toString());
        assertEquals(List.of(), LanguageModel.open(Golden.folder("neox-a-f32")).warnings(), "buffers of old are known");
    }

    @Test
    void aHeadBesideATiedEmbeddingIsReadOrNoted() throws IOException {
        Path from = Golden.folder("mamba-b-bf16-untied");
        LanguageModel untied = LanguageModel.open(from);
        LanguageModel tied = open(from, c -> c.remove("tie_word_embeddings"), t -> t);
        assertTrue(tied.warnings().size() == 1 && tied.warnings().get(0).contains("lm_head.weight that differs from"),
                tied.warnings().toString());
        assertFalse(Arrays.equals(untied.run(IDS).logits(), tied.run(IDS).logits()));
        Tensor embedding = SafeTensors.read(from.resolve("model.safetensors")).get("backbone.embeddings.weight");
        LanguageModel copied = open(from, c -> c.put("tie_word_embeddings", true),
                t -> t.name().equals("lm_head.weight") ? embedding.named("lm_head.weight") : t);
        assertEquals(List.of(), copied.warnings());
        Golden.same("tied", tied.run(IDS).logits(), copied.run(IDS).logits());
    }

    @Test
    void anAttentionWithoutBiasesIsOneOfZeros() throws IOException {
        Path from = Golden.folder("neox-a-f32");
        LanguageModel zeros = open(from, c -> { }, t -> isAttentionBias(t) ? Tensor.of(t.name(), new float[(int) t.size()], t.shape()) : t);
        float[] expected = zeros.run(IDS).logits();
        LanguageModel none = open(from, c -> c.put("attention_bias", false), t -> isAttentionBias(t) ? null : t);
        assertEquals(List.of(), none.warnings());
        assertArrayEquals(expected, none.run(IDS).logits(), 1e-6f);
    }

    private static boolean isAttentionBias(Tensor t) {
        return t.name().endsWith("query_key_value.bias") || t.name().endsWith("attention.dense.bias");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Infinity", "-Infinity", "NaN", "{\"__float__\": \"Infinity\"}"})
    void numbersThatPythonAloneWritesAreRead(String number) throws IOException {
        Path from = Golden.folder("mamba-a-f32");
        String text = Files.readString(from.resolve("config.json"));
        Files.writeString(dir.resolve("config.json"), text.replaceFirst("\\{", "{\"time_step_limit\": [0.0, " + number + "], "));
        Files.copy(from.resolve("model.safetensors"), dir.resolve("model.safetensors"));
        LanguageModel model = LanguageModel.open(dir);
        assertTrue(model.warnings().get(0).contains("time_step_limit"));
        model.save(dir.resolve("saved"));
        String saved = Files.readString(dir.resolve("saved/config.json"));
        assertTrue(saved.contains(number.startsWith("{") ? ", Infinity" : ", " + number), saved);
    }

    /** Of a folder that holds a configuration alone, what the model is comes before what is missing. */
    @Test
    void anUnknownModelIsNamedBeforeItsWeightsAreMissed() throws IOException {
        Files.writeString(dir.resolve("config.json"), "{\"model_type\": \"rwkv\", \"time_step_limit\": [0.0, Infinity]}");
        String message = assertThrows(BadData.class, () -> LanguageModel.open(dir)).getMessage();
        assertTrue(message.contains("model_type = 'rwkv'"), message);
    }
}
