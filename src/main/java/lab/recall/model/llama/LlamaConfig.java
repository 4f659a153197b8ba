package lab.recall.model.llama;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;
import lab.recall.math.Attention;
import lab.recall.math.Rotary;
import lab.recall.model.Block;
import lab.recall.model.Body;
import lab.recall.model.Norm;
import lab.recall.model.Opening;
import lab.recall.model.Settings;
import lab.recall.model.Weights;
import lab.recall.model.block.AttentionBlock;
import lab.recall.model.block.AttentionSizes;
import lab.recall.model.block.GatedMlp;
import lab.recall.model.block.Linear;
import lab.recall.model.block.Pointwise;
import lab.recall.model.block.SelfAttention;

/**
 * Sizes of a Llama, read from its tensors where they tell.
 *
 * @param layers     L
 * @param sizes      of each
 * @param rotary     the rotary embedding
 * @param function   of the MLP's gate
 * @param vocabulary rows of the embedding
 * @param epsilon    of the norms
 * @param tied       whether the head is the embedding
 * @param biases     which maps have one
 * @param reach      the longest prompt that needs nothing else
 */
record LlamaConfig(int layers, AttentionSizes sizes, Rotary rotary, Pointwise function, int vocabulary, float epsilon, boolean tied,
                   Biases biases, Optional<Body.Reach> reach) implements Body {
    static final String EMBEDDING = "model.embed_tokens.weight";
    static final String MISTRAL = "mistral";
    static final String QWEN2 = "qwen2";
    private static final int WINDOW = 4096;

    /** Which maps have a bias: those of queries, keys and values; the attention's output; the MLP's three. */
    record Biases(boolean qkv, boolean out, boolean mlp) {
        static Biases of(Settings set, String type) {
            boolean llama = type.equals("llama");
            boolean attention = llama && set.flag("attention_bias", false);
            return new Biases(attention || type.equals(QWEN2), attention, llama && set.flag("mlp_bias", false));
        }

        /** A bias that nobody would read changes numbers. */
        void requireAllRead(Settings set, Weights weights) {
            for (String map : List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj",
                    "mlp.up_proj", "mlp.down_proj")) {
                boolean isRead = map.startsWith("mlp") ? mlp : map.endsWith("o_proj") ? out : qkv;
                if (!isRead && weights.has(layer(0) + map + ".bias")) {
                    throw set.refused(map.startsWith("mlp") ? "mlp_bias" : "attention_bias",
                            "false for this model_type, but there is a tensor '" + layer(0) + map + ".bias'");
                }
            }
        }
    }

    static LlamaConfig of(Opening from) {
        Settings set = from.settings();
        String type = from.config().path("model_type").asText();
        int layers = set.positive("num_hidden_layers");
        int heads = set.positive("num_attention_heads");
        Weights weights = from.weights();
        long[] table = weights.shape(EMBEDDING, 2);
        AttentionSizes sizes = sizes(set, weights, heads, (int) table[1]);
        Biases biases = Biases.of(set, type);
        biases.requireAllRead(set, weights);
        LlamaConfig c = new LlamaConfig(layers, sizes, LlamaRotary.of(set, sizes.heads().width()), Pointwise.of(set, "hidden_act", "silu"),
                (int) table[0], (float) set.number("rms_norm_eps", 1e-6), set.flag("tie_word_embeddings", false), biases,
                reach(set, type));
        set.agrees("hidden_size", sizes.width());
        set.agrees("intermediate_size", sizes.hidden());
        set.agrees("num_key_value_heads", sizes.heads().keys());
        set.agrees("head_dim", sizes.heads().width());
        set.agrees("vocab_size", c.vocabulary);
        return c;
    }

    private static AttentionSizes sizes(Settings set, Weights weights, int heads, int width) {
        int queries = (int) weights.shape(layer(0) + "self_attn.q_proj.weight", 2)[0];
        int keys = (int) weights.shape(layer(0) + "self_attn.k_proj.weight", 2)[0];
        if (queries % heads != 0 || queries / heads % 2 != 0) {
            throw set.refused("num_attention_heads", heads + ", expected a number by which the " + queries
                    + " rows of q_proj are divided into heads of an even width");
        }
        int headWidth = queries / heads;
        if (keys % headWidth != 0 || heads % (keys / headWidth) != 0) {
            throw set.refused("num_attention_heads", heads + ": the " + keys + " rows of k_proj are no heads of width " + headWidth
                    + " that divide this number");
        }
        int hidden = (int) weights.shape(layer(0) + "mlp.up_proj.weight", 2)[0];
        return new AttentionSizes(width, Attention.Heads.of(heads, keys / headWidth, headWidth), hidden);
    }

    /** Of two limits the smaller one. A window is not built: within it a prompt is read as without. */
    private static Optional<Body.Reach> reach(Settings set, String type) {
        set.harmless("sliding_window", "max_window_layers");                   // within the window all read the same
        boolean slides = type.equals(MISTRAL) ? set.has("sliding_window") || !set.says("sliding_window")
                : type.equals(QWEN2) && set.flag("use_sliding_window", false);
        for (JsonNode kind : set.value("layer_types")) {
            if (!slides && !kind.asText().equals("full_attention")) {
                throw set.refused("layer_types", kind + " among them; only full_attention is known where nothing slides");
            }
        }
        Optional<Body.Reach> window = slides
                ? Optional.of(new Body.Reach(set.has("sliding_window") ? set.positive("sliding_window") : WINDOW, "its sliding window"))
                : Optional.empty();
        Optional<Body.Reach> trained = LlamaRotary.reach(set);
        return window.filter(w -> trained.isEmpty() || w.tokens() <= trained.get().tokens()).or(() -> trained);
    }

    private static String layer(int number) {
        return "model.layers." + number + ".";
    }

    @Override
    public Block block(int layer, Weights weights) {
        String attention = layer(layer) + "self_attn.";
        String mlp = layer(layer) + "mlp.";
        int d = sizes.width();
        Norm norm1 = Norm.rms(weights, layer(layer) + "input_layernorm.weight", d, epsilon);
        List<Linear> projections = List.of(Linear.read(weights, attention + "q_proj", sizes.queries(), d, biases.qkv),
                Linear.read(weights, attention + "k_proj", sizes.keys(), d, biases.qkv),
                Linear.read(weights, attention + "v_proj", sizes.keys(), d, biases.qkv));
        Linear dense = Linear.read(weights, attention + "o_proj", d, sizes.queries(), biases.out);
        Norm norm2 = Norm.rms(weights, layer(layer) + "post_attention_layernorm.weight", d, epsilon);
        GatedMlp gated = new GatedMlp(Linear.read(weights, mlp + "gate_proj", sizes.hidden(), d, biases.mlp),
                Linear.read(weights, mlp + "up_proj", sizes.hidden(), d, biases.mlp), function,
                Linear.read(weights, mlp + "down_proj", d, sizes.hidden(), biases.mlp));
        return new AttentionBlock(norm1, new SelfAttention(sizes, rotary, projections, dense), norm2, gated, false);
    }
}
