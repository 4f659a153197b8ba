package lab.recall.model.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.DoubleUnaryOperator;
import lab.recall.GgufBytes;
import lab.recall.Golden;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.model.Architectures;
import lab.recall.model.FreshSizes;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Recording;
import lab.recall.model.block.AttentionPoints;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the goldens do not hold: biases, scaled rotary embeddings, other model types, GGUF; against a forward pass in plain doubles. */
class LlamaTest {
    private static final Path GOLDEN = Golden.folder("llama-a-f32");
    private static final int[] IDS = {5, 17, 80, 2, 33, 33, 41, 9, 60, 71, 12, 3, 95, 0, 28, 77, 54, 31, 8, 19};
    private static final DoubleUnaryOperator PLAIN = f -> f;

    @TempDir
    Path dir;

    private static Map<String, Tensor> tensors() {
        return new TreeMap<>(SafeTensors.read(GOLDEN.resolve("model.safetensors")));
    }

    private Path folder(Consumer<ObjectNode> config, Map<String, Tensor> tensors) throws IOException {
        return Golden.copy(GOLDEN, dir, config, tensors.values());
    }

    private LanguageModel model(Consumer<ObjectNode> config) throws IOException {
        return LanguageModel.open(folder(config, tensors()));
    }

    private String refused(Consumer<ObjectNode> config, Map<String, Tensor> tensors) throws IOException {
        Path folder = folder(config, tensors);
        String said = assertThrows(BadData.class, () -> LanguageModel.open(folder)).getMessage();
        assertTrue(!said.contains("\n"), said);
        return said;
    }

    /** The golden's weights with random biases of some maps. */
    private static Map<String, Tensor> biased(String... maps) {
        Map<String, Tensor> all = tensors();
        Random random = new Random(3);
        for (String map : maps) {
            for (int l = 0; l < 4; l++) {
                String name = "model.layers." + l + "." + map;
                float[] bias = new float[(int) all.get(name + ".weight").shape()[0]];
                for (int i = 0; i < bias.length; i++) {
                    bias[i] = (float) random.nextGaussian();
                }
                all.put(name + ".bias", Tensor.of(name + ".bias", bias, bias.length));
            }
        }
        return all;
    }

    private static void same(String what, LanguageModel model, double[][] expected) {
        float[] found = model.run(IDS, Recording.points(HookPoint.LOGITS)).activation(0, HookPoint.LOGITS).values();
        double[] flat = new double[found.length];
        for (int t = 0; t < IDS.length; t++) {
            System.arraycopy(expected[t], 0, flat, t * expected[t].length, expected[t].length);
        }
        Golden.close(what, found, flat);
    }

    @Test
    void theReferenceIsTheGoldens() {
        same("plain", LanguageModel.open(GOLDEN), new Reference(tensors(), 10_000, PLAIN).logits(IDS));
    }

    @Test
    void biasesOfEveryMap() throws IOException {
        Map<String, Tensor> all = biased("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj",
                "mlp.up_proj", "mlp.down_proj");
        same("llama", LanguageModel.open(folder(c -> c.put("attention_bias", true).put("mlp_bias", true), all)),
                new Reference(all, 10_000, PLAIN).logits(IDS));
        Map<String, Tensor> three = biased("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj");
        same("qwen2", LanguageModel.open(folder(c -> c.put("model_type", "qwen2"), three)),
                new Reference(three, 10_000, PLAIN).logits(IDS));
        assertTrue(refused(c -> { }, three).contains("attention_bias = false for this model_type, but there is a tensor "
                + "'model.layers.0.self_attn.q_proj.bias'"));
        assertTrue(refused(c -> c.put("attention_bias", true), three).contains("o_proj.bias' is missing"));
        assertTrue(refused(c -> c.put("model_type", "mistral"), three).contains("attention_bias"));
        assertTrue(refused(c -> { }, biased("mlp.up_proj")).contains("mlp_bias"));
        assertTrue(refused(c -> c.put("model_type", "qwen2"), tensors()).contains("q_proj.bias' is missing"));
    }

