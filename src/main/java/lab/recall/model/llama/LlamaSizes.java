package lab.recall.model.llama;

import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.model.FreshModel;
import lab.recall.model.FreshSizes;

/**
 * Sizes of a fresh Llama: gated MLP of 8 d / 3, rounded up to a multiple of 8, head and embedding apart.
 *
 * <pre>{@code
 * new LlamaSizes(96, 8, 4, 2).fresh(800, seed).write(folder, tokenizer)
 * }</pre>
 *
 * @param width    of the residual stream
 * @param heads    of queries, which divide the width into even parts
 * @param keyHeads of keys and values, which divide the heads; as many, where it is missing
 */
public record LlamaSizes(Integer width, Integer layers, Integer heads, Integer keyHeads) implements FreshSizes {
    private static final int POSITIONS = 512;

    public LlamaSizes {
        FreshSizes.requireWidth(width);
        FreshSizes.requireParts("layers", layers);
        FreshSizes.requireParts("heads", heads);
        keyHeads = Check.or(keyHeads, heads);
        FreshSizes.requireParts("key_heads", keyHeads);
        if (width % (2 * heads) != 0) {
            throw new BadRequest("heads", heads + " do not divide the width " + width + " into even parts");
        }
        if (heads % keyHeads != 0) {
            throw new BadRequest("key_heads", keyHeads + " do not divide the " + heads + " heads");
        }
    }

    @Override
    public int positions() {
        return POSITIONS;
    }

    @Override
    public FreshModel fresh(int vocabulary, long seed) {
        FreshModel m = new FreshModel(seed);
        int hidden = (8 * width / 3 + 7) / 8 * 8;
        int keys = width / heads * keyHeads;
        m.normal(LlamaConfig.EMBEDDING, FreshModel.EMBEDDING, vocabulary, width);
        for (int l = 0; l < layers; l++) {
            String layer = "model.layers." + l + ".";
            m.constant(layer + "input_layernorm.weight", 1, width);
            m.constant(layer + "post_attention_layernorm.weight", 1, width);
            m.matrix(layer + "self_attn.q_proj.weight", width, width, 1);
            m.matrix(layer + "self_attn.k_proj.weight", keys, width, 1);
            m.matrix(layer + "self_attn.v_proj.weight", keys, width, 1);
            m.matrix(layer + "self_attn.o_proj.weight", width, width, 2 * layers);
            m.matrix(layer + "mlp.gate_proj.weight", hidden, width, 1);
            m.matrix(layer + "mlp.up_proj.weight", hidden, width, 1);
            m.matrix(layer + "mlp.down_proj.weight", width, hidden, 2 * layers);
        }
        m.constant("model.norm.weight", 1, width);
        m.matrix("lm_head.weight", vocabulary, width, 1);
        m.config().putArray("architectures").add("LlamaForCausalLM");
        m.config().put("model_type", "llama").put("hidden_size", width).put("intermediate_size", hidden).put("num_hidden_layers", layers)
                .put("num_attention_heads", heads).put("num_key_value_heads", keyHeads).put("head_dim", width / heads)
                .put("vocab_size", vocabulary).put("rope_theta", 10000).put("rms_norm_eps", 1e-5).put("hidden_act", "silu")
                .put("attention_bias", false).put("mlp_bias", false).put("max_position_embeddings", POSITIONS)
                .put("tie_word_embeddings", false).put("bos_token_id", 0).put("eos_token_id", 0).put("torch_dtype", "float32");
        return m;
    }
}
