package lab.recall.model.gpt2;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import lab.recall.base.Json;
import lab.recall.checkpoint.GgufFamily;
import lab.recall.checkpoint.GgufFields;
import lab.recall.checkpoint.Tensor;

/** GPT-2 in GGUF files: matrices turned to [outputs, inputs], a tied head left out. */
final class GgufGpt2 implements GgufFamily {
    private static final String LAYER = "transformer.h.*.";

    @Override
    public String architecture() {
        return "gpt2";
    }

    @Override
    public Map<String, String> names() {
        return Map.ofEntries(
                Map.entry("token_embd.weight", "transformer.wte.weight"), Map.entry("position_embd.weight", "transformer.wpe.weight"),
                Map.entry("output.weight", Gpt2Config.HEAD),
                Map.entry("output_norm.weight", "transformer.ln_f.weight"), Map.entry("output_norm.bias", "transformer.ln_f.bias"),
                Map.entry("blk.*.attn_norm.weight", LAYER + "ln_1.weight"), Map.entry("blk.*.attn_norm.bias", LAYER + "ln_1.bias"),
                Map.entry("blk.*.ffn_norm.weight", LAYER + "ln_2.weight"), Map.entry("blk.*.ffn_norm.bias", LAYER + "ln_2.bias"),
                Map.entry("blk.*.attn_qkv.weight", LAYER + "attn.c_attn.weight"),
                Map.entry("blk.*.attn_qkv.bias", LAYER + "attn.c_attn.bias"),
                Map.entry("blk.*.attn_output.weight", LAYER + "attn.c_proj.weight"),
                Map.entry("blk.*.attn_output.bias", LAYER + "attn.c_proj.bias"),
                Map.entry("blk.*.ffn_up.weight", LAYER + "mlp.c_fc.weight"), Map.entry("blk.*.ffn_up.bias", LAYER + "mlp.c_fc.bias"),
                Map.entry("blk.*.ffn_down.weight", LAYER + "mlp.c_proj.weight"),
                Map.entry("blk.*.ffn_down.bias", LAYER + "mlp.c_proj.bias"));
    }

    @Override
    public ObjectNode config(GgufFields fields) {
        fields.harmless("vocab_size");
        ObjectNode config = Json.MAPPER.createObjectNode();
        config.putArray("architectures").add("GPT2LMHeadModel");
        return config.put("model_type", "gpt2").put("n_embd", fields.count("embedding_length")).put("n_layer", fields.count("block_count"))
                .put("n_head", fields.count("attention.head_count")).put("n_inner", fields.count("feed_forward_length"))
                .put("n_positions", fields.count("context_length")).put("vocab_size", fields.vocabulary())
                .put("layer_norm_epsilon", fields.number("attention.layer_norm_epsilon")).put("activation_function", "gelu_new")
                .put("tie_word_embeddings", !fields.hasTensor("output.weight"));
    }

    @Override
    public Tensor restored(Tensor stored, GgufFields fields) {
        boolean turned = stored.name().contains(".c_") && stored.name().endsWith(".weight") && stored.shape().length == 2;
        return turned ? stored.transposed() : stored;
    }
}
