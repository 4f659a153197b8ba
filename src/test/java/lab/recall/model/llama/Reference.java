package lab.recall.model.llama;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoubleUnaryOperator;
import lab.recall.checkpoint.Tensor;

/** The golden Llama's forward pass in plain loops over doubles, with any weights of its sizes, biases and rotary frequencies. */
final class Reference {
    private static final int D = 48;
    private static final int HEADS = 4;
    private static final int KEY_HEADS = 2;
    private static final int WIDTH = 12;
    private static final int LAYERS = 4;
    private static final double EPSILON = 1e-5;

    private final Map<String, double[]> weights = new TreeMap<>();
    private final double[] frequencies = new double[WIDTH / 2];

    Reference(Map<String, Tensor> tensors, double theta, DoubleUnaryOperator scaled) {
        tensors.forEach((name, t) -> weights.put(name, t.doubles()));
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = scaled.applyAsDouble(1 / Math.pow(theta, 2.0 * i / WIDTH));
        }
    }

    /** Logits of every token. */
    double[][] logits(int[] ids) {
        double[][] h = new double[ids.length][D];
        for (int t = 0; t < ids.length; t++) {
            System.arraycopy(weights.get("model.embed_tokens.weight"), ids[t] * D, h[t], 0, D);
        }
        for (int l = 0; l < LAYERS; l++) {
            String layer = "model.layers." + l + ".";
            double[][] out = attention(norm(h, layer + "input_layernorm.weight"), layer + "self_attn.");
            add(h, out);
            double[][] normed = norm(h, layer + "post_attention_layernorm.weight");
            double[][] gate = map(normed, layer + "mlp.gate_proj");
            double[][] up = map(normed, layer + "mlp.up_proj");
            for (int t = 0; t < ids.length; t++) {
                for (int i = 0; i < up[t].length; i++) {
                    up[t][i] *= gate[t][i] / (1 + Math.exp(-gate[t][i]));
                }
            }
            add(h, map(up, layer + "mlp.down_proj"));
        }
        return map(norm(h, "model.norm.weight"), "lm_head");
    }

    private double[][] attention(double[][] x, String name) {
        double[][] q = turned(map(x, name + "q_proj"));
        double[][] k = turned(map(x, name + "k_proj"));
        double[][] v = map(x, name + "v_proj");
        double[][] ctx = new double[x.length][HEADS * WIDTH];
        for (int head = 0; head < HEADS; head++) {
            int from = head / (HEADS / KEY_HEADS) * WIDTH;
            for (int t = 0; t < x.length; t++) {
                double[] w = new double[t + 1];
                double sum = 0;
                for (int s = 0; s <= t; s++) {
                    double score = 0;
                    for (int i = 0; i < WIDTH; i++) {
                        score += q[t][head * WIDTH + i] * k[s][from + i];
                    }
                    w[s] = Math.exp(score / Math.sqrt(WIDTH));
                    sum += w[s];
                }
                for (int s = 0; s <= t; s++) {
                    for (int i = 0; i < WIDTH; i++) {
                        ctx[t][head * WIDTH + i] += w[s] / sum * v[s][from + i];
                    }
                }
            }
        }
        return map(ctx, name + "o_proj");
    }

    private double[][] turned(double[][] x) {
        int half = WIDTH / 2;
        for (int t = 0; t < x.length; t++) {
            for (int at = 0; at < x[t].length; at += WIDTH) {
                for (int i = 0; i < half; i++) {
                    double cos = Math.cos(t * frequencies[i]);
                    double sin = Math.sin(t * frequencies[i]);
                    double a = x[t][at + i];
                    double b = x[t][at + half + i];
                    x[t][at + i] = a * cos - b * sin;
                    x[t][at + half + i] = b * cos + a * sin;
                }
            }
        }
        return x;
    }

    private double[][] map(double[][] x, String name) {
        double[] weight = weights.get(name + ".weight");
        double[] bias = weights.get(name + ".bias");
        int inputs = x[0].length;
        double[][] y = new double[x.length][weight.length / inputs];
        for (int t = 0; t < x.length; t++) {
            for (int o = 0; o < y[t].length; o++) {
                double sum = bias == null ? 0 : bias[o];
                for (int i = 0; i < inputs; i++) {
                    sum += weight[o * inputs + i] * x[t][i];
                }
                y[t][o] = sum;
            }
        }
        return y;
    }

    private double[][] norm(double[][] x, String name) {
        double[] weight = weights.get(name);
        double[][] y = new double[x.length][D];
        for (int t = 0; t < x.length; t++) {
            double square = 0;
            for (double v : x[t]) {
                square += v * v / D;
            }
            for (int i = 0; i < D; i++) {
                y[t][i] = x[t][i] / Math.sqrt(square + EPSILON) * weight[i];
            }
        }
        return y;
    }

    private static void add(double[][] h, double[][] out) {
        for (int t = 0; t < h.length; t++) {
            for (int i = 0; i < D; i++) {
                h[t][i] += out[t][i];
            }
        }
    }
}
