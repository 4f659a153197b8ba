package lab.recall.model.block;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import java.util.OptionalDouble;
import lab.recall.model.FreshModel;

/**
 * Fresh models of {@link SelectiveScanBlock}s: inner width 2 d, 4 taps, delta of rank d / 16.
 *
 * @param type      model_type in config.json
 * @param className transformers' class of it
 * @param ofNorms   epsilon of the norms of delta's low-rank part, B and C, where there are any
 * @param tied      whether the head is the embedding
 */
public record FreshScan(String type, String className, OptionalDouble ofNorms, boolean tied) {
    private static final int EXPAND = 2;
    private static final int TAPS = 4;
    private static final double EPSILON = 1e-5;
    private static final String EMBEDDINGS = "backbone.embeddings.weight";

    /** A model's first weights. */
    public FreshModel of(int width, int layers, int states, int vocabulary, long seed) {
        int inner = EXPAND * width;
        ScanSizes c = new ScanSizes(width, inner, states, TAPS, (width + 15) / 16, (float) EPSILON, Optional.empty());
        FreshModel m = new FreshModel(seed);
        ObjectNode config = m.config();
        config.putArray("architectures").add(className);
        config.put("model_type", type).put("hidden_size", width).put("intermediate_size", inner).put("num_hidden_layers", layers)
                .put("state_size", states).put("conv_kernel", TAPS).put("expand", EXPAND).put("time_step_rank", c.rank())
                .put("vocab_size", vocabulary).put("layer_norm_epsilon", EPSILON);
        ofNorms.ifPresent(epsilon -> config.put("mixer_rms_eps", epsilon));
        config.put("use_bias", false).put("use_conv_bias", true).put("hidden_act", "silu").put("residual_in_fp32", true)
                .put("tie_word_embeddings", tied).put("bos_token_id", 0).put("eos_token_id", 0).put("pad_token_id", 0)
                .put("torch_dtype", "float32");
        m.normal(EMBEDDINGS, FreshModel.EMBEDDING, vocabulary, width);
        for (int l = 0; l < layers; l++) {
            c.fresh(m, "backbone.layers." + l + ".", layers);
        }
        m.constant("backbone.norm_f.weight", 1, width);
        if (!tied) {
            m.matrix("lm_head.weight", vocabulary, width, 1);
        }
        return m;
    }
}
