package lab.recall.model.mamba2;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import lab.recall.base.Json;
import lab.recall.math.HeadScan;
import lab.recall.model.Block;
import lab.recall.model.Body;
import lab.recall.model.Opening;
import lab.recall.model.Settings;
import lab.recall.model.Weights;
import lab.recall.model.block.DualSizes;
import lab.recall.model.block.StateSpaceDualBlock;

/**
 * A Mamba-2 model, its sizes read from its tensors; config.json gives what tensors cannot tell.
 *
 * @param layers     L
 * @param sizes      of each
 * @param vocabulary rows of the embedding
 * @param tied       whether the head is the embedding
 * @param embedding  its name: HuggingFace writes {@code embeddings}, state-spaces {@code embedding}
 * @param inBias     whether in_proj and out_proj have biases
 * @param convBias   whether the convolution has one
 */
record Mamba2Config(int layers, DualSizes sizes, int vocabulary, boolean tied, String embedding, boolean inBias, boolean convBias)
        implements Body {
    private static final String EMBEDDINGS = "backbone.embeddings.weight";
    private static final String MIXER = prefix(0) + "mixer.";

    /** Reads either form. */
    static Mamba2Config of(Opening from) {
        return from.config().has("hidden_size") ? ofHuggingFace(from) : ofStateSpaces(from);
    }

    private static Mamba2Config ofHuggingFace(Opening from) {
        Settings set = from.settings();
        set.word("hidden_act", "silu", "silu");
        DualSizes c = sizes(from, EMBEDDINGS, set, new String[] {"n_groups", "state_size", "head_dim", "time_step_limit"},
                new int[] {8, 128}, set.number("layer_norm_epsilon", 1e-5));
        set.agrees("hidden_size", c.width());
        set.harmless("expand", "chunk_size", "residual_in_fp32", "rescale_prenorm_residual", "time_step_rank", "time_step_min",
                "time_step_max", "time_step_floor", "intermediate_size");
        set.agrees("num_heads", c.scan().heads());
        set.agrees("conv_kernel", c.taps());
        Mamba2Config m = of(from, c, set.positive("num_hidden_layers"), set.flag("tie_word_embeddings", false), EMBEDDINGS);
        set.matches("use_bias", false, m.inBias);
        set.matches("use_conv_bias", true, m.convBias);
        set.agrees("vocab_size", m.vocabulary);
        return m;
    }

    /** What stands beside the sizes in {@code ssm_cfg} may change numbers too: each such field has the one value that is known. */
    private static Mamba2Config ofStateSpaces(Opening from) {
        Settings set = from.settings();
        set.only("rms_norm", true);
        set.none("attn_layer_idx", "d_intermediate");
        Settings ssm = set.inside("ssm_cfg");
        ssm.only("rmsnorm", true);
        ssm.only("norm_before_gate", false);
        ssm.only("D_has_hdim", false);
        ssm.none("d_ssm");
        ssm.word("activation", "swish", "swish", "silu");
        DualSizes c = sizes(from, "backbone.embedding.weight", ssm, new String[] {"ngroups", "d_state", "headdim", "dt_limit"},
                new int[] {1, 128}, 1e-5);
        ssm.harmless("layer", "expand", "chunk_size", "use_mem_eff_path", "dt_min", "dt_max", "dt_init_floor", "A_init_range", "conv_init");
        set.harmless("attn_cfg", "vocab_size", "pad_vocab_size_multiple", "fused_add_norm", "residual_in_fp32");
        set.agrees("d_model", c.width());
        ssm.agrees("d_conv", c.taps());
        Mamba2Config m = of(from, c, set.positive("n_layer"), set.flag("tie_embeddings", true), "backbone.embedding.weight");
        ssm.matches("bias", false, m.inBias);
        ssm.matches("conv_bias", true, m.convBias);
        return m;
    }

    private static Mamba2Config of(Opening from, DualSizes c, int layers, boolean tied, String embedding) {
        Weights weights = from.weights();
        return new Mamba2Config(layers, c, (int) weights.shape(embedding, 2)[0], tied, embedding,
                weights.has(MIXER + "in_proj.bias"), weights.has(MIXER + "conv1d.bias"));
    }

    /**
     * The sizes of a layer.
     *
     * @param keys      of groups, states, a head's channels, limits of delta
     * @param otherwise groups and states where they are not said
     */
    private static DualSizes sizes(Opening from, String embedding, Settings set, String[] keys, int[] otherwise, double epsilon) {
        Weights weights = from.weights();
        int width = (int) weights.shape(embedding, 2)[1];
        long[] conv = weights.shape(MIXER + "conv1d.weight", 3);
        int heads = (int) weights.shape(MIXER + "A_log", 1)[0];
        int inner = (int) weights.shape(MIXER + "norm.weight", 1)[0];
        int groups = set.positive(keys[0], otherwise[0]);
        int states = set.positive(keys[1], otherwise[1]);
        if (conv[0] - inner != 2L * groups * states) {
            throw set.refused(keys[1], states + " and " + keys[0] + " = " + groups + ", but " + MIXER + "conv1d.weight has "
                    + (conv[0] - inner) + " rows for B and C, expected 2 x " + groups + " x " + states);
        }
        if (inner % heads != 0 || heads % groups != 0 || inner % groups != 0) {
            throw set.refused(keys[0], groups + ", expected a divisor of the " + heads + " heads, which must divide the " + inner
                    + " channels");
        }
        set.agrees(keys[2], inner / heads);
        double[] limits = set.range(keys[3], 0, Double.POSITIVE_INFINITY);
        return new DualSizes(width, new HeadScan.Sizes(heads, inner / heads, states, groups), (int) conv[2], (float) epsilon,
                (float) limits[0], (float) limits[1]);
    }

    private static String prefix(int layer) {
        return "backbone.layers." + layer + ".";
    }

    @Override
    public Block block(int layer, Weights weights) {
        return StateSpaceDualBlock.read(weights, prefix(layer), sizes);
    }

    @Override
    public String publicName(String weight) {
        return weight.equals(embedding) ? EMBEDDINGS : weight;
    }

    /** The state-spaces form has other field names. */
    @Override
    public ObjectNode publicConfig(JsonNode stored) {
        if (stored.has("hidden_size")) {
            return stored.deepCopy();
        }
        return json(sizes, layers, vocabulary).put("use_bias", inBias).put("use_conv_bias", convBias).put("tie_word_embeddings", tied);
    }

    /** Sizes in HuggingFace's words; limits of delta where it has any. */
    static ObjectNode json(DualSizes c, int layers, int vocabulary) {
        ObjectNode json = Json.MAPPER.createObjectNode();
        json.putArray("architectures").add("Mamba2ForCausalLM");
        json.put("model_type", "mamba2").put("hidden_size", c.width()).put("num_hidden_layers", layers)
                .put("num_heads", c.scan().heads()).put("head_dim", c.scan().width()).put("state_size", c.scan().states())
                .put("n_groups", c.scan().groups()).put("conv_kernel", c.taps()).put("vocab_size", vocabulary)
                .put("layer_norm_epsilon", c.epsilon()).put("hidden_act", "silu").put("residual_in_fp32", true);
        if (c.inner() % c.width() == 0) {
            json.put("expand", c.inner() / c.width());
        } else {
            json.put("expand", (double) c.inner() / c.width());
        }
        if (c.least() > 0 || c.most() < Float.POSITIVE_INFINITY) {
            json.set("time_step_limit", Settings.range(c.least(), c.most()));
        }
        return json;
    }
}
