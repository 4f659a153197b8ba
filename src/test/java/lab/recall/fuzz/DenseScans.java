package lab.recall.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import lab.recall.base.Json;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;

/**
 * Mamba, Falcon-Mamba and Mamba-2: HuggingFace's form, and that of state-spaces, which has a {@code d_model}. States and writes are open to
 * changes.
 *
 * <pre>{@code
 * DenseScans.of(model.folder()).logits(ids, (name, layer, token, value) -> ...)
 * }</pre>
 */
public final class DenseScans extends Dense {
    /** Sees a value where it is computed and may change it in place. */
    public interface Touch {
        /**
         * One token's value, [E, N] or [H, P, N].
         *
         * @param name write, state, or seen: the copy of the state that the token's own read-out takes
         */
        void at(String name, int layer, int token, double[] value);
    }

    private final boolean second;
    private final boolean falcon;
    private final boolean original;
    private final String embedding;
    private Touch touch = (name, layer, token, value) -> { };

    DenseScans(JsonNode config, Map<String, Tensor> tensors) {
        super(config, tensors);
        this.falcon = config.path("model_type").asText().equals("falcon_mamba");
        this.original = !falcon && !config.has("hidden_size");
        this.second = config.path("model_type").asText().equals("mamba2") || config.path("ssm_cfg").path("layer").asText().equals("Mamba2");
        this.embedding = has("backbone.embeddings.weight") ? "backbone.embeddings.weight" : "backbone.embedding.weight";
    }

    /** Of a folder in HuggingFace's form with its weights in one file. */
    public static DenseScans of(Path folder) {
        return new DenseScans(Json.pythonObject(folder.resolve("config.json")), SafeTensors.read(folder.resolve("model.safetensors")));
    }

    /** Of the last token, with what is touched on the way. */
    public double[] logits(int[] ids, Touch by) {
        touch = by;
        return logits(ids);
    }

    @Override
    double[] logits(int[] ids) {
        int layers = count(original ? "n_layer" : "num_hidden_layers");
        double epsilon = original ? 1e-5 : number("layer_norm_epsilon", 1e-5);
        boolean centred = !second && !falcon && !flag("rms_norm", true);
        double[][] h = embedded(embedding, ids);
        String mixer = "backbone.layers.0.mixer.";
        boolean bias = has(mixer + "in_proj.bias");
        boolean convBias = has(mixer + "conv1d.bias");
        int taps = (int) weight(mixer + "conv1d.weight").length / rows(mixer + "conv1d.weight");
        if (second) {
            dual(mixer, h[0].length, taps);
        } else {
            single(mixer, h[0].length, taps, layers);
        }
        if (second || falcon) {
            only(inside("bias", "use_bias"), bias);
            only(inside("conv_bias", "use_conv_bias"), convBias);
        } else {
            for (String key : new String[] {"use_bias", "ssm_cfg.bias"}) {
                size(key, bias);
            }
            for (String key : new String[] {"use_conv_bias", "ssm_cfg.conv_bias"}) {
                size(key, convBias);
            }
        }
        for (int l = 0; l < layers; l++) {
            String name = "backbone.layers." + l + ".";
            double[][] x = norm(h, name + "norm", epsilon, centred);
            add(h, second ? dualMixer(l, x, name + "mixer.", epsilon) : mixer(l, x, name + "mixer."));
        }
        boolean tied = flag("tie_word_embeddings", flag("tie_embeddings", !second || original));
        double[][] last = {norm(h, "backbone.norm_f", epsilon, centred)[ids.length - 1]};
        return map(last, tied ? embedding.replace(".weight", "") : "lm_head")[0];
    }

    private String inside(String stateSpaces, String huggingFace) {
        return original ? "ssm_cfg." + stateSpaces : huggingFace;
    }

    private void single(String mixer, int width, int taps, int layers) {
        only("hidden_act", "silu", falcon ? "silu" : "swish");
        int inner = rows(mixer + "out_proj.weight") == width ? columns(mixer + "out_proj.weight") : 0;
        sizes(width, inner, columns(mixer + "A_log"), taps, columns(mixer + "dt_proj.weight"));
        if (!falcon) {
            only("ssm_cfg.layer", "Mamba1");
            only("d_intermediate", 0);
            only("attn_layer_idx", "[]");
            size("expand", (double) inner / width);
            size("ssm_cfg.expand", (double) inner / width);
            size("n_layer", layers);
        }
        double padded = Math.ceil(at("vocab_size").asDouble() / multiple()) * multiple();
        if (padded == rows(embedding)) {
            read().add("vocab_size");
        }
    }

    private double multiple() {
        return original ? number("pad_vocab_size_multiple", 8) : 1;
    }

    private void sizes(int width, int inner, int states, int taps, int rank) {
        String[] keys = {"d_model", "hidden_size", "d_inner", "intermediate_size", "ssm_cfg.d_state", "state_size", "ssm_cfg.d_conv",
            "conv_kernel", "ssm_cfg.dt_rank", "time_step_rank"};
        int[] said = {width, inner, states, taps, rank};
        for (int i = 0; i < keys.length; i++) {
            size(keys[i], said[i / 2]);
            if (keys[i].endsWith("rank")) {
                leftOpen(keys[i]);
            }
        }
    }

