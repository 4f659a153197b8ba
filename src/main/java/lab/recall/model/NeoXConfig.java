package lab.recall.model;

import java.util.List;
import lab.recall.base.BadData;
import lab.recall.checkpoint.Checkpoint;

/**
 * Sizes of a GPT-NeoX model, read from its tensors where they tell.
 *
 * @param layers     L
 * @param width      d, of the residual stream
 * @param heads      H
 * @param hidden     width of the MLP
 * @param rotary     dimensions of a head that the rotary embedding turns
 * @param base       of the rotary frequencies
 * @param vocabulary rows of the embedding
 * @param epsilon    of the norms
 * @param parallel   whether attention and MLP both read the layer's input
 * @param tied       whether the head is the embedding
 */
record NeoXConfig(int layers, int width, int heads, int hidden, int rotary, double base, int vocabulary, float epsilon,
                  boolean parallel, boolean tied) {

    int headWidth() {
        return width / heads;
    }

    static NeoXConfig of(Checkpoint checkpoint, List<String> warnings) {
        Settings set = new Settings(checkpoint.folder(), checkpoint.config(), warnings);
        int layers = set.positive("num_hidden_layers");
        int heads = set.positive("num_attention_heads");
        String act = checkpoint.config().path("hidden_act").asText("gelu");
        if (!act.equals("gelu")) {
            throw new BadData(checkpoint.folder(), "config.json has hidden_act = " + act + "; only gelu is known");
        }
        Weights weights = new Weights(checkpoint);
        long[] table = weights.shape("gpt_neox.embed_in.weight", 2);
        long[] up = weights.shape("gpt_neox.layers.0.mlp.dense_h_to_4h.weight", 2);
        int width = (int) table[1];
        if (width % heads != 0) {
            throw new BadData(checkpoint.folder(), "the width " + width + " is no multiple of num_attention_heads = " + heads);
        }
        double part = set.number("rotary_pct", 0.25);
        NeoXConfig c = new NeoXConfig(layers, width, heads, (int) up[0], (int) (width / heads * part), set.number("rotary_emb_base", 10000),
                (int) table[0], (float) set.number("layer_norm_eps", 1e-5), set.flag("use_parallel_residual", true),
                set.flag("tie_word_embeddings", false));
        set.agrees("hidden_size", c.width);
        set.agrees("intermediate_size", c.hidden);
        set.agrees("vocab_size", c.vocabulary);
        return c;
    }
}
