package lab.recall.model.block;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.Map;
import lab.recall.base.BadData;
import lab.recall.base.Json;
import lab.recall.checkpoint.GgufFamily;
import lab.recall.checkpoint.GgufFields;
import lab.recall.checkpoint.Tensor;

/**
 * Models of {@link SelectiveScanBlock}s in GGUF files: A instead of its logarithm, the convolution's taps without their middle size, a tied
 * head left out. Falcon-Mamba is told from Mamba-1 by {@code ssm.dt_b_c_rms}; the epsilon of these norms is not written: it is
 * transformers' own, 1e-6.
 */
public final class GgufScan implements GgufFamily {
    private static final String LAYER = "backbone.layers.*.";
    /** The names of a layer's mixer begin with it. */
    public static final String MIXER = LAYER + "mixer.";

    private final String architecture;
    private final String type;
    private final String className;
    private final boolean isNormed;

    /**
     * Of a family.
     *
     * @param architecture its general.architecture; families may share one
     * @param type         its model_type
     * @param className    transformers' class of it
     * @param isNormed     whether delta, B and C are normed
     */
    public GgufScan(String architecture, String type, String className, boolean isNormed) {
        this.architecture = architecture;
        this.type = type;
        this.className = className;
        this.isNormed = isNormed;
    }

    @Override
    public boolean reads(GgufFields fields) {
        return fields.flag("ssm.dt_b_c_rms", false) == isNormed;
    }

    @Override
    public String architecture() {
        return architecture;
    }

    @Override
    public Map<String, String> names() {
        return names(Map.of("blk.*.ssm_x.weight", MIXER + "x_proj.weight", "blk.*.ssm_dt.weight", MIXER + "dt_proj.weight",
                "blk.*.ssm_dt.bias", MIXER + "dt_proj.bias"));
    }

    /** Names of all models of a scan, and some more. */
    public static Map<String, String> names(Map<String, String> more) {
        Map<String, String> all = new HashMap<>(more);
        all.putAll(Map.of("token_embd.weight", "backbone.embeddings.weight", "output_norm.weight", "backbone.norm_f.weight",
                "output.weight", "lm_head.weight", "blk.*.attn_norm.weight", LAYER + "norm.weight",
                "blk.*.ssm_in.weight", MIXER + "in_proj.weight", "blk.*.ssm_out.weight", MIXER + "out_proj.weight",
                "blk.*.ssm_conv1d.weight", MIXER + "conv1d.weight", "blk.*.ssm_conv1d.bias", MIXER + "conv1d.bias",
                "blk.*.ssm_a", MIXER + "A_log", "blk.*.ssm_d", MIXER + "D"));
        return all;
    }

    @Override
    public ObjectNode config(GgufFields fields) {
        fields.harmless("context_length", "vocab_size", "feed_forward_length", "attention.head_count");
        ObjectNode config = Json.MAPPER.createObjectNode();
        config.putArray("architectures").add(className);
        int width = fields.count("embedding_length");
        int inner = fields.count("ssm.inner_size");
        if (inner % width == 0) {
            config.put("expand", inner / width);
        }
        if (isNormed) {
            config.put("mixer_rms_eps", 1e-6);
        }
        return config.put("model_type", type).put("hidden_size", width).put("num_hidden_layers", fields.count("block_count"))
                .put("intermediate_size", inner).put("state_size", fields.count("ssm.state_size"))
                .put("conv_kernel", fields.count("ssm.conv_kernel")).put("time_step_rank", fields.count("ssm.time_step_rank"))
                .put("vocab_size", fields.vocabulary()).put("layer_norm_epsilon", fields.number("attention.layer_norm_rms_epsilon"))
                .put("use_bias", false).put("use_conv_bias", true).put("hidden_act", "silu")
                .put("tie_word_embeddings", !fields.hasTensor("output.weight"));
    }

    @Override
    public Tensor restored(Tensor stored, GgufFields fields) {
        long[] shape = stored.shape();
        if (stored.name().endsWith(".conv1d.weight") && shape.length == 2) {
            return stored.shaped(shape[0], 1, shape[1]);
        }
        return stored.name().endsWith(".A_log") ? logarithm(stored, fields) : stored;
    }

    /** A_log of a file's A. */
    public static Tensor logarithm(Tensor stored, GgufFields fields) {
        return stored.mapped(a -> logarithm(a, stored.name(), fields));
    }

    private static double logarithm(double a, String name, GgufFields fields) {
        if (!(a <= 0)) {
            throw new BadData(fields.file(), name, "ssm_a holds " + a + ", expected no number above 0: it is -exp(A_log)");
        }
        return Math.log(-a);
    }
}
