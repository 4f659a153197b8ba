package lab.recall.model.mamba2;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import lab.recall.base.Json;
import lab.recall.checkpoint.GgufFamily;
import lab.recall.checkpoint.GgufFields;
import lab.recall.checkpoint.Tensor;
import lab.recall.model.block.GgufScan;

/** Mamba-2 in GGUF files: A instead of its logarithm, A and D as columns, the gated norm group by group, a tied head left out. */
final class GgufMamba2 implements GgufFamily {
    @Override
    public String architecture() {
        return "mamba2";
    }

    @Override
    public Map<String, String> names() {
        return GgufScan.names(Map.of("blk.*.ssm_dt.bias", GgufScan.MIXER + "dt_bias",
                "blk.*.ssm_norm.weight", GgufScan.MIXER + "norm.weight"));
    }

    @Override
    public ObjectNode config(GgufFields fields) {
        fields.harmless("context_length", "vocab_size", "feed_forward_length", "attention.head_count");
        ObjectNode config = Json.MAPPER.createObjectNode();
        config.putArray("architectures").add("Mamba2ForCausalLM");
        int width = fields.count("embedding_length");
        int inner = fields.count("ssm.inner_size");
        int heads = fields.count("ssm.time_step_rank");
        if (inner % heads != 0) {
            throw fields.bad("ssm.time_step_rank", "is " + heads + ", the number of heads, by which ssm.inner_size = " + inner
                    + " cannot be divided");
        }
        if (inner % width == 0) {
            config.put("expand", inner / width);
        }
        return config.put("model_type", "mamba2").put("hidden_size", width).put("num_hidden_layers", fields.count("block_count"))
                .put("num_heads", heads).put("head_dim", inner / heads).put("state_size", fields.count("ssm.state_size"))
                .put("n_groups", fields.count("ssm.group_count")).put("conv_kernel", fields.count("ssm.conv_kernel"))
                .put("vocab_size", fields.vocabulary()).put("layer_norm_epsilon", fields.number("attention.layer_norm_rms_epsilon"))
                .put("use_bias", false).put("use_conv_bias", true).put("hidden_act", "silu")
                .put("tie_word_embeddings", !fields.hasTensor("output.weight"));
    }

    @Override
    public Tensor restored(Tensor stored, GgufFields fields) {
        String name = stored.name();
        long[] shape = stored.shape();
        if (shape.length != 2) {
            return stored;                      // a wrong shape is refused where it is read
        }
        if (name.endsWith(".conv1d.weight")) {
            return stored.shaped(shape[0], 1, shape[1]);
        }
        if (name.endsWith(".A_log")) {
            return GgufScan.logarithm(stored.shaped(shape[0] * shape[1]), fields);
        }
        return name.endsWith(".D") || name.endsWith(".mixer.norm.weight") ? stored.shaped(shape[0] * shape[1]) : stored;
    }
}
