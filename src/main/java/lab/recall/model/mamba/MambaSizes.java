package lab.recall.model.mamba;

import java.util.Optional;
import lab.recall.base.Check;
import lab.recall.model.FreshModel;
import lab.recall.model.FreshSizes;
import lab.recall.model.block.ScanSizes;

/**
 * Sizes of a fresh Mamba-1: inner width 2 d, 4 taps, delta of rank d / 16, head and embedding tied.
 *
 * <pre>{@code
 * new MambaSizes(64, 8, 8).fresh(800, seed).write(folder, tokenizer)
 * }</pre>
 *
 * Decay rates are 1..N and step sizes log-uniform from 0.001 to 0.1. Source: Gu and Dao, arXiv 2312.00752, section 3.6 and appendix E.
 *
 * @param width  of the residual stream
 * @param states of a channel
 */
public record MambaSizes(Integer width, Integer layers, Integer states) implements FreshSizes {
    private static final int EXPAND = 2;
    private static final int TAPS = 4;
    private static final float EPSILON = 1e-5f;

    public MambaSizes {
        Check.whole("width", Check.given("width", width), 1, FreshModel.WIDEST);
        Check.whole("layers", Check.given("layers", layers), 1, FreshModel.MOST_PARTS);
        Check.whole("states", Check.given("states", states), 1, FreshModel.MOST_PARTS);
    }

    @Override
    public FreshModel fresh(int vocabulary, long seed) {
        int e = EXPAND * width;
        int rank = (width + 15) / 16;
        ScanSizes c = new ScanSizes(width, e, states, TAPS, rank, EPSILON, Optional.empty());
        FreshModel m = new FreshModel(seed);
        m.config().putArray("architectures").add("MambaForCausalLM");
        m.config().put("model_type", "mamba").put("hidden_size", width).put("intermediate_size", e).put("num_hidden_layers", layers)
                .put("state_size", states).put("conv_kernel", TAPS).put("expand", EXPAND)
                .put("time_step_rank", rank).put("vocab_size", vocabulary)
                .put("layer_norm_epsilon", 1e-5).put("use_bias", false).put("use_conv_bias", true).put("hidden_act", "silu")
                .put("residual_in_fp32", true).put("tie_word_embeddings", true).put("bos_token_id", 0).put("eos_token_id", 0)
                .put("pad_token_id", 0).put("torch_dtype", "float32");
        m.normal("backbone.embeddings.weight", FreshModel.EMBEDDING, vocabulary, width);
        for (int l = 0; l < layers; l++) {
            c.fresh(m, "backbone.layers." + l + ".", layers);
        }
        m.constant("backbone.norm_f.weight", 1, width);
        return m;
    }
}
