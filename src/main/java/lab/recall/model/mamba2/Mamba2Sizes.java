package lab.recall.model.mamba2;

import lab.recall.base.BadRequest;
import lab.recall.math.HeadScan;
import lab.recall.model.FreshModel;
import lab.recall.model.FreshSizes;
import lab.recall.model.block.DualSizes;

/**
 * Sizes of a fresh Mamba-2: inner width 2 d, 4 taps, one group, head and embedding tied.
 *
 * <pre>{@code
 * new Mamba2Sizes(64, 8, 8, 16).fresh(800, seed).write(folder, tokenizer)
 * }</pre>
 *
 * Source: Dao and Gu, arXiv 2405.21060, section 7.
 *
 * @param width  of the residual stream
 * @param heads  which share the 2 d channels evenly
 * @param states of a channel
 */
public record Mamba2Sizes(Integer width, Integer layers, Integer heads, Integer states) implements FreshSizes {
    private static final int EXPAND = 2;
    private static final int TAPS = 4;
    private static final float EPSILON = 1e-5f;

    public Mamba2Sizes {
        FreshSizes.requireWidth(width);
        FreshSizes.requireParts("layers", layers);
        FreshSizes.requireParts("heads", heads);
        FreshSizes.requireParts("states", states);
        if (EXPAND * width % heads != 0) {
            throw new BadRequest("heads", heads + " do not divide the " + EXPAND * width + " channels, twice the width");
        }
    }

    @Override
    public FreshModel fresh(int vocabulary, long seed) {
        HeadScan.Sizes scan = new HeadScan.Sizes(heads, EXPAND * width / heads, states, 1);
        DualSizes c = new DualSizes(width, scan, TAPS, EPSILON, 0f, Float.POSITIVE_INFINITY);
        FreshModel m = new FreshModel(seed);
        m.config().setAll(Mamba2Config.json(c, layers, vocabulary));
        m.config().put("layer_norm_epsilon", 1e-5).put("use_bias", false).put("use_conv_bias", true).put("tie_word_embeddings", true)
                .put("bos_token_id", 0).put("eos_token_id", 0).put("pad_token_id", 0).put("torch_dtype", "float32");
        m.normal("backbone.embeddings.weight", FreshModel.EMBEDDING, vocabulary, width);
        for (int l = 0; l < layers; l++) {
            c.fresh(m, "backbone.layers." + l + ".", layers);
        }
        m.constant("backbone.norm_f.weight", 1, width);
        return m;
    }
}
