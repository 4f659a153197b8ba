package lab.recall.model.falconmamba;

import java.util.Optional;
import lab.recall.base.Check;
import lab.recall.model.FreshModel;
import lab.recall.model.FreshSizes;
import lab.recall.model.block.ScanSizes;

/**
 * Sizes of a fresh Falcon-Mamba: inner width 2 d, 4 taps, delta of rank d / 16, a head of its own.
 *
 * <pre>{@code
 * new FalconMambaSizes(64, 8, 8).fresh(800, seed).write(folder, tokenizer)
 * }</pre>
 *
 * @param width  of the residual stream
 * @param states of a channel
 */
public record FalconMambaSizes(Integer width, Integer layers, Integer states) implements FreshSizes {
    private static final int EXPAND = 2;
    private static final int TAPS = 4;
    private static final float EPSILON = 1e-5f;

    public FalconMambaSizes {
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
        m.config().putArray("architectures").add("FalconMambaForCausalLM");
        m.config().put("model_type", "falcon_mamba").put("hidden_size", width).put("intermediate_size", e)
                .put("num_hidden_layers", layers).put("state_size", states).put("conv_kernel", TAPS).put("expand", EXPAND)
                .put("time_step_rank", rank).put("vocab_size", vocabulary).put("layer_norm_epsilon", 1e-5).put("mixer_rms_eps", 1e-6)
                .put("use_bias", false).put("use_conv_bias", true).put("hidden_act", "silu").put("residual_in_fp32", true)
                .put("tie_word_embeddings", false).put("bos_token_id", 0).put("eos_token_id", 0).put("pad_token_id", 0)
                .put("torch_dtype", "float32");
        m.normal("backbone.embeddings.weight", FreshModel.EMBEDDING, vocabulary, width);
        for (int l = 0; l < layers; l++) {
            c.fresh(m, "backbone.layers." + l + ".", layers);
        }
        m.constant("backbone.norm_f.weight", 1, width);
        m.matrix("lm_head.weight", vocabulary, width, 1);
        return m;
    }
}
