package lab.recall.model.falconmamba;

import lab.recall.model.Block;
import lab.recall.model.Body;
import lab.recall.model.Opening;
import lab.recall.model.Settings;
import lab.recall.model.Weights;
import lab.recall.model.block.ScanSizes;
import lab.recall.model.block.SelectiveScanBlock;

/**
 * A Falcon-Mamba model, its sizes read from its tensors; config.json gives what tensors cannot tell.
 *
 * @param layers     L
 * @param sizes      of each
 * @param vocabulary rows of the embedding
 * @param tied       whether the head is the embedding
 */
record FalconMambaConfig(int layers, ScanSizes sizes, int vocabulary, boolean tied) implements Body {
    static final String EMBEDDINGS = "backbone.embeddings.weight";

    /** Reads it; {@code expand} says nothing where there is an {@code intermediate_size}, and the tensors have both. */
    static FalconMambaConfig of(Opening from) {
        Settings set = from.settings();
        int layers = set.positive("num_hidden_layers");
        set.word("hidden_act", "silu", "silu");
        Weights weights = from.weights();
        long[] table = weights.shape(EMBEDDINGS, 2);
        ScanSizes c = ScanSizes.of(weights, prefix(0), (int) table[1], (float) set.number("layer_norm_epsilon", 1e-5))
                .withNorms((float) set.number("mixer_rms_eps", 1e-6));
        set.matches("use_bias", false, weights.has(prefix(0) + "mixer.in_proj.bias"));
        set.matches("use_conv_bias", true, weights.has(prefix(0) + "mixer.conv1d.bias"));
        set.harmless("expand", "residual_in_fp32", "rescale_prenorm_residual", "use_mambapy", "use_falcon_mambapy", "use_associative_scan",
                "time_step_scale", "time_step_min", "time_step_max", "time_step_floor", "time_step_init_scheme");
        set.agrees("hidden_size", c.width());
        set.agrees("intermediate_size", c.inner());
        set.agrees("state_size", c.states());
        set.agrees("conv_kernel", c.taps());
        set.agreesOrAuto("time_step_rank", c.rank());
        set.agrees("vocab_size", (int) table[0]);
        return new FalconMambaConfig(layers, c, (int) table[0], set.flag("tie_word_embeddings", true));
    }

    private static String prefix(int layer) {
        return "backbone.layers." + layer + ".";
    }

    @Override
    public Block block(int layer, Weights weights) {
        return SelectiveScanBlock.read(weights, prefix(layer), sizes);
    }
}
