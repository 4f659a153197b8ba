package lab.recall.model.llama;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import lab.recall.base.BadData;
import lab.recall.base.Json;
import lab.recall.checkpoint.GgufFamily;
import lab.recall.checkpoint.GgufFields;
import lab.recall.checkpoint.Tensor;
import lab.recall.math.Rotary;

/**
 * Llama and Mistral (both {@code llama}) and Qwen2 in GGUF files. Llama's rows of query and key lie in pairs that turn together; a scaled
 * rotary embedding is a tensor of factors, and a tied head is left out.
 */
final class GgufLlama implements GgufFamily {
    private static final String LAYER = "model.layers.*.";
    private static final String ATTENTION = LAYER + "self_attn.";
    private static final String MLP = LAYER + "mlp.";
    private static final String FACTORS = "rope_freqs.weight";
    /** What Meta gave for all of its scaled models; a file holds only the factors that come of it. */
    private static final double LOW = 1;
    private static final double HIGH = 4;
    private static final double ORIGINAL = 8192;
    private static final double CLOSE = 1e-4;

    @Override
    public String architecture() {
        return "llama";
    }

    @Override
    public List<String> architectures() {
        return List.of(architecture(), LlamaConfig.QWEN2);
    }

    @Override
    public Map<String, String> names() {
        return Map.ofEntries(
                Map.entry("token_embd.weight", LlamaConfig.EMBEDDING), Map.entry("output.weight", "lm_head.weight"),
                Map.entry("output_norm.weight", "model.norm.weight"), Map.entry(FACTORS, FACTORS),
                Map.entry("blk.*.attn_norm.weight", LAYER + "input_layernorm.weight"),
                Map.entry("blk.*.ffn_norm.weight", LAYER + "post_attention_layernorm.weight"),
                Map.entry("blk.*.attn_q.weight", ATTENTION + "q_proj.weight"), Map.entry("blk.*.attn_q.bias", ATTENTION + "q_proj.bias"),
                Map.entry("blk.*.attn_k.weight", ATTENTION + "k_proj.weight"), Map.entry("blk.*.attn_k.bias", ATTENTION + "k_proj.bias"),
                Map.entry("blk.*.attn_v.weight", ATTENTION + "v_proj.weight"), Map.entry("blk.*.attn_v.bias", ATTENTION + "v_proj.bias"),
                Map.entry("blk.*.attn_output.weight", ATTENTION + "o_proj.weight"),
                Map.entry("blk.*.attn_output.bias", ATTENTION + "o_proj.bias"),
                Map.entry("blk.*.ffn_gate.weight", MLP + "gate_proj.weight"), Map.entry("blk.*.ffn_gate.bias", MLP + "gate_proj.bias"),
                Map.entry("blk.*.ffn_up.weight", MLP + "up_proj.weight"), Map.entry("blk.*.ffn_up.bias", MLP + "up_proj.bias"),
                Map.entry("blk.*.ffn_down.weight", MLP + "down_proj.weight"), Map.entry("blk.*.ffn_down.bias", MLP + "down_proj.bias"));
    }

    @Override
    public ObjectNode config(GgufFields fields) {
        fields.harmless("vocab_size", "rope.scaling.finetuned", "rope.scaling.original_context_length");
        boolean qwen = fields.architecture().equals(LlamaConfig.QWEN2);
        int heads = fields.count("attention.head_count");
        int width = fields.count("embedding_length");
        int headWidth = headWidth(fields);
        for (String key : List.of("attention.value_length", "rope.dimension_count")) {
            if (fields.count(key, headWidth) != headWidth) {
                throw fields.bad(key, "is " + fields.count(key, headWidth) + ", expected the whole width of a head, " + headWidth);
            }
        }
        ObjectNode config = Json.MAPPER.createObjectNode();
        config.putArray("architectures").add(qwen ? "Qwen2ForCausalLM" : "LlamaForCausalLM");
        config.put("model_type", qwen ? LlamaConfig.QWEN2 : "llama").put("hidden_size", width)
                .put("num_hidden_layers", fields.count("block_count")).put("num_attention_heads", heads)
                .put("num_key_value_heads", keyHeads(fields)).put("head_dim", headWidth)
                .put("intermediate_size", fields.count("feed_forward_length"))
                .put("max_position_embeddings", fields.count("context_length")).put("vocab_size", fields.vocabulary())
                .put("rms_norm_eps", fields.number("attention.layer_norm_rms_epsilon")).put("hidden_act", "silu")
                .put("rope_theta", fields.number("rope.freq_base", 10_000)).put("tie_word_embeddings", !fields.hasTensor("output.weight"));
        if (!qwen) {
            config.put("attention_bias", fields.hasTensor("blk.0.attn_q.bias")).put("mlp_bias", fields.hasTensor("blk.0.ffn_up.bias"));
        }
        scaling(fields, config, headWidth);
        return config;
    }