    private static ObjectNode rope(ObjectNode config, String word) {
        config.remove("rope_parameters");
        return config.putObject(word);
    }

    @Test
    void scaledRotaryEmbeddings() throws IOException {
        double[][] linear = new Reference(tensors(), 500, f -> f / 4).logits(IDS);
        same("transformers 5", model(c -> rope(c, "rope_parameters").put("rope_type", "linear").put("factor", 4.0)
                .put("rope_theta", 500.0)),
                linear);
        same("transformers 4", model(c -> rope(c.put("rope_theta", 500), "rope_scaling").put("type", "linear").put("factor", 4)), linear);
        same("theta alone", model(c -> {
            c.remove("rope_parameters");
            c.put("rope_theta", 500.0).putNull("rope_scaling");
        }), new Reference(tensors(), 500, PLAIN).logits(IDS));
        same("llama3", model(c -> rope(c.put("rope_theta", 500.0), "rope_scaling").put("rope_type", "llama3").put("factor", 8.0)
                        .put("low_freq_factor", 1.0).put("high_freq_factor", 4.0).put("original_max_position_embeddings", 64)),
                new Reference(tensors(), 500, f -> llama3(f, 8, 1, 4, 64)).logits(IDS));
    }

    /** By wavelengths, as golden/README.md of these families says it. */
    private static double llama3(double inv, double factor, double low, double high, double old) {
        double w = 2 * Math.PI / inv;
        if (w > old / low) {
            return inv / factor;
        }
        if (w < old / high) {
            return inv;
        }
        double s = (old / w - low) / (high - low);
        return (1 - s) * inv / factor + s * inv;
    }

    @Test
    void dynamicScalingAndWindowsEndWhereTheyWouldBegin() throws IOException {
        LanguageModel dynamic = model(c -> rope(c.put("max_position_embeddings", 20), "rope_parameters").put("rope_type", "dynamic")
                .put("factor", 2.0).put("rope_theta", 10000.0));
        same("dynamic", dynamic, new Reference(tensors(), 10_000, PLAIN).logits(IDS));
        tooLong(dynamic, 20, "max_position_embeddings");
        tooLong(model(c -> c.put("model_type", "mistral")), 4096, "its sliding window");      // transformers' own where nothing is said
        assertEquals(4100, model(c -> c.put("model_type", "mistral").putNull("sliding_window")).run(new int[4100]).length());
        LanguageModel mistral = model(c -> c.put("model_type", "mistral").put("sliding_window", 20));
        same("mistral", mistral, new Reference(tensors(), 10_000, PLAIN).logits(IDS));
        tooLong(mistral, 20, "its sliding window");
        assertTrue(assertThrows(BadRequest.class, () -> mistral.run(IDS).then(1)).getMessage().contains("21 tokens"));
        Map<String, Tensor> qwen = biased("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj");
        assertEquals(40, LanguageModel.open(folder(c -> c.put("model_type", "qwen2").put("sliding_window", 30)
                .put("use_sliding_window", false), qwen)).run(new int[40]).length());
        tooLong(LanguageModel.open(folder(c -> c.put("model_type", "qwen2").put("sliding_window", 30)
                .put("use_sliding_window", true), qwen)), 30, "its sliding window");
    }

    private static void tooLong(LanguageModel model, int most, String because) {
        assertEquals(most, model.run(new int[most]).length());
        String said = assertThrows(BadRequest.class, () -> model.run(new int[most + 1])).getMessage();
        assertEquals((most + 1) + " tokens: " + model.name() + " reads at most " + most + ", where " + because, said.substring(0,
                said.indexOf(because) + because.length()));
    }

