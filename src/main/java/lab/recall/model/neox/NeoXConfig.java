package lab.recall.model.neox;

import lab.recall.math.Rotary;
import lab.recall.model.Activation;
import lab.recall.model.Block;
import lab.recall.model.Body;
import lab.recall.model.HookPoint;
import lab.recall.model.Opening;
import lab.recall.model.Settings;
import lab.recall.model.Weights;
import lab.recall.model.block.AttentionPoints;

/**
 * Sizes of a GPT-NeoX model, read from its tensors where they tell.
 *
 * @param layers     L
 * @param width      d, of the residual stream
 * @param heads      H
 * @param hidden     width of the MLP
 * @param rotary     the rotary embedding
 * @param vocabulary rows of the embedding
 * @param epsilon    of the norms
 * @param parallel   whether attention and MLP both read the layer's input
 * @param tied       whether the head is the embedding
 * @param attentionBias whether the attention's two maps have biases
 */
record NeoXConfig(int layers, int width, int heads, int hidden, Rotary rotary, int vocabulary, float epsilon,
                  boolean parallel, boolean tied, boolean attentionBias) implements Body {
    private static final String ATTENTION_BIAS = "gpt_neox.layers.0.attention.query_key_value.bias";
    static final String EMBEDDING = "gpt_neox.embed_in.weight";

    int headWidth() {
        return width / heads;
    }

    static NeoXConfig of(Opening from) {
        Settings set = from.settings();
        int layers = set.positive("num_hidden_layers");
        int heads = set.positive("num_attention_heads");
        set.word("hidden_act", "gelu", "gelu");
        Weights weights = from.weights();
        long[] table = weights.shape(EMBEDDING, 2);
        long[] up = weights.shape("gpt_neox.layers.0.mlp.dense_h_to_4h.weight", 2);
        int width = (int) table[1];
        if (width % heads != 0) {
            throw set.refused("num_attention_heads", heads + ", which does not divide the width " + width);
        }
        boolean attentionBias = set.flag("attention_bias", true);
        if (!attentionBias && weights.has(ATTENTION_BIAS)) {
            throw set.refused("attention_bias", "false, but there is a tensor " + ATTENTION_BIAS);
        }
        NeoXConfig c = new NeoXConfig(layers, width, heads, (int) up[0], rotary(set, width / heads), (int) table[0],
                (float) set.number("layer_norm_eps", 1e-5), set.flag("use_parallel_residual", true),
                set.flag("tie_word_embeddings", false), attentionBias);
        set.agrees("hidden_size", c.width);
        set.agrees("intermediate_size", c.hidden);
        set.agrees("vocab_size", c.vocabulary);
        return c;
    }

    /** Said by itself, as transformers 4 has it, or in {@code rope_parameters}, as version 5 does. */
    private static Rotary rotary(Settings set, int headWidth) {
        for (String rope : new String[] {"rope_parameters", "rope_scaling"}) {
            set.inside(rope).only(set.inside(rope).named("rope_type", "type"), "default");
        }
        String part = set.named("rotary_pct", "partial_rotary_factor", "rope_parameters.partial_rotary_factor");
        double turned = set.number(part, 0.25);
        int dims = (int) (headWidth * turned);
        if (turned > 1 || dims % 2 != 0) {
            throw set.refused(part, turned + ", expected a part of a head's " + headWidth + " numbers that is even");
        }
        return new Rotary(headWidth, dims, set.number(set.named("rotary_emb_base", "rope_theta", "rope_parameters.rope_theta"), 10000));
    }

    @Override
    public Block block(int layer, Weights weights) {
        return new NeoXBlock(this, rotary, weights, "gpt_neox.layers." + layer + ".");
    }

    @Override
    public int width(HookPoint point) {
        return point.equals(AttentionPoints.MLP_PRE) || point.equals(AttentionPoints.MLP_ACT) ? hidden : width;
    }

    @Override
    public int heads(HookPoint point) {
        return point.equals(AttentionPoints.Q) || point.equals(AttentionPoints.K) || point.equals(AttentionPoints.V) ? heads : 1;
    }

    /** Attention weights, [heads, target, source]. */
    @Override
    public Activation whole(String name, HookPoint point, float[] values, int tokens) {
        return new Activation(name, new long[] {heads, tokens, values.length / heads / tokens}, values.clone());
    }
}
