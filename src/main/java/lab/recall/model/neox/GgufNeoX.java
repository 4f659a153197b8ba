package lab.recall.model.neox;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import lab.recall.base.Json;
import lab.recall.checkpoint.GgufFamily;
import lab.recall.checkpoint.GgufFields;
import lab.recall.checkpoint.Tensor;

/**
 * GPT-NeoX in GGUF files: rows of query, key and value by their kind first and by head then. llama.cpp computes its GELU by the tangent
 * form; the model's own is the exact one, which is computed here.
 */
final class GgufNeoX implements GgufFamily {
    private static final String LAYER = "gpt_neox.layers.*.";

    @Override
    public String architecture() {
        return "gptneox";
    }

    @Override
    public Map<String, String> names() {
        return Map.ofEntries(
                Map.entry("token_embd.weight", "gpt_neox.embed_in.weight"), Map.entry("output.weight", "embed_out.weight"),
                Map.entry("output_norm.weight", "gpt_neox.final_layer_norm.weight"),
                Map.entry("output_norm.bias", "gpt_neox.final_layer_norm.bias"),
                Map.entry("blk.*.attn_norm.weight", LAYER + "input_layernorm.weight"),
                Map.entry("blk.*.attn_norm.bias", LAYER + "input_layernorm.bias"),
                Map.entry("blk.*.ffn_norm.weight", LAYER + "post_attention_layernorm.weight"),
                Map.entry("blk.*.ffn_norm.bias", LAYER + "post_attention_layernorm.bias"),
                Map.entry("blk.*.attn_qkv.weight", LAYER + "attention.query_key_value.weight"),
                Map.entry("blk.*.attn_qkv.bias", LAYER + "attention.query_key_value.bias"),
                Map.entry("blk.*.attn_output.weight", LAYER + "attention.dense.weight"),
                Map.entry("blk.*.attn_output.bias", LAYER + "attention.dense.bias"),
                Map.entry("blk.*.ffn_up.weight", LAYER + "mlp.dense_h_to_4h.weight"),
                Map.entry("blk.*.ffn_up.bias", LAYER + "mlp.dense_h_to_4h.bias"),
                Map.entry("blk.*.ffn_down.weight", LAYER + "mlp.dense_4h_to_h.weight"),
                Map.entry("blk.*.ffn_down.bias", LAYER + "mlp.dense_4h_to_h.bias"));
    }

    @Override
    public ObjectNode config(GgufFields fields) {
        fields.harmless("vocab_size", "rope.scaling.original_context_length", "rope.scaling.finetuned");
        int width = fields.count("embedding_length");
        int heads = fields.count("attention.head_count");
        if (width % heads != 0) {
            throw fields.bad("attention.head_count", "is " + heads + ", by which the width " + width + " cannot be divided");
        }
        int headWidth = width / heads;
        if (fields.count("attention.head_count_kv", heads) != heads) {
            throw fields.bad("attention.head_count_kv", "differs from attention.head_count = " + heads);
        }
        String scaling = fields.text("rope.scaling.type", "none");
        if (!scaling.equals("none")) {
            throw fields.bad("rope.scaling.type", "is '" + scaling + "', only none is known");
        }
        int turned = fields.count("rope.dimension_count", headWidth);
        if (turned > headWidth || turned % 2 != 0) {
            throw fields.bad("rope.dimension_count", "is " + turned + ", expected an even number up to " + headWidth + ", a head's width");
        }
        ObjectNode config = Json.MAPPER.createObjectNode();
        config.putArray("architectures").add("GPTNeoXForCausalLM");
        return config.put("model_type", "gpt_neox").put("hidden_size", width).put("num_hidden_layers", fields.count("block_count"))
                .put("num_attention_heads", heads).put("intermediate_size", fields.count("feed_forward_length"))
                .put("max_position_embeddings", fields.count("context_length")).put("rotary_pct", share(turned, headWidth))
                .put("rotary_emb_base", fields.number("rope.freq_base", 10_000)).put("vocab_size", fields.vocabulary())
                .put("layer_norm_eps", fields.number("attention.layer_norm_epsilon"))
                .put("use_parallel_residual", fields.flag("use_parallel_residual")).put("hidden_act", "gelu").put("attention_bias", true)
                .put("tie_word_embeddings", !fields.hasTensor("output.weight"));
    }

    /** The part of a head that gives its whole number back when it is multiplied and cut. */
    private static double share(int part, int whole) {
        double share = (double) part / whole;
        return (int) (whole * share) < part ? Math.nextUp(share) : share;
    }

    @Override
    public Tensor restored(Tensor stored, GgufFields fields) {
        int width = fields.count("embedding_length");
        if (!stored.name().contains(".query_key_value.") || stored.shape().length == 0 || stored.shape()[0] != 3L * width) {
            return stored;                      // a wrong shape is refused where it is read
        }
        int headWidth = width / fields.count("attention.head_count");
        int[] order = new int[3 * width];
        for (int r = 0; r < order.length; r++) {
            int head = r / (3 * headWidth);
            int kind = r / headWidth % 3;
            order[r] = kind * width + head * headWidth + r % headWidth;
        }
        return stored.rows(order);
    }
}
