package lab.recall.model.neox;

import java.util.List;
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
import lab.recall.model.block.Linear;
import lab.recall.model.block.Mlp;
import lab.recall.model.block.PlainMlp;
import lab.recall.model.block.Pointwise;
import lab.recall.model.block.SelfAttention;

/**
 * Sizes of a GPT-NeoX model, read from its tensors where they tell.
 *
 * @param layers     L
 * @param sizes      of each
 * @param rotary     the rotary embedding
 * @param vocabulary rows of the embedding
 * @param epsilon    of the norms
 * @param parallel   whether attention and MLP both read the layer's input
 * @param tied       whether the head is the embedding
 * @param attentionBias whether the attention's two maps have biases
 */
record NeoXConfig(int layers, AttentionSizes sizes, Rotary rotary, int vocabulary, float epsilon, boolean parallel, boolean tied,
                  boolean attentionBias) implements Body {
    private static final String ATTENTION_BIAS = "gpt_neox.layers.0.attention.query_key_value.bias";
    static final String EMBEDDING = "gpt_neox.embed_in.weight";

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
        AttentionSizes sizes = new AttentionSizes(width, Attention.Heads.of(heads, heads, width / heads), (int) up[0]);
        NeoXConfig c = new NeoXConfig(layers, sizes, rotary(set, width / heads), (int) table[0],
                (float) set.number("layer_norm_eps", 1e-5), set.flag("use_parallel_residual", true),
                set.flag("tie_word_embeddings", false), attentionBias);
        set.agrees("hidden_size", width);
        set.agrees("intermediate_size", sizes.hidden());
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

    /** The stored query_key_value has rows [head][q|k|v]; they are packed as [q|k|v][head]. */
    @Override
    public Block block(int layer, Weights weights) {
        String name = "gpt_neox.layers." + layer + ".";
        int d = sizes.width();
        SelfAttention attention = new SelfAttention(sizes, rotary,
                List.of(Linear.read(weights, name + "attention.query_key_value", 3 * d, d, attentionBias, headOrder())),
                Linear.read(weights, name + "attention.dense", d, d, attentionBias));
        Mlp mlp = new PlainMlp(Linear.read(weights, name + "mlp.dense_h_to_4h", sizes.hidden(), d, true), Pointwise.GELU,
                Linear.read(weights, name + "mlp.dense_4h_to_h", d, sizes.hidden(), true));
        return new AttentionBlock(Norm.layer(weights, name + "input_layernorm", d, epsilon), attention,
                Norm.layer(weights, name + "post_attention_layernorm", d, epsilon), mlp, parallel);
    }

    /** The stored row of each packed row of query_key_value. */
    private int[] headOrder() {
        int headWidth = sizes.heads().width();
        int[] order = new int[3 * sizes.width()];
        for (int part = 0; part < 3; part++) {
            for (int head = 0; head < sizes.heads().count(); head++) {
                for (int i = 0; i < headWidth; i++) {
                    order[part * sizes.width() + head * headWidth + i] = (head * 3 + part) * headWidth + i;
                }
            }
        }
        return order;
    }
}
