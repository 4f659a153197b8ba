package lab.recall.model.llama;

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
 * Llama, and Mistral and Qwen2, which have its form.
 *
 * <p>Source: Touvron et al., arXiv 2302.13971, section 2.2.
 */
public final class Llama implements Architecture {
    /** The MLP's matrix that writes to the residual stream. */
    public static final EditableMatrix W_DOWN = EditableMatrix.of("mlp.down_proj", "W_down", AttentionPoints.MLP_ACT,
            AttentionPoints.MLP_OUT, "model.layers.{}.mlp.down_proj.weight");

    @Override
    public String type() {
        return "llama";
    }

    @Override
    public List<String> types() {
        return List.of(type(), LlamaConfig.MISTRAL, LlamaConfig.QWEN2);
    }

    @Override
    public String family() {
        return "Llama";
    }

    @Override
    public String trunk() {
        return "model.";
    }

    @Override
    public List<HookPoint> points() {
        return AttentionPoints.GATED;
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
        LlamaConfig c = LlamaConfig.of(from);
        Weights weights = from.weights();
        weights.passOver("rope_freqs.weight", ".rotary_emb.inv_freq");
        int width = c.sizes().width();
        Norm last = Norm.rms(weights, "model.norm.weight", width, c.epsilon());
        String head = from.head(c.tied(), LlamaConfig.EMBEDDING, "lm_head.weight");
        return from.model(Ends.of(weights, LlamaConfig.EMBEDDING, last, head, c.vocabulary(), width), c.layers(), c);
    }

    @Override
    public Class<? extends FreshSizes> sizes() {
        return LlamaSizes.class;
    }

    @Override
    public FreshSizes sizes(JsonNode config) {
        int heads = config.path("num_attention_heads").asInt();
        return new LlamaSizes(config.path("hidden_size").asInt(), 1, heads, config.path("num_key_value_heads").asInt(heads));
    }

    @Override
    public Optional<GgufFamily> gguf() {
        return Optional.of(new GgufLlama());
    }
}