    private void dual(String mixer, int width, int taps) {
        if (original) {
            only("rms_norm", true);
            only("attn_layer_idx", "[]", 0);
            only("d_intermediate", "[]", 0);
            only("ssm_cfg.rmsnorm", true);
            only("ssm_cfg.norm_before_gate", false);
            only("ssm_cfg.D_has_hdim", false);
            only("ssm_cfg.d_ssm", "[]", 0);
            only("ssm_cfg.activation", "swish", "silu");
            size("d_model", width);
            size("ssm_cfg.d_conv", taps);
        } else {
            only("hidden_act", "silu");
            size("hidden_size", width);
            size("conv_kernel", taps);
            size("vocab_size", rows(embedding));
        }
        size("num_heads", rows(mixer + "A_log"));
        size(inside("headdim", "head_dim"), (double) rows(mixer + "norm.weight") / rows(mixer + "A_log"));
    }

    private double[][] convolved(double[][] x, String name) {
        double[] w = weight(name + "conv1d.weight");
        int channels = x[0].length;
        int taps = w.length / channels;
        double[][] y = new double[x.length][channels];
        for (int t = 0; t < x.length; t++) {
            for (int e = 0; e < channels; e++) {
                double sum = has(name + "conv1d.bias") ? weight(name + "conv1d.bias")[e] : 0;
                for (int k = Math.max(0, taps - 1 - t); k < taps; k++) {
                    sum += w[e * taps + k] * x[t - taps + 1 + k][e];
                }
                y[t][e] = silu(sum);
            }
        }
        return y;
    }

    private double[][] mixer(int layer, double[][] x, String name) {
        int states = columns(name + "A_log");
        int rank = columns(name + "dt_proj.weight");
        double[][] both = map(x, name + "in_proj");
        int inner = both[0].length / 2;
        double[][] a = convolved(columns(both, 0, inner), name);
        double[][] parts = map(a, name + "x_proj");
        double[][] low = inner(columns(parts, 0, rank));
        double[][] b = inner(columns(parts, rank, states));
        double[][] c = inner(columns(parts, rank + states, states));
        double[][] delta = map(low, name + "dt_proj");
        each(delta, Dense::softplus);
        return map(gated(scan(layer, name, a, delta, b, c, states), columns(both, inner, inner)), name + "out_proj");
    }

    private static double[][] gated(double[][] y, double[][] z) {
        for (int t = 0; t < y.length; t++) {
            for (int e = 0; e < y[t].length; e++) {
                y[t][e] *= silu(z[t][e]);
            }
        }
        return y;
    }

    /**
     * The recurrence, and what is read of it.
     *
     * @param x     [T, E], like delta
     * @param b     [T, G N], like c, of groups of channels
     */
    private double[][] scan(int layer, String name, double[][] x, double[][] delta, double[][] b, double[][] c, int states) {
        double[] rates = weight(name + "A_log");
        double[] skip = weight(name + "D");
        int inner = x[0].length;
        int groups = b[0].length / states;
        double[] state = new double[inner * states];
        double[][] y = new double[x.length][inner];
        for (int t = 0; t < x.length; t++) {
            double[] write = new double[state.length];
            for (int i = 0; i < write.length; i++) {
                int e = i / states;
                write[i] = delta[t][e] * x[t][e] * b[t][e / (inner / groups) * states + i % states];
            }
            touch.at("write", layer, t, write);
            for (int i = 0; i < state.length; i++) {
                double rate = rates[i / (state.length / rates.length)];         // of a channel and state, or of a head
                state[i] = Math.exp(-delta[t][i / states] * Math.exp(rate)) * state[i] + write[i];
            }
            touch.at("state", layer, t, state);
            double[] seen = state.clone();
            touch.at("seen", layer, t, seen);
            for (int e = 0; e < inner; e++) {
                y[t][e] = skip[e / (inner / skip.length)] * x[t][e];
                for (int n = 0; n < states; n++) {
                    y[t][e] += c[t][e / (inner / groups) * states + n] * seen[e * states + n];
                }
            }
        }
        return y;
    }

    /** Falcon-Mamba's norms without weights. */
    private double[][] inner(double[][] x) {
        if (falcon) {
            double epsilon = number("mixer_rms_eps", 1e-6);
            for (int t = 0; t < x.length; t++) {
                x[t] = scaled(x[t], epsilon);
            }
        }
        return x;
    }

    private double[][] dualMixer(int layer, double[][] x, String name, double epsilon) {
        int inner = rows(name + "norm.weight");
        int heads = rows(name + "A_log");
        int groups = (int) number(inside("ngroups", "n_groups"), original ? 1 : 8);
        int states = (int) number(inside("d_state", "state_size"), 128);
        String limit = inside("dt_limit", "time_step_limit");
        double least = says(limit) ? at(limit).get(0).doubleValue() : 0;
        double most = says(limit) ? at(limit).get(1).doubleValue() : Double.POSITIVE_INFINITY;
        double[][] all = map(x, name + "in_proj");
        double[][] conv = convolved(columns(all, inner, inner + 2 * groups * states), name);
        double[][] delta = new double[x.length][inner];
        for (int t = 0; t < x.length; t++) {
            for (int e = 0; e < inner; e++) {
                int head = e / (inner / heads);
                double step = softplus(all[t][all[t].length - heads + head] + weight(name + "dt_bias")[head]);
                delta[t][e] = Math.min(Math.max(step, least), most);
            }
        }
        double[][] y = scan(layer, name, columns(conv, 0, inner), delta, columns(conv, inner, groups * states),
                columns(conv, inner + groups * states, groups * states), states);
        double[][] gated = gated(y, all);
        for (int t = 0; t < x.length; t++) {
            for (int g = 0; g < groups; g++) {
                double[] part = scaled(Arrays.copyOfRange(gated[t], g * inner / groups, (g + 1) * inner / groups), epsilon);
                for (int i = 0; i < part.length; i++) {
                    int e = g * inner / groups + i;
                    gated[t][e] = part[i] * weight(name + "norm.weight")[e];
                }
            }
        }
        return map(gated, name + "out_proj");
    }
}
