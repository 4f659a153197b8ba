package lab.recall.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import lab.recall.checkpoint.Tensor;

/** GPT-NeoX, GPT-2, and Llama with Mistral and Qwen2, for prompts within every window. */
final class DenseAttention extends Dense {
    private final String type;
    private String rope = "";

    DenseAttention(JsonNode config, Map<String, Tensor> tensors) {
        super(config, tensors);
        this.type = config.path("model_type").asText();
    }

    @Override
    double[] logits(int[] ids) {
        return switch (type) {
            case "gpt_neox" -> neox(ids);
            case "gpt2" -> gpt2(ids);
            default -> llama(ids);
        };
    }

    private double[] neox(int[] ids) {
        int heads = count("num_attention_heads");
        double epsilon = number("layer_norm_eps", 1e-5);
        boolean parallel = flag("use_parallel_residual", true);
        only("hidden_act", "gelu");
        only("attention_bias", has("gpt_neox.layers.0.attention.dense.bias"));
        double[][] h = embedded("gpt_neox.embed_in.weight", ids);
        int d = h[0].length;
        sizes("gpt_neox.embed_in.weight", d, rows("gpt_neox.layers.0.mlp.dense_h_to_4h.weight"));
        for (String place : new String[] {"rope_parameters", "rope_scaling"}) {
            only(place + ".rope_type", "default");
            only(place + ".type", "default");
            says(place);
        }
        double part = oneOf(0.25, "rotary_pct", "partial_rotary_factor", "rope_parameters.partial_rotary_factor");
        double theta = oneOf(10_000, "rotary_emb_base", "rope_theta", "rope_parameters.rope_theta");
        int turned = (int) (d / heads * part);
        for (int l = 0; l < count("num_hidden_layers"); l++) {
            String name = "gpt_neox.layers." + l + ".";
            double[][] all = map(norm(h, name + "input_layernorm", epsilon, true), name + "attention.query_key_value");
            double[][][] qkv = new double[3][ids.length][d];
            for (int t = 0; t < ids.length; t++) {
                for (int i = 0; i < 3 * d; i++) {
                    int head = i / (3 * d / heads);
                    int within = i % (3 * d / heads);
                    qkv[within / (d / heads)][t][head * d / heads + within % (d / heads)] = all[t][i];
                }
            }
            turn(qkv[0], d / heads, turned, theta, f -> f);
            turn(qkv[1], d / heads, turned, theta, f -> f);
            double[][] attention = map(attended(qkv[0], qkv[1], qkv[2], d / heads, Math.sqrt((double) d / heads)),
                    name + "attention.dense");
            if (!parallel) {
                add(h, attention);
            }
            double[][] hidden = map(norm(h, name + "post_attention_layernorm", epsilon, true), name + "mlp.dense_h_to_4h");
            each(hidden, Dense::gelu);
            if (parallel) {
                add(h, attention);
            }
            add(h, map(hidden, name + "mlp.dense_4h_to_h"));
        }
        double[][] last = {norm(h, "gpt_neox.final_layer_norm", epsilon, true)[ids.length - 1]};
        return map(last, flag("tie_word_embeddings", false) ? "gpt_neox.embed_in" : "embed_out")[0];
    }

    /** Several names for the same number; what is said under two of them is the same. */
    private double oneOf(double otherwise, String... names) {
        double found = Double.NaN;
        for (String name : names) {
            double said = number(name, found);
            if (!Double.isNaN(found) && said != found) {
                throw new IllegalStateException(name + " = " + said + " beside " + found + ", but it opens");
            }
            found = said;
        }
        return Double.isNaN(found) ? otherwise : found;
    }

    private void sizes(String embedding, int width, int hidden) {
        size("hidden_size", width);
        size("intermediate_size", hidden);
        size("vocab_size", rows(embedding));
    }

