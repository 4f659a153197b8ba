package lab.recall.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.checkpoint.Checkpoint;
import lab.recall.checkpoint.Tensor;

/**
 * Models that have learned nothing yet: seeded random weights in HuggingFace's layout, f32.
 *
 * <pre>{@code
 * FreshModel.mamba(64, 8, 8, 800, seed).write(folder, tokenizer);    // width, layers, states, vocabulary
 * FreshModel.neox(96, 8, 2, 800, seed).write(folder, tokenizer);     // width, layers, heads, vocabulary
 * }</pre>
 *
 * Matrices start with a variance of 1 / inputs, those that write to the residual stream with one that is 2 L times smaller; a Mamba's decay
 * rates are 1..N and its step sizes log-uniform from 0.001 to 0.1. Source: Gu and Dao, arXiv 2312.00752, section 3.6 and appendix E.
 */
public final class FreshModel {
    /** Longest row of a GPT-NeoX, as its configuration says. */
    public static final int POSITIONS = 512;

    private static final double EMBEDDING = 0.05;
    private static final int EXPAND = 2;
    private static final int TAPS = 4;

    private final Random random;
    private final ObjectNode config = Json.MAPPER.createObjectNode();
    private final List<Tensor> tensors = new ArrayList<>();

    private FreshModel(long seed) {
        this.random = new Random(seed);
    }

    /** A Mamba-1: inner width 2 d, 4 taps, delta of rank d / 16, head and embedding tied. */
    public static FreshModel mamba(int width, int layers, int states, int vocabulary, long seed) {
        FreshModel m = new FreshModel(seed);
        int e = EXPAND * width;
        int rank = (width + 15) / 16;
        m.normal("backbone.embeddings.weight", EMBEDDING, vocabulary, width);
        for (int l = 0; l < layers; l++) {
            String layer = "backbone.layers." + l + ".";
            String mixer = layer + "mixer.";
            m.constant(layer + "norm.weight", 1, width);
            m.matrix(mixer + "in_proj.weight", 2 * e, width, 1);
            m.uniform(mixer + "conv1d.weight", 1 / Math.sqrt(TAPS), e, 1, TAPS);
            m.uniform(mixer + "conv1d.bias", 1 / Math.sqrt(TAPS), e);
            m.matrix(mixer + "x_proj.weight", rank + 2 * states, e, 1);
            m.uniform(mixer + "dt_proj.weight", 1 / Math.sqrt(rank), e, rank);
            m.stepSizes(mixer + "dt_proj.bias", e);
            m.decays(mixer + "A_log", e, states);
            m.constant(mixer + "D", 1, e);
            m.matrix(mixer + "out_proj.weight", width, e, 2 * layers);
        }
        m.constant("backbone.norm_f.weight", 1, width);
        m.config.putArray("architectures").add("MambaForCausalLM");
        m.config.put("model_type", "mamba").put("hidden_size", width).put("intermediate_size", e).put("num_hidden_layers", layers)
                .put("state_size", states).put("conv_kernel", TAPS).put("expand", EXPAND)
                .put("time_step_rank", rank).put("vocab_size", vocabulary)
                .put("layer_norm_epsilon", 1e-5).put("use_bias", false).put("use_conv_bias", true).put("hidden_act", "silu")
                .put("residual_in_fp32", true).put("tie_word_embeddings", true).put("bos_token_id", 0).put("eos_token_id", 0)
                .put("pad_token_id", 0).put("torch_dtype", "float32");
        return m;
    }

    /**
     * A GPT-NeoX: MLP of 4 d, a quarter of each head rotary, attention and MLP side by side, head and embedding apart.
     *
     * @throws BadRequest when the heads do not divide the width
     */
    public static FreshModel neox(int width, int layers, int heads, int vocabulary, long seed) {
        if (width % heads != 0) {
            throw new BadRequest("heads", heads + " do not divide the width " + width);
        }
        FreshModel m = new FreshModel(seed);
        int hidden = 4 * width;
        m.normal("gpt_neox.embed_in.weight", EMBEDDING, vocabulary, width);
        for (int l = 0; l < layers; l++) {
            String layer = "gpt_neox.layers." + l + ".";
            for (String norm : new String[] {"input_layernorm", "post_attention_layernorm"}) {
                m.norm(layer + norm, width);
            }
            m.linear(layer + "attention.query_key_value", 3 * width, width, 1);
            m.linear(layer + "attention.dense", width, width, 2 * layers);
            m.linear(layer + "mlp.dense_h_to_4h", hidden, width, 1);
            m.linear(layer + "mlp.dense_4h_to_h", width, hidden, 2 * layers);
        }
        m.norm("gpt_neox.final_layer_norm", width);
        m.matrix("embed_out.weight", vocabulary, width, 1);
        m.config.putArray("architectures").add("GPTNeoXForCausalLM");
        m.config.put("model_type", "gpt_neox").put("hidden_size", width).put("intermediate_size", hidden).put("num_hidden_layers", layers)
                .put("num_attention_heads", heads).put("vocab_size", vocabulary).put("rotary_pct", 0.25).put("rotary_emb_base", 10000)
                .put("use_parallel_residual", true).put("layer_norm_eps", 1e-5).put("hidden_act", "gelu")
                .put("max_position_embeddings", POSITIONS)
                .put("tie_word_embeddings", false).put("bos_token_id", 0).put("eos_token_id", 0).put("torch_dtype", "float32");
        return m;
    }

    /**
     * Writes the model's folder with a copy of its tokenizer.json, and opens it.
     *
     * @throws java.io.UncheckedIOException when it cannot be written
     */
    public LanguageModel write(Path folder, Path tokenizer) {
        Checkpoint.write(folder, config, tensors, Map.of("tokenizer.json", tokenizer));
        return LanguageModel.open(folder);
    }

    private void norm(String name, int width) {
        constant(name + ".weight", 1, width);
        constant(name + ".bias", 0, width);
    }

    private void linear(String name, int outputs, int inputs, double smaller) {
        matrix(name + ".weight", outputs, inputs, smaller);
        constant(name + ".bias", 0, outputs);
    }

    private void matrix(String name, int outputs, int inputs, double smaller) {
        normal(name, 1 / Math.sqrt(inputs * smaller), outputs, inputs);
    }

    private interface Draw {
        double at(int index);
    }

    private void add(String name, Draw draw, long... shape) {
        int size = 1;
        for (long s : shape) {
            size = Math.multiplyExact(size, (int) s);
        }
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) draw.at(i);
        }
        tensors.add(Tensor.of(name, values, shape));
    }

    private void normal(String name, double deviation, long... shape) {
        add(name, i -> deviation * random.nextGaussian(), shape);
    }

    private void uniform(String name, double most, long... shape) {
        add(name, i -> most * (2 * random.nextDouble() - 1), shape);
    }

    private void constant(String name, double value, long... shape) {
        add(name, i -> value, shape);
    }

    private void decays(String name, int channels, int states) {
        add(name, i -> Math.log(1 + i % states), channels, states);
    }

    /** The inverse of softplus at log-uniform step sizes. */
    private void stepSizes(String name, int channels) {
        add(name, i -> {
            double step = Math.exp(random.nextDouble() * Math.log(100) + Math.log(0.001));
            return step + Math.log(-Math.expm1(-step));
        }, channels);
    }
}
