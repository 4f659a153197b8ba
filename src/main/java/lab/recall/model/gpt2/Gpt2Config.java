package lab.recall.model.gpt2;

import java.util.List;
import java.util.Optional;
import lab.recall.math.Attention;
import lab.recall.model.Block;
import lab.recall.model.Body;
import lab.recall.model.Norm;
import lab.recall.model.Opening;
import lab.recall.model.Settings;
import lab.recall.model.Weights;
import lab.recall.model.block.AttentionBlock;
import lab.recall.model.block.AttentionSizes;
import lab.recall.model.block.Linear;
import lab.recall.model.block.PlainMlp;
import lab.recall.model.block.Pointwise;
import lab.recall.model.block.SelfAttention;

/**
 * Sizes of a GPT-2, read from its tensors where they tell.
 *
 * @param layers     L
 * @param sizes      of each
 * @param function   of the MLP
 * @param vocabulary rows of the embedding
 * @param positions  rows of the table of positions
 * @param epsilon    of the norms
 * @param tied       whether the head is the embedding
 * @param byLayer    whether scores are divided by the layer's number, counted from 1
 * @param front      what stands before the weights' names
 */
record Gpt2Config(int layers, AttentionSizes sizes, Pointwise function, int vocabulary, int positions, float epsilon, boolean tied,
                  boolean byLayer, String front) implements Body {
    static final String HEAD = "lm_head.weight";
    static final String FRONT = "transformer.";

    static Gpt2Config of(Opening from) {
        Settings set = from.settings();
        int layers = set.positive("n_layer");
        int heads = set.positive("n_head");
        if (set.flag("add_cross_attention", false)) {
            throw set.refused("add_cross_attention", "true; only false is known");
        }
        Weights weights = from.weights();
        String front = weights.has(FRONT + "wte.weight") ? FRONT : "";
        long[] table = weights.shape(front + "wte.weight", 2);
        int width = (int) table[1];
        if (width % heads != 0) {
            throw set.refused("n_head", heads + ", which does not divide the width " + width);
        }
        int headWidth = width / heads;
        float scale = set.flag("scale_attn_weights", true) ? (float) (1 / Math.sqrt(headWidth)) : 1;
        int hidden = (int) weights.shape(front + "h.0.mlp.c_fc.weight", 2)[1];
        Gpt2Config c = new Gpt2Config(layers, new AttentionSizes(width, new Attention.Heads(heads, heads, headWidth, scale), hidden),
                Pointwise.of(set, "activation_function", "gelu_new"), (int) table[0], (int) weights.shape(front + "wpe.weight", 2)[0],
                (float) set.number("layer_norm_epsilon", 1e-5), set.flag("tie_word_embeddings", true),
                set.flag("scale_attn_by_inverse_layer_idx", false), front);
        set.harmless("n_ctx", "reorder_and_upcast_attn");       // the latter says how half numbers are multiplied; all is f32 here
        set.agrees("n_embd", width);
        set.agrees("n_inner", hidden);
        set.agrees("n_positions", c.positions);
        set.agrees("vocab_size", c.vocabulary);
        return c;
    }

    @Override
    public Block block(int layer, Weights weights) {
        String name = front + "h." + layer + ".";
        int d = sizes.width();
        Attention.Heads all = sizes.heads();
        float scale = byLayer ? all.scale() / (layer + 1) : all.scale();
        Attention.Heads heads = new Attention.Heads(all.count(), all.keys(), all.width(), scale);
        SelfAttention attention = new SelfAttention(new AttentionSizes(d, heads, sizes.hidden()), null,
                List.of(Linear.readTransposed(weights, name + "attn.c_attn", 3 * d, d)),
                Linear.readTransposed(weights, name + "attn.c_proj", d, d));
        PlainMlp mlp = new PlainMlp(Linear.readTransposed(weights, name + "mlp.c_fc", sizes.hidden(), d), function,
                Linear.readTransposed(weights, name + "mlp.c_proj", d, sizes.hidden()));
        return new AttentionBlock(Norm.layer(weights, name + "ln_1", d, epsilon), attention,
                Norm.layer(weights, name + "ln_2", d, epsilon), mlp, false);
    }

    @Override
    public Optional<Reach> reach() {
        return Optional.of(new Reach(positions, "its table of positions"));
    }

    @Override
    public String storedName(String publicName) {
        return publicName.startsWith(FRONT) ? front + publicName.substring(FRONT.length()) : publicName;
    }

    @Override
    public String publicName(String weight) {
        return weight.startsWith(FRONT) || weight.equals(HEAD) ? weight : FRONT + weight;
    }
}