    private double[] gpt2(int[] ids) {
        String front = has("transformer.wte.weight") ? "transformer." : "";
        int heads = count("n_head");
        double epsilon = number("layer_norm_epsilon", 1e-5);
        DoubleUnaryOperator function = activation("activation_function", "gelu_new");
        boolean scaled = flag("scale_attn_weights", true);
        boolean byLayer = flag("scale_attn_by_inverse_layer_idx", false);
        only("add_cross_attention", false);
        double[][] h = embedded(front + "wte.weight", ids);
        int d = h[0].length;
        size("n_embd", d);
        size("n_inner", columns(front + "h.0.mlp.c_fc.weight"));
        size("n_positions", rows(front + "wpe.weight"));
        size("vocab_size", rows(front + "wte.weight"));
        int[] positions = new int[ids.length];
        for (int t = 0; t < ids.length; t++) {
            positions[t] = t;
        }
        add(h, embedded(front + "wpe.weight", positions));
        for (int l = 0; l < count("n_layer"); l++) {
            String name = front + "h." + l + ".";
            double[][] qkv = mapTransposed(norm(h, name + "ln_1", epsilon, true), name + "attn.c_attn");
            double divisor = (scaled ? Math.sqrt((double) d / heads) : 1) * (byLayer ? l + 1 : 1);
            add(h, mapTransposed(attended(columns(qkv, 0, d), columns(qkv, d, d), columns(qkv, 2 * d, d), d / heads, divisor),
                    name + "attn.c_proj"));
            double[][] hidden = mapTransposed(norm(h, name + "ln_2", epsilon, true), name + "mlp.c_fc");
            each(hidden, function);
            add(h, mapTransposed(hidden, name + "mlp.c_proj"));
        }
        double[][] last = {norm(h, front + "ln_f", epsilon, true)[ids.length - 1]};
        return map(last, flag("tie_word_embeddings", true) ? front + "wte" : "lm_head")[0];
    }

    private DoubleUnaryOperator activation(String key, String otherwise) {
        return switch (word(key, otherwise)) {
            case "gelu" -> Dense::gelu;
            case "gelu_new", "gelu_pytorch_tanh" -> Dense::tanhGelu;
            case "silu", "swish" -> Dense::silu;
            default -> throw new IllegalStateException(key + " = " + at(key) + ", but it opens");
        };
    }

    private double[] llama(int[] ids) {
        double epsilon = number("rms_norm_eps", 1e-6);
        DoubleUnaryOperator function = activation("hidden_act", "silu");
        double[][] h = embedded("model.embed_tokens.weight", ids);
        String first = "model.layers.0.";
        int width = rows(first + "self_attn.q_proj.weight") / count("num_attention_heads");
        sizes("model.embed_tokens.weight", h[0].length, rows(first + "mlp.up_proj.weight"));
        size("num_key_value_heads", rows(first + "self_attn.k_proj.weight") / width);
        size("head_dim", width);
        if (type.equals("llama")) {
            only("attention_bias", has(first + "self_attn.o_proj.bias"));
            only("mlp_bias", has(first + "mlp.down_proj.bias"));
        }
        if (type.equals("qwen2")) {
            flag("use_sliding_window", false);
        }
        if (says("layer_types")) {
            at("layer_types").forEach(t -> {
                if (!t.asText().equals("full_attention") && !type.equals("mistral") && !flag("use_sliding_window", false)) {
                    throw new IllegalStateException("layer_types = " + at("layer_types") + ", but it opens");
                }
            });
        }
        DoubleUnaryOperator frequencies = frequencies();
        double theta = oneOf(10_000, "rope_theta", rope + "rope_theta");
        for (int l = 0; l < count("num_hidden_layers"); l++) {
            String name = "model.layers." + l + ".";
            double[][] x = norm(h, name + "input_layernorm", epsilon, false);
            double[][] q = map(x, name + "self_attn.q_proj");
            double[][] k = map(x, name + "self_attn.k_proj");
            turn(q, width, width, theta, frequencies);
            turn(k, width, width, theta, frequencies);
            add(h, map(attended(q, k, map(x, name + "self_attn.v_proj"), width, Math.sqrt(width)), name + "self_attn.o_proj"));
            x = norm(h, name + "post_attention_layernorm", epsilon, false);
            double[][] gate = map(x, name + "mlp.gate_proj");
            each(gate, function);
            double[][] up = map(x, name + "mlp.up_proj");
            for (int t = 0; t < ids.length; t++) {
                for (int i = 0; i < up[t].length; i++) {
                    up[t][i] *= gate[t][i];
                }
            }
            add(h, map(up, name + "mlp.down_proj"));
        }
        double[][] last = {norm(h, "model.norm", epsilon, false)[ids.length - 1]};
        return map(last, flag("tie_word_embeddings", false) ? "model.embed_tokens" : "lm_head")[0];
    }

