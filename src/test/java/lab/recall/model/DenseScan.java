package lab.recall.model;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import lab.recall.base.Json;

/**
 * What a model of selective scans, or of scans of heads, has to compute, written out in f64 from its weights, with its states and writes
 * open to changes. Shares no code with the blocks.
 *
 * <pre>{@code
 * new DenseScan(model).logits(ids, (name, layer, token, value) -> ...)   // of the last token
 * }</pre>
 */
final class DenseScan {
    /** Sees a value where it is computed and may change it in place. */
    interface Touch {
        /**
         * One token's value, [E, N] or [H, P, N].
         *
         * @param name write, state, or seen: the copy of the state that the token's own read-out takes
         */
        void at(String name, int layer, int token, double[] value);
    }

    private final Map<String, double[]> weights = new LinkedHashMap<>();
    private final int layers;
    private final int width;
    private final double epsilon;
    private final double ofNorms;
    private final boolean heads;
    private final int groups;

    DenseScan(LanguageModel model) {
        model.weights().forEach((name, values) -> {
            double[] all = new double[values.length];
            Arrays.setAll(all, i -> values[i]);
            weights.put(name, all);
        });
        layers = model.layers();
        width = model.width();
        var config = Json.pythonObject(model.folder().resolve("config.json"));
        epsilon = config.path("layer_norm_epsilon").asDouble();
        ofNorms = config.path("mixer_rms_eps").asDouble(0);
        heads = config.has("num_heads");
        groups = config.path("n_groups").asInt(1);
    }

    double[] logits(int[] ids, Touch touch) {
        double[][] h = new double[ids.length][];
        double[] table = weights.get("backbone.embeddings.weight");
        for (int t = 0; t < ids.length; t++) {
            h[t] = Arrays.copyOfRange(table, ids[t] * width, (ids[t] + 1) * width);
        }
        for (int l = 0; l < layers; l++) {
            layer(l, h, touch);
        }
        double[] last = norm(h[ids.length - 1], 0, width, weights.get("backbone.norm_f.weight"), epsilon);
        return product(weights.getOrDefault("lm_head.weight", table), last);
    }

    private void layer(int l, double[][] h, Touch touch) {
        String m = "backbone.layers." + l + ".mixer.";
        double[] rates = weights.get(m + "A_log");
        double[] skip = weights.get(m + "D");
        double[] kernel = weights.get(m + "conv1d.weight");
        double[] bias = weights.get(m + "conv1d.bias");
        int channels = bias.length;
        int taps = kernel.length / channels;
        int inner = weights.get(m + "out_proj.weight").length / width;
        int states = heads ? (channels - inner) / 2 / groups : rates.length / inner;
        double[][] in = new double[h.length][];
        double[] state = new double[inner * states];
        for (int t = 0; t < h.length; t++) {
            double[] projected = product(weights.get(m + "in_proj.weight"),
                    norm(h[t], 0, width, weights.get("backbone.layers." + l + ".norm.weight"), epsilon));
            double[] z = Arrays.copyOfRange(projected, heads ? 0 : inner, heads ? inner : 2 * inner);
            in[t] = Arrays.copyOfRange(projected, heads ? inner : 0, (heads ? inner : 0) + channels);
            double[] act = bias.clone();
            for (int k = 0; k < taps; k++) {
                for (int c = 0; c < channels && t - k >= 0; c++) {
                    act[c] += kernel[c * taps + taps - 1 - k] * in[t - k][c];
                }
            }
            silu(act);
            double[] b;
            double[] c;
            double[] delta = new double[inner];
            if (heads) {
                int shared = groups * states;
                b = Arrays.copyOfRange(act, inner, inner + shared);
                c = Arrays.copyOfRange(act, inner + shared, inner + 2 * shared);
                double[] steps = Arrays.copyOfRange(projected, inner + channels, projected.length);
                for (int e = 0; e < inner; e++) {
                    int head = e * steps.length / inner;
                    delta[e] = softplus(steps[head] + weights.get(m + "dt_bias")[head]);
                }
            } else {
                double[] low = product(weights.get(m + "x_proj.weight"), act);
                int rank = low.length - 2 * states;
                double[] step = part(low, 0, rank);
                b = part(low, rank, states);
                c = part(low, rank + states, states);
                double[] steps = product(weights.get(m + "dt_proj.weight"), step);
                for (int e = 0; e < inner; e++) {
                    delta[e] = softplus(steps[e] + weights.get(m + "dt_proj.bias")[e]);
                }
            }
            double[] write = new double[inner * states];
            for (int i = 0; i < write.length; i++) {
                write[i] = delta[i / states] * act[i / states] * b[shared(i / states, inner, states) + i % states];
            }
            touch.at("write", l, t, write);
            for (int i = 0; i < state.length; i++) {
                double rate = heads ? rates[i / states * rates.length / inner] : rates[i];
                state[i] = Math.exp(-delta[i / states] * Math.exp(rate)) * state[i] + write[i];
            }
            touch.at("state", l, t, state);
            double[] seen = state.clone();
            touch.at("seen", l, t, seen);
            double[] y = new double[inner];
            for (int e = 0; e < inner; e++) {
                y[e] = skip[heads ? e * skip.length / inner : e] * act[e];
                for (int n = 0; n < states; n++) {
                    y[e] += seen[e * states + n] * c[shared(e, inner, states) + n];
                }
            }
            silu(z);
            for (int e = 0; e < inner; e++) {
                y[e] *= z[e];
            }
            if (heads) {
                double[] gated = new double[inner];
                int of = inner / groups;
                for (int g = 0; g < groups; g++) {
                    double[] scale = Arrays.copyOfRange(weights.get(m + "norm.weight"), g * of, (g + 1) * of);
                    System.arraycopy(norm(y, g * of, of, scale, epsilon), 0, gated, g * of, of);
                }
                y = gated;
            }
            double[] out = product(weights.get(m + "out_proj.weight"), y);
            for (int i = 0; i < width; i++) {
                h[t][i] += out[i];
            }
        }
    }

    /** Where B and C of a channel begin. */
    private int shared(int channel, int inner, int states) {
        return heads ? channel / (inner / groups) * states : 0;
    }

    /** A part of what x_proj puts out, normed where the family does so. */
    private double[] part(double[] low, int from, int count) {
        double[] ones = new double[count];
        Arrays.fill(ones, 1);
        return ofNorms > 0 ? norm(low, from, count, ones, ofNorms) : Arrays.copyOfRange(low, from, from + count);
    }

    private static double softplus(double x) {
        return Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0);
    }

    private static void silu(double[] x) {
        for (int i = 0; i < x.length; i++) {
            x[i] /= 1 + Math.exp(-x[i]);
        }
    }

    private static double[] norm(double[] x, int from, int count, double[] scale, double epsilon) {
        double square = 0;
        for (int i = 0; i < count; i++) {
            square += x[from + i] * x[from + i] / count;
        }
        double[] normed = new double[count];
        for (int i = 0; i < count; i++) {
            normed[i] = x[from + i] * scale[i] / Math.sqrt(square + epsilon);
        }
        return normed;
    }

    private static double[] product(double[] m, double[] x) {
        double[] y = new double[m.length / x.length];
        for (int o = 0; o < y.length; o++) {
            for (int i = 0; i < x.length; i++) {
                y[o] += m[o * x.length + i] * x[i];
            }
        }
        return y;
    }
}