    @Test
    void whatIsNotKnownIsRefused() throws IOException {
        assertTrue(refused(c -> rope(c, "rope_parameters").put("rope_type", "yarn").put("factor", 4.0), tensors())
                .contains("config.json has rope_parameters.rope_type = yarn; only default or linear or dynamic or llama3 are known"));
        assertTrue(refused(c -> rope(c, "rope_scaling").put("type", "linear"), tensors())
                .contains("config.json has no rope_scaling.factor"));
        assertTrue(refused(c -> c.put("rope_scaling", 3).remove("rope_parameters"), tensors())
                .contains("rope_scaling = 3, expected an object"));
        assertTrue(refused(c -> c.put("partial_rotary_factor", 0.5), tensors()).contains("partial_rotary_factor = 0.5; only 1 is known"));
        assertTrue(refused(c -> c.put("hidden_act", "relu"), tensors()).contains("hidden_act = relu; only gelu or"));
        assertTrue(refused(c -> c.put("num_attention_heads", 5), tensors()).contains("num_attention_heads = 5"));
        assertTrue(refused(c -> c.put("num_attention_heads", 16), tensors()).contains("num_attention_heads = 16"));
    }

    @Test
    void anotherGateAndTiedHead() throws IOException {
        Map<String, Tensor> all = tensors();
        all.put("lm_head.weight", all.get("model.embed_tokens.weight").named("lm_head.weight"));
        LanguageModel tied = model(c -> c.put("tie_word_embeddings", true));
        same("tied", tied, new Reference(all, 10_000, PLAIN).logits(IDS));
        float[] silu = tied.run(IDS).logits();
        float[] gelu = model(c -> c.put("tie_word_embeddings", true).put("hidden_act", "gelu_pytorch_tanh")).run(IDS).logits();
        assertTrue(Math.abs(silu[0] - gelu[0]) > 1e-4, "another function");
    }

    @Test
    void aFreshOneHasWhatItsSizesSay() {
        FreshSizes sizes = new LlamaSizes(24, 2, 4, 2);
        sizes.fresh(40, 1).write(dir, tokenizer());
        LanguageModel model = LanguageModel.open(dir);
        assertEquals(List.of(), model.warnings());
        assertEquals(2, model.layers());
        assertEquals(12, model.width(AttentionPoints.K));
        assertEquals(LlamaSizes.class, Architectures.of("llama").sizes());
        assertEquals(4, new LlamaSizes(24, 2, 4, null).keyHeads());
        assertTrue(assertThrows(BadRequest.class, () -> new LlamaSizes(12, 2, 4, 2)).getMessage().contains("heads: 4 do not divide"));
        assertTrue(assertThrows(BadRequest.class, () -> new LlamaSizes(24, 2, 4, 3)).getMessage().contains("key_heads: 3 do not divide"));
    }

    private static Path tokenizer() {
        return LanguageModel.open("tiny-mamba").folder().resolve("tokenizer.json");
    }

