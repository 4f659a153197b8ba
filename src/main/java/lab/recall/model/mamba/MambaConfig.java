package lab.recall.model.mamba;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import lab.recall.base.Json;
import lab.recall.model.Block;
import lab.recall.model.Body;
import lab.recall.model.Opening;
import lab.recall.model.Settings;
import lab.recall.model.Weights;
import lab.recall.model.block.ScanSizes;
import lab.recall.model.block.SelectiveScanBlock;

/**
 * A Mamba-1 model, its sizes read from its tensors; config.json gives what tensors cannot tell.
 *
 * @param layers     L
 * @param sizes      of each
 * @param vocabulary rows of the embedding
 * @param tied       whether the head is the embedding
 * @param embedding  its name: HuggingFace writes {@code embeddings}, state-spaces {@code embedding}
 * @param inBias     whether in_proj has a bias
 * @param convBias   whether the convolution has one
 * @param layerNorm  whether norms take the mean away and have biases, which HuggingFace's layout cannot say
 */
record MambaConfig(int layers, ScanSizes sizes, int vocabulary, boolean tied, String embedding, boolean inBias, boolean convBias,
                   boolean layerNorm) implements Body {
    /** The final norm. */
    static final String LAST_NORM = "backbone.norm_f";
    private static final String EMBEDDINGS = "backbone.embeddings.weight";

    /** Reads either form: HuggingFace's (hidden_size, ..) or state-spaces' (d_model, ..). */
    static MambaConfig of(Opening from) {
        Settings set = from.settings();
        boolean original = !from.config().has("hidden_size");
        int layers = set.positive(original ? "n_layer" : "num_hidden_layers");
        double epsilon = original ? 1e-5 : set.number("layer_norm_epsilon", 1e-5);
        boolean tied = set.flag(set.named("tie_word_embeddings", "tie_embeddings"), true);
        Weights weights = from.weights();
        String embedding = weights.has(EMBEDDINGS) ? EMBEDDINGS : "backbone.embedding.weight";
        long[] table = weights.shape(embedding, 2);
        ScanSizes c = ScanSizes.of(weights, prefix(0), (int) table[1], (float) epsilon);
        boolean inBias = weights.has(prefix(0) + "mixer.in_proj.bias");
        boolean convBias = weights.has(prefix(0) + "mixer.conv1d.bias");
        set.only("hidden_act", "silu", "swish");
        set.only("ssm_cfg.layer", "Mamba1");
        set.only("d_intermediate", 0);
        set.only("attn_layer_idx", List.of());
        String[] sizes = {"d_model", "hidden_size", "d_inner", "intermediate_size", "ssm_cfg.d_state", "state_size", "ssm_cfg.d_conv",
            "conv_kernel"};
        int[] fromTensors = {c.width(), c.inner(), c.states(), c.taps()};
        for (int i = 0; i < sizes.length; i++) {
            set.agrees(sizes[i], fromTensors[i / 2]);
        }
        set.agreesOrAuto("ssm_cfg.dt_rank", c.rank());
        set.agreesOrAuto("time_step_rank", c.rank());
        for (String expand : new String[] {"expand", "ssm_cfg.expand"}) {
            set.agrees(expand, (double) c.inner() / c.width());
        }
        set.agrees("n_layer", layers);
        set.agrees("use_bias", inBias);
        set.agrees("ssm_cfg.bias", inBias);
        set.agrees("use_conv_bias", convBias);
        set.agrees("ssm_cfg.conv_bias", convBias);
        int multiple = original ? set.positive("pad_vocab_size_multiple", 8) : 1;
        set.agrees("vocab_size", (int) table[0], said -> Math.ceil(said / multiple) * multiple);
        set.harmless("pad_vocab_size_multiple", "residual_in_fp32", "fused_add_norm", "rescale_prenorm_residual", "use_mambapy",
                "use_associative_scan", "use_fast_path", "time_step_scale", "time_step_min", "time_step_max", "time_step_floor",
                "time_step_init_scheme", "attn_cfg", "ssm_cfg.dt_min", "ssm_cfg.dt_max", "ssm_cfg.dt_init", "ssm_cfg.dt_scale",
                "ssm_cfg.dt_init_floor", "ssm_cfg.use_fast_path");
        return new MambaConfig(layers, c, (int) table[0], tied, embedding, inBias, convBias, layerNorm(set, weights, layers));
    }

    /** Whether norms are layer norms; what config.json says of them must be what the tensors are. */
    private static boolean layerNorm(Settings set, Weights weights, int layers) {
        boolean rms = set.flag("rms_norm", true);
        for (int l = 0; l <= layers; l++) {
            String bias = (l < layers ? prefix(l) + "norm" : LAST_NORM) + ".bias";
            if (weights.has(bias) == rms) {
                throw set.refused("rms_norm", rms + (rms ? ", but there is a tensor " : ", but there is no tensor ") + bias);
            }
        }
        return !rms;
    }

    private static String prefix(int layer) {
        return "backbone.layers." + layer + ".";
    }

    @Override
    public Block block(int layer, Weights weights) {
        return SelectiveScanBlock.read(weights, prefix(layer), sizes);
    }

    @Override
    public String publicName(String weight) {
        return weight.equals(embedding) && !layerNorm ? EMBEDDINGS : weight;
    }

    /** The state-spaces form has other field names. */
    @Override
    public ObjectNode publicConfig(JsonNode stored) {
        if (stored.has("hidden_size") || layerNorm) {
            return stored.deepCopy();
        }
        ObjectNode json = Json.MAPPER.createObjectNode();
        json.putArray("architectures").add("MambaForCausalLM");
        return json.put("model_type", "mamba").put("hidden_size", sizes.width()).put("num_hidden_layers", layers)
                .put("state_size", sizes.states()).put("conv_kernel", sizes.taps()).put("expand", sizes.inner() / sizes.width())
                .put("intermediate_size", sizes.inner()).put("time_step_rank", sizes.rank()).put("vocab_size", vocabulary)
                .put("layer_norm_epsilon", sizes.epsilon()).put("use_bias", inBias).put("use_conv_bias", convBias)
                .put("hidden_act", "silu").put("residual_in_fp32", true)
                .put("tie_word_embeddings", tied);
    }
}
