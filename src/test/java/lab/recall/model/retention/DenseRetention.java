package lab.recall.model.retention;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleSupplier;
import lab.recall.base.Json;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;

/**
 * What the family has to compute, written out in f64 from the checkpoint's tensors: a token's reading is a plain sum over the tokens up to
 * it. Shares no code with the family.
 *
 * <pre>{@code
 * var dense = new DenseRetention(folder);
 * dense.logits(ids)                                          // [token][vocabulary]
 * dense.run(ids, (name, token, value) -> ..., (layer, source, target) -> false)   // values changed in place, edges left out
 * }</pre>
 */
public final class DenseRetention {
    /** Sees each value where it is computed and may change it in place. */
    public interface Touch {
        /**
         * One token's value.
         *
         * @param name full, such as layers.2.mix
         */
        void at(String name, int token, double[] value);
    }

    /** Tells which edges are left out. */
    public interface Cut {
        /** Whether the target does not read the source. */
        boolean has(int layer, int source, int target);
    }

    /** Sees everything, changes nothing. */
    public static final Touch NOTHING = (name, token, value) -> { };
    /** Leaves nothing out. */
    public static final Cut NO_EDGE = (layer, source, target) -> false;

    /** By name, as stored; may be changed. */
    public final Map<String, double[]> weights = new LinkedHashMap<>();
    private final int layers;
    private final int width;
    private final int vocabulary;
    private final int heads;
    private final int values;
    private final int keys;
    private final double epsilon;

    /** Of a folder with model.safetensors and config.json. */
    public DenseRetention(Path folder) {
        Map<String, Tensor> tensors = SafeTensors.read(folder.resolve("model.safetensors"));
        tensors.forEach((name, t) -> weights.put(name, t.doubles()));
        layers = Json.object(folder.resolve("config.json")).get("depth").asInt();
        epsilon = Json.object(folder.resolve("config.json")).get("epsilon").asDouble();
        vocabulary = (int) tensors.get("table").shape()[0];
        width = (int) tensors.get("table").shape()[1];
        heads = weights.get("stack.0.fade").length;
        values = (int) tensors.get("stack.0.out.kernel").shape()[0] / heads;
        keys = (int) tensors.get("stack.0.in.kernel").shape()[1] / heads / 2 - values;
    }

    /** Logits of every token. */
    public double[][] logits(int... ids) {
        return run(ids, NOTHING, NO_EDGE);
    }

    /** All values by full name, [token][width]; the memory after the last token as one row. */
    public Map<String, double[][]> values(int[] ids, Touch touch, Cut cut) {
        Map<String, double[][]> all = new LinkedHashMap<>();
        run(ids, (name, token, value) -> {
            touch.at(name, token, value);
            all.computeIfAbsent(name, n -> new double[n.endsWith(".memory") ? 1 : ids.length][])[token] = value.clone();
        }, cut);
        return all;
    }

    /** All values of a plain run. */
    public Map<String, double[][]> values(int... ids) {
        return values(ids, NOTHING, NO_EDGE);
    }

    /** Logits of every token of a run with changes. */
    public double[][] run(int[] ids, Touch touch, Cut cut) {
        double[][] h = new double[ids.length][width];
        for (int t = 0; t < ids.length; t++) {
            System.arraycopy(weights.get("table"), ids[t] * width, h[t], 0, width);
            touch.at("embed", t, h[t]);
        }
        for (int l = 0; l < layers; l++) {
            layer(l, h, touch, cut);
        }
        double[][] logits = new double[ids.length][vocabulary];
        for (int t = 0; t < ids.length; t++) {
            double[] normed = norm(h[t], weights.get("scale"));
            touch.at("final_norm", t, normed);
            for (int i = 0; i < vocabulary; i++) {
                for (int j = 0; j < width; j++) {
                    logits[t][i] += weights.get("answer")[i * width + j] * normed[j];
                }
            }
            touch.at("logits", t, logits[t]);
        }
        return logits;
    }