    private static int headWidth(GgufFields fields) {
        int width = fields.count("embedding_length");
        int heads = fields.count("attention.head_count");
        int headWidth = fields.count("attention.key_length", Math.max(1, width / heads));
        if (headWidth % 2 != 0) {
            throw fields.bad("attention.key_length", "is " + headWidth + ", expected an even number");
        }
        return headWidth;
    }

    private static int keyHeads(GgufFields fields) {
        return fields.count("attention.head_count_kv", fields.count("attention.head_count"));
    }

    private static void scaling(GgufFields fields, ObjectNode config, int headWidth) {
        String type = fields.text("rope.scaling.type", "none");
        double factor = fields.number("rope.scaling.factor", 1);
        if (!List.of("none", "linear").contains(type)) {
            throw fields.bad("rope.scaling.type", "is '" + type + "', only none and linear are known");
        }
        if (type.equals("linear")) {
            config.putObject("rope_scaling").put("rope_type", "linear").put("factor", factor);
        }
        fields.tensor(FACTORS).ifPresent(tensor -> {
            if (type.equals("linear")) {
                throw fields.bad("rope.scaling.type", "is linear, but there is a tensor " + FACTORS + " too");
            }
            llama3(fields, config, tensor.floats(), headWidth);
        });
    }

    /** The parameters of which a file's factors come, the largest of them among these. */
    private static void llama3(GgufFields fields, ObjectNode config, float[] factors, int headWidth) {
        double most = 1;
        for (float f : factors) {
            most = Math.max(most, f);
        }
        double base = fields.number("rope.freq_base", 10_000);
        boolean same = factors.length == headWidth / 2;
        for (int m = 0; same && m < factors.length; m++) {
            double frequency = Math.pow(base, -2.0 * m / headWidth);
            double scaled = Rotary.byWavelength(most, LOW, HIGH, ORIGINAL).applyAsDouble(frequency);
            same = Math.abs(frequency / scaled / factors[m] - 1) < CLOSE;
        }
        if (!same) {
            throw new BadData(fields.file(), FACTORS, "holds factors that are not those of Llama 3 (from 1 to 4 turns in 8192 positions)");
        }
        config.putObject("rope_scaling").put("rope_type", "llama3").put("factor", most).put("low_freq_factor", LOW)
                .put("high_freq_factor", HIGH).put("original_max_position_embeddings", (int) ORIGINAL);
    }

    @Override
    public Tensor restored(Tensor stored, GgufFields fields) {
        boolean query = stored.name().contains(".q_proj.");
        if (fields.architecture().equals(LlamaConfig.QWEN2) || (!query && !stored.name().contains(".k_proj."))) {
            return stored;
        }
        int headWidth = headWidth(fields);
        int[] order = new int[headWidth * (query ? fields.count("attention.head_count") : keyHeads(fields))];
        if (stored.shape().length == 0 || stored.shape()[0] != order.length) {
            return stored;                      // a wrong shape is refused where it is read
        }
        for (int r = 0; r < order.length; r++) {
            int in = r % headWidth;
            int half = headWidth / 2;
            order[r] = r - in + 2 * (in % half) + in / half;
        }
        return stored.rows(order);
    }
}
