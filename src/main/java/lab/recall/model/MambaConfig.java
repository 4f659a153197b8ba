package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import lab.recall.checkpoint.Checkpoint;

/**
 * Sizes of a Mamba-1 model, read from its tensors; config.json gives what tensors cannot tell.
 *
 * @param layers     L
 * @param width      d, of the residual stream
 * @param inner      E, of a block
 * @param states     N, a channel
 * @param taps       K, of the convolution
 * @param rank       R, of delta
 * @param vocabulary rows of the embedding
 * @param epsilon    of the norms
 * @param tied       whether the head is the embedding
 */
record MambaConfig(int layers, int width, int inner, int states, int taps, int rank, int vocabulary, float epsilon, boolean tied) {

    /** Reads either form: HuggingFace's (hidden_size, ..) or state-spaces' (d_model, ..). */
    static MambaConfig of(Checkpoint checkpoint, String embedding, List<String> warnings) {
        JsonNode json = checkpoint.config();
        Settings set = new Settings(checkpoint.folder(), json, warnings);
        boolean original = !json.has("hidden_size");
        int layers = set.positive(original ? "n_layer" : "num_hidden_layers");
        double epsilon = original ? 1e-5 : set.number("layer_norm_epsilon", 1e-5);
        boolean tied = set.flag(original ? "tie_embeddings" : "tie_word_embeddings", true);
        Weights weights = new Weights(checkpoint);
        long[] table = weights.shape(embedding, 2);
        String mixer = "backbone.layers.0.mixer.";
        long[] conv = weights.shape(mixer + "conv1d.weight", 3);
        long[] a = weights.shape(mixer + "A_log", 2);
        long[] dt = weights.shape(mixer + "dt_proj.weight", 2);
        MambaConfig c = new MambaConfig(layers, (int) table[1], (int) conv[0], (int) a[1], (int) conv[2], (int) dt[1], (int) table[0],
                (float) epsilon, tied);
        set.agrees(original ? "d_model" : "hidden_size", c.width);
        set.agrees("intermediate_size", c.inner);
        set.agrees("d_inner", c.inner);
        set.agrees("state_size", c.states);
        set.agrees("conv_kernel", c.taps);
        set.agrees("time_step_rank", c.rank);
        if (!original) {
            set.agrees("vocab_size", c.vocabulary);
        }
        return c;
    }
}
