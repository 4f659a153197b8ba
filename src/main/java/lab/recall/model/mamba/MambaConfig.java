package lab.recall.model.mamba;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import lab.recall.base.Json;
import lab.recall.model.Activation;
import lab.recall.model.Block;
import lab.recall.model.Body;
import lab.recall.model.HookPoint;
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
 */
record MambaConfig(int layers, ScanSizes sizes, int vocabulary, boolean tied, String embedding, boolean inBias, boolean convBias)
        implements Body {
    private static final String EMBEDDINGS = "backbone.embeddings.weight";

    /** Reads either form: HuggingFace's (hidden_size, ..) or state-spaces' (d_model, ..). */
    static MambaConfig of(Opening from) {
        Settings set = from.settings();
        boolean original = !from.config().has("hidden_size");
        int layers = set.positive(original ? "n_layer" : "num_hidden_layers");
        double epsilon = original ? 1e-5 : set.number("layer_norm_epsilon", 1e-5);
        boolean tied = set.flag(original ? "tie_embeddings" : "tie_word_embeddings", true);
        Weights weights = from.weights();
        String embedding = weights.has(EMBEDDINGS) ? EMBEDDINGS : "backbone.embedding.weight";
        long[] table = weights.shape(embedding, 2);
        ScanSizes c = ScanSizes.of(weights, prefix(0), (int) table[1], (float) epsilon);
        set.agrees(original ? "d_model" : "hidden_size", c.width());
        set.agrees("intermediate_size", c.inner());
        set.agrees("d_inner", c.inner());
        set.agrees("state_size", c.states());
        set.agrees("conv_kernel", c.taps());
        set.agrees("time_step_rank", c.rank());
        if (!original) {
            set.agrees("vocab_size", (int) table[0]);
        }
        return new MambaConfig(layers, c, (int) table[0], tied, embedding, weights.has(prefix(0) + "mixer.in_proj.bias"),
                weights.has(prefix(0) + "mixer.conv1d.bias"));
    }

    private static String prefix(int layer) {
        return "backbone.layers." + layer + ".";
    }

    @Override
    public Block block(int layer, Weights weights) {
        return SelectiveScanBlock.read(weights, prefix(layer), sizes);
    }

    @Override
    public int width(HookPoint point) {
        return sizes.width(point);
    }

    @Override
    public Activation whole(String name, HookPoint point, float[] values, int tokens) {
        return sizes.state(name, point, values);
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
