package lab.recall.model.neox;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;
import lab.recall.checkpoint.GgufFamily;
import lab.recall.model.Architecture;
import lab.recall.model.EditableMatrix;
import lab.recall.model.Ends;
import lab.recall.model.FreshSizes;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Mixing;
import lab.recall.model.Norm;
import lab.recall.model.Opening;
import lab.recall.model.Profile;
import lab.recall.model.Weights;
import lab.recall.model.block.AttentionPoints;
import lab.recall.model.block.SelfAttention;

/**
 * GPT-NeoX, Pythia among them. Old checkpoints' buffers are passed over.
 *
 * <p>Source: Black et al., arXiv 2204.06745.
 */
public final class GptNeoX implements Architecture {
    /** The second MLP matrix, W_down in the paper. */
    public static final EditableMatrix W_DOWN = EditableMatrix.of("mlp.dense_4h_to_h", "W_down", AttentionPoints.MLP_ACT,
            AttentionPoints.MLP_OUT, "gpt_neox.layers.{}.mlp.dense_4h_to_h.weight");

    @Override
    public String type() {
        return "gpt_neox";
    }

    @Override
    public String family() {
        return "GPT-NeoX";
    }

    @Override
    public String trunk() {
        return "gpt_neox.";
    }

    @Override
    public List<HookPoint> points() {
        return AttentionPoints.PLAIN;
    }

    @Override
    public List<EditableMatrix> matrices() {
        return List.of(W_DOWN);
    }

    @Override
    public Mixing mixing() {
        return SelfAttention.MIXING;
    }

    @Override
    public Profile profile() {
        return Profile.WIDE;
    }

    @Override
    public LanguageModel open(Opening from) {
        NeoXConfig c = NeoXConfig.of(from);
        Weights weights = from.weights();
        int width = c.sizes().width();
        Norm last = Norm.layer(weights, "gpt_neox.final_layer_norm", width, c.epsilon());
        weights.passOver(".attention.bias", ".attention.masked_bias", ".attention.rotary_emb.inv_freq");
        String head = from.head(c.tied(), NeoXConfig.EMBEDDING, "embed_out.weight");
        return from.model(Ends.of(weights, NeoXConfig.EMBEDDING, last, head, c.vocabulary(), width), c.layers(), c);
    }

    /** Published checkpoints have that of GPT-NeoX-20B, and do not always bring it. */
    @Override
    public boolean usesBundledTokenizer() {
        return true;
    }

    @Override
    public Class<? extends FreshSizes> sizes() {
        return NeoXSizes.class;
    }

    @Override
    public FreshSizes sizes(JsonNode config) {
        return new NeoXSizes(config.path("hidden_size").asInt(), 1, config.path("num_attention_heads").asInt());
    }

    @Override
    public Optional<GgufFamily> gguf() {
        return Optional.of(new GgufNeoX());
    }
}
