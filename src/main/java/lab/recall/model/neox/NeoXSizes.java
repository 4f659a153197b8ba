package lab.recall.model.neox;

import java.util.Optional;
import lab.recall.base.BadRequest;
import lab.recall.model.FreshModel;
import lab.recall.model.FreshSizes;

/**
 * Sizes of a fresh GPT-NeoX: MLP of 4 d, a quarter of each head rotary, attention and MLP side by side, head and embedding apart.
 *
 * <pre>{@code
 * new NeoXSizes(96, 8, 2).fresh(800, seed).write(folder, tokenizer)
 * }</pre>
 *
 * @param width of the residual stream
 * @param heads of the attention, which divide the width
 */
public record NeoXSizes(Integer width, Integer layers, Integer heads) implements FreshSizes {
    private static final int POSITIONS = 512;
    private static final double RIDGE = 0.01;

    public NeoXSizes {
        FreshSizes.requireWidth(width);
        FreshSizes.requireParts("layers", layers);
        FreshSizes.requireParts("heads", heads);
        if (width % heads != 0) {
            throw new BadRequest("heads", heads + " do not divide the width " + width);
        }
    }

    /** The first layer's MLP reads each token by itself: a small world has fewer tokens than the MLP has units, and C would be singular. */
    @Override
    public Optional<Double> ridge() {
        return Optional.of(RIDGE);
    }

    @Override
    public int positions() {
        return POSITIONS;
    }

    @Override
    public FreshModel fresh(int vocabulary, long seed) {
        FreshModel m = new FreshModel(seed);
        int hidden = 4 * width;
        m.normal("gpt_neox.embed_in.weight", FreshModel.EMBEDDING, vocabulary, width);
        for (int l = 0; l < layers; l++) {
            String layer = "gpt_neox.layers." + l + ".";
            for (String norm : new String[] {"input_layernorm", "post_attention_layernorm"}) {
                m.norm(layer + norm, width);
            }
            m.linear(layer + "attention.query_key_value", 3 * width, width, 1);
            m.linear(layer + "attention.dense", width, width, 2 * layers);
            m.linear(layer + "mlp.dense_h_to_4h", hidden, width, 1);
            m.linear(layer + "mlp.dense_4h_to_h", width, hidden, 2 * layers);
        }
        m.norm("gpt_neox.final_layer_norm", width);
        m.matrix("embed_out.weight", vocabulary, width, 1);
        m.config().putArray("architectures").add("GPTNeoXForCausalLM");
        m.config().put("model_type", "gpt_neox").put("hidden_size", width).put("intermediate_size", hidden).put("num_hidden_layers", layers)
                .put("num_attention_heads", heads).put("vocab_size", vocabulary).put("rotary_pct", 0.25).put("rotary_emb_base", 10000)
                .put("use_parallel_residual", true).put("layer_norm_eps", 1e-5).put("hidden_act", "gelu")
                .put("max_position_embeddings", POSITIONS)
                .put("tie_word_embeddings", false).put("bos_token_id", 0).put("eos_token_id", 0).put("torch_dtype", "float32");
        return m;
    }
}
