package lab.recall.model.gpt2;

import lab.recall.base.BadRequest;
import lab.recall.model.FreshModel;
import lab.recall.model.FreshSizes;

/**
 * Sizes of a fresh GPT-2: MLP of 4 d, 512 positions, head and embedding tied.
 *
 * <pre>{@code
 * new Gpt2Sizes(96, 8, 2).fresh(800, seed).write(folder, tokenizer)
 * }</pre>
 *
 * @param width of the residual stream
 * @param heads of the attention, which divide the width
 */
public record Gpt2Sizes(Integer width, Integer layers, Integer heads) implements FreshSizes {
    private static final int POSITIONS = 512;

    public Gpt2Sizes {
        FreshSizes.requireWidth(width);
        FreshSizes.requireParts("layers", layers);
        FreshSizes.requireParts("heads", heads);
        if (width % heads != 0) {
            throw new BadRequest("heads", heads + " do not divide the width " + width);
        }
    }

    @Override
    public int positions() {
        return POSITIONS;
    }

    @Override
    public FreshModel fresh(int vocabulary, long seed) {
        FreshModel m = new FreshModel(seed);
        m.normal("transformer.wte.weight", FreshModel.EMBEDDING, vocabulary, width);
        m.normal("transformer.wpe.weight", FreshModel.EMBEDDING, POSITIONS, width);
        for (int l = 0; l < layers; l++) {
            String layer = "transformer.h." + l + ".";
            m.norm(layer + "ln_1", width);
            m.norm(layer + "ln_2", width);
            linear(m, layer + "attn.c_attn", 3 * width, width, 1);
            linear(m, layer + "attn.c_proj", width, width, 2 * layers);
            linear(m, layer + "mlp.c_fc", 4 * width, width, 1);
            linear(m, layer + "mlp.c_proj", width, 4 * width, 2 * layers);
        }
        m.norm("transformer.ln_f", width);
        m.config().putArray("architectures").add("GPT2LMHeadModel");
        m.config().put("model_type", "gpt2").put("n_embd", width).put("n_layer", layers).put("n_head", heads).put("n_positions", POSITIONS)
                .put("vocab_size", vocabulary).put("activation_function", "gelu_new").put("layer_norm_epsilon", 1e-5)
                .put("scale_attn_weights", true).put("tie_word_embeddings", true).put("bos_token_id", 0).put("eos_token_id", 0)
                .put("torch_dtype", "float32");
        return m;
    }

    /** A matrix [inputs, outputs], its variance so many times smaller than 1 / inputs, and a bias of zeros. */
    private static void linear(FreshModel m, String name, int outputs, int inputs, double smaller) {
        m.normal(name + ".weight", 1 / Math.sqrt(inputs * smaller), inputs, outputs);
        m.constant(name + ".bias", 0, outputs);
    }
}