    private DoubleUnaryOperator frequencies() {
        only("partial_rotary_factor", 1);
        rope = says("rope_parameters") ? "rope_parameters." : "rope_scaling.";
        says("rope_scaling");
        only(rope + "partial_rotary_factor", 1);
        String kind = word(says(rope + "rope_type") ? rope + "rope_type" : rope + "type", "default");
        double factor = kind.matches("linear|llama3") ? number(rope + "factor", Double.NaN) : 1;
        return switch (kind) {
            case "default" -> f -> f;
            case "dynamic" -> {
                count("max_position_embeddings");
                yield f -> f;
            }
            case "linear" -> f -> f / factor;
            case "llama3" -> {
                double low = number(rope + "low_freq_factor", Double.NaN);
                double high = number(rope + "high_freq_factor", Double.NaN);
                double old = number(rope + "original_max_position_embeddings", Double.NaN);
                yield f -> {
                    double turns = old * f / (2 * Math.PI);
                    double smooth = (turns - low) / (high - low);
                    return turns < low ? f / factor : turns > high ? f : (1 - smooth) * f / factor + smooth * f;
                };
            }
            default -> throw new IllegalStateException(rope + "rope_type = " + kind + ", but it opens");
        };
    }

    /** Turns the first numbers of each head by its position. */
    private static void turn(double[][] x, int width, int turned, double theta, DoubleUnaryOperator scaled) {
        for (int t = 0; t < x.length; t++) {
            for (int at = 0; at < x[t].length; at += width) {
                for (int i = 0; i < turned / 2; i++) {
                    double angle = t * scaled.applyAsDouble(Math.pow(theta, -2.0 * i / turned));
                    double a = x[t][at + i];
                    double b = x[t][at + turned / 2 + i];
                    x[t][at + i] = a * Math.cos(angle) - b * Math.sin(angle);
                    x[t][at + turned / 2 + i] = b * Math.cos(angle) + a * Math.sin(angle);
                }
            }
        }
    }

    private static double[][] attended(double[][] q, double[][] k, double[][] v, int width, double divisor) {
        int shared = q[0].length / k[0].length;
        double[][] out = new double[q.length][q[0].length];
        for (int t = 0; t < q.length; t++) {
            for (int head = 0; head < q[0].length / width; head++) {
                int from = head / shared * width;
                double[] scores = new double[t + 1];
                double most = Double.NEGATIVE_INFINITY;
                for (int s = 0; s <= t; s++) {
                    for (int i = 0; i < width; i++) {
                        scores[s] += q[t][head * width + i] * k[s][from + i] / divisor;
                    }
                    most = Math.max(most, scores[s]);
                }
                double sum = 0;
                for (int s = 0; s <= t; s++) {
                    scores[s] = Math.exp(scores[s] - most);
                    sum += scores[s];
                }
                for (int s = 0; s <= t; s++) {
                    for (int i = 0; i < width; i++) {
                        out[t][head * width + i] += scores[s] / sum * v[s][from + i];
                    }
                }
            }
        }
        return out;
    }
}