    /** As llama.cpp's converter writes it: rows of queries and keys (and of their biases) of llama reshaped [head, 2, half] to pairs. */
    private Path gguf(String architecture, float theta, Map<String, Tensor> tensors, Consumer<GgufBytes> more) throws IOException {
        String a = architecture + ".";
        GgufBytes bytes = new GgufBytes().key("general.architecture", architecture).key("tokenizer.ggml.model", "no_vocab")
                .key(a + "context_length", 64).key(a + "embedding_length", 48).key(a + "block_count", 4)
                .key(a + "feed_forward_length", 80).key(a + "attention.head_count", 4).key(a + "attention.head_count_kv", 2)
                .key(a + "attention.layer_norm_rms_epsilon", 1e-5f).key(a + "rope.freq_base", theta).key(a + "rope.dimension_count", 12)
                .key(a + "vocab_size", 96);
        Map<String, String> names = new LinkedHashMap<>(Map.of("model.embed_tokens", "token_embd", "model.norm", "output_norm",
                "lm_head", "output", "input_layernorm", "attn_norm", "post_attention_layernorm", "ffn_norm"));
        for (String x : List.of("q", "k", "v")) {
            names.put("self_attn." + x + "_proj", "attn_" + x);
        }
        names.putAll(Map.of("self_attn.o_proj", "attn_output", "mlp.gate_proj", "ffn_gate", "mlp.up_proj", "ffn_up",
                "mlp.down_proj", "ffn_down"));
        for (Tensor t : tensors.values()) {
            int dot = t.name().lastIndexOf('.');
            String name = t.name().substring(0, dot).replaceFirst("model\\.layers\\.(\\d+)\\.", "blk.$1/");
            int slash = name.indexOf('/');
            String in = slash < 0 ? names.get(name) : name.substring(0, slash) + "." + names.get(name.substring(slash + 1));
            List<Long> sizes = new ArrayList<>();
            for (long n : t.shape()) {
                sizes.add(0, n);
            }
            boolean turned = architecture.equals("llama") && (in.endsWith("attn_q") || in.endsWith("attn_k"));
            bytes.floats(in + t.name().substring(dot), turned ? pairs(t) : t.floats(), sizes.stream().mapToLong(n -> n).toArray());
        }
        more.accept(bytes);
        return Files.write(dir.resolve("m.gguf"), bytes.bytes());
    }

    private static float[] pairs(Tensor t) {
        float[] stored = t.floats();
        float[] turned = new float[stored.length];
        int rows = (int) t.shape()[0];
        int width = stored.length / rows;
        for (int head = 0; head < rows / 12; head++) {
            for (int part = 0; part < 2; part++) {
                for (int i = 0; i < 6; i++) {
                    System.arraycopy(stored, (head * 12 + part * 6 + i) * width, turned, (head * 12 + i * 2 + part) * width, width);
                }
            }
        }
        return turned;
    }

    @Test
    void ggufOfLlamaAndOfQwen2() throws IOException {
        Map<String, Tensor> all = tensors();
        LanguageModel llama = LanguageModel.open(gguf("llama", 500, all, b -> { }));
        assertEquals(List.of(), llama.warnings());
        same("llama", llama, new Reference(all, 500, PLAIN).logits(IDS));
        llama.save(dir.resolve("saved"));
        same("saved", LanguageModel.open(dir.resolve("saved")), new Reference(all, 500, PLAIN).logits(IDS));
        Map<String, Tensor> three = biased("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj");
        same("qwen2", LanguageModel.open(gguf("qwen2", 500, three, b -> { })), new Reference(three, 500, PLAIN).logits(IDS));
        Map<String, Tensor> four = biased("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj");
        same("biased", LanguageModel.open(gguf("llama", 500, four, b -> { })), new Reference(four, 500, PLAIN).logits(IDS));
        same("linear", LanguageModel.open(gguf("llama", 500, all, b -> b.key("llama.rope.scaling.type", "linear")
                .key("llama.rope.scaling.factor", 4f))), new Reference(all, 500, f -> f / 4).logits(IDS));
    }

    @ParameterizedTest
    @CsvSource({"32, true", "8, true", "8, false"})
    void ggufOfAScaledLlama3(double factor, boolean right) throws IOException {
        float[] factors = new float[6];
        for (int m = 0; m < 6; m++) {
            double f = Math.pow(5e7, -m / 6.0);
            factors[m] = (float) (f / llama3(f, factor, right ? 1 : 0.1, 4, 8192));
        }
        Path file = gguf("llama", 5e7f, tensors(), b -> b.key("llama.rope.scaling.finetuned", false)
                .floats("rope_freqs.weight", factors, 6));
        if (right) {
            LanguageModel model = LanguageModel.open(file);
            assertEquals(List.of(), model.warnings());
            same("llama3", model, new Reference(tensors(), 5e7, f -> llama3(f, factor, 1, 4, 8192)).logits(IDS));
        } else {
            assertTrue(assertThrows(BadData.class, () -> LanguageModel.open(file)).getMessage().contains("not those of Llama 3"));
        }
    }
}