    private void layer(int l, double[][] h, Touch touch, Cut cut) {
        String here = "layers." + l + ".";
        String stored = "stack." + l + ".";
        int tokens = h.length;
        double[][][] of = new double[4][tokens][];
        String[] names = {"query", "key", "value", "valve_in"};
        int[] widths = {heads * keys, heads * keys, heads * values, heads * values};
        for (int t = 0; t < tokens; t++) {
            touch.at(here + "resid_pre", t, h[t]);
            double[] unit = norm(h[t], weights.get(stored + "scale"));
            touch.at(here + "unit", t, unit);
            double[] all = product(unit, weights.get(stored + "in.kernel"));
            for (int part = 0, from = 0; part < 4; from += widths[part++]) {
                of[part][t] = Arrays.copyOfRange(all, from, from + widths[part]);
                touch.at(here + names[part], t, of[part][t]);
            }
        }
        double[] rate = new double[heads];
        for (int i = 0; i < heads; i++) {
            rate[i] = 1 / (1 + Math.exp(-weights.get(stored + "fade")[i]));
        }
        for (int t = 0; t < tokens; t++) {
            double[] mix = new double[heads * values];
            for (int s = 0; s <= t; s++) {
                if (!cut.has(l, s, t)) {
                    double[] term = term(rate, t - s, of[0][t], of[1][s], of[2][s]);
                    for (int i = 0; i < mix.length; i++) {
                        mix[i] += term[i];
                    }
                }
            }
            touch.at(here + "mix", t, mix);
            double[] valve = of[3][t].clone();
            for (int i = 0; i < valve.length; i++) {
                valve[i] /= 1 + Math.exp(-valve[i]);
            }
            touch.at(here + "valve", t, valve);
            double[] carried = new double[valve.length];
            for (int i = 0; i < valve.length; i++) {
                carried[i] = mix[i] * valve[i];
            }
            touch.at(here + "carried", t, carried);
            double[] putOut = product(carried, weights.get(stored + "out.kernel"));
            for (int i = 0; i < width; i++) {
                putOut[i] += weights.get(stored + "out.shift")[i];
            }
            touch.at(here + "put_out", t, putOut);
            for (int i = 0; i < width; i++) {
                h[t][i] += putOut[i];
            }
            touch.at(here + "resid_post", t, h[t]);
        }
        touch.at(here + "memory", 0, memory(rate, of[1], of[2]));
    }

    /** r^distance (query key) value in each head: what an edge carries. */
    private double[] term(double[] rate, int distance, double[] query, double[] key, double[] value) {
        double[] term = new double[heads * values];
        for (int i = 0; i < heads; i++) {
            double weight = 0;
            for (int n = i * keys; n < (i + 1) * keys; n++) {
                weight += query[n] * key[n];
            }
            for (int p = i * values; p < (i + 1) * values; p++) {
                term[p] = Math.pow(rate[i], distance) * weight * value[p];
            }
        }
        return term;
    }

    /** The 2-norm of every edge's term in a layer of a plain run, [target][source]. */
    public double[][] termNorms(int layer, int... ids) {
        Map<String, double[][]> all = values(ids);
        double[][] norms = new double[ids.length][ids.length];
        for (int t = 0; t < ids.length; t++) {
            for (int s = 0; s <= t; s++) {
                double sum = 0;
                for (double x : term(layer, all, s, t)) {
                    sum += x * x;
                }
                norms[t][s] = Math.sqrt(sum);
            }
        }
        return norms;
    }

    /** What an edge carries in a layer of a run with these values. */
    public double[] term(int layer, Map<String, double[][]> all, int source, int target) {
        double[] rate = weights.get("stack." + layer + ".fade").clone();
        for (int i = 0; i < rate.length; i++) {
            rate[i] = 1 / (1 + Math.exp(-rate[i]));
        }
        String here = "layers." + layer + ".";
        return term(rate, target - source, all.get(here + "query")[target], all.get(here + "key")[source], all.get(here + "value")[source]);
    }

    /** Sum over tokens of r^(tokens after it) key' value, head after head. */
    private double[] memory(double[] rate, double[][] key, double[][] value) {
        double[] memory = new double[heads * keys * values];
        for (int s = 0; s < key.length; s++) {
            for (int n = 0; n < heads * keys; n++) {
                for (int p = 0; p < values; p++) {
                    int i = n / keys;
                    memory[n * values + p] += Math.pow(rate[i], key.length - 1 - s) * key[s][n] * value[s][i * values + p];
                }
            }
        }
        return memory;
    }

    private double[] norm(double[] x, double[] scale) {
        double square = 0;
        for (double v : x) {
            square += v * v / x.length;
        }
        double[] normed = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            normed[i] = x[i] * scale[i] / Math.sqrt(square + epsilon);
        }
        return normed;
    }

    /** x M, M [inputs, outputs]. */
    private static double[] product(double[] x, double[] m) {
        int outputs = m.length / x.length;
        double[] y = new double[outputs];
        for (int i = 0; i < x.length; i++) {
            for (int o = 0; o < outputs; o++) {
                y[o] += x[i] * m[i * outputs + o];
            }
        }
        return y;
    }

    /** Logits of a last residual stream. */
    public double[] head(double[] stream) {
        double[] normed = norm(stream, weights.get("scale"));
        double[] logits = new double[vocabulary];
        for (int i = 0; i < vocabulary; i++) {
            for (int j = 0; j < width; j++) {
                logits[i] += weights.get("answer")[i * width + j] * normed[j];
            }
        }
        return logits;
    }

    /** Log-probability of an id. */
    public static double log(double[] logits, int id) {
        double sum = 0;
        for (double x : logits) {
            sum += Math.exp(x - logits[id]);
        }
        return -Math.log(sum);
    }

    /** Derivatives of a number with respect to each of some others, by central differences. */
    public static double[] differences(double[] of, DoubleSupplier number) {
        double step = 1e-5;
        double[] found = new double[of.length];
        for (int i = 0; i < of.length; i++) {
            double was = of[i];
            of[i] = was + step;
            double above = number.getAsDouble();
            of[i] = was - step;
            found[i] = (above - number.getAsDouble()) / (2 * step);
            of[i] = was;
        }
        return found;
    }
}
