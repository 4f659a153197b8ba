package lab.recall.model.gpt2;

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
 * GPT-2, with the names of its weights as they were published or as HuggingFace writes them; buffers are passed over.
 *
 * <p>Source: Radford et al., "Language Models are Unsupervised Multitask Learners", section 2.3.
 */
public final class Gpt2 implements Architecture {
    /** The MLP's second matrix, which ROME edits (Meng et al., arXiv 2202.05262, section 3.1). */
    public static final EditableMatrix W_PROJ = EditableMatrix.of("mlp.c_proj", "W_proj", AttentionPoints.MLP_ACT,
            AttentionPoints.MLP_OUT, "transformer.h.{}.mlp.c_proj.weight").transposed();

    @Override
    public String type() {
        return "gpt2";
    }

    @Override
    public String family() {
        return "GPT-2";
    }

    @Override
    public List<HookPoint> points() {
        return AttentionPoints.PLAIN;
    }

    @Override
    public List<EditableMatrix> matrices() {
        return List.of(W_PROJ);
    }

    @Override
    public Mixing mixing() {
        return SelfAttention.MIXING;
    }

    /** Meng et al., arXiv 2202.05262, edit layer 17 of GPT-2 XL's 48. */
    @Override
    public Profile profile() {
        return Profile.WIDE.withEditLayer(17.0 / 48);
    }

    @Override
    public LanguageModel open(Opening from) {
        Gpt2Config c = Gpt2Config.of(from);
        Weights weights = from.weights();
        weights.passOver(".attn.bias", ".attn.masked_bias");
        int width = c.sizes().width();
        String embedding = c.front() + "wte.weight";
        Norm last = Norm.layer(weights, c.front() + "ln_f", width, c.epsilon());
        Ends ends = Ends.of(weights, embedding, last, from.head(c.tied(), embedding, Gpt2Config.HEAD), c.vocabulary(), width);
        return from.model(ends.at(weights.tensor(c.front() + "wpe.weight", c.positions(), width)), c.layers(), c);
    }

    @Override
    public Class<? extends FreshSizes> sizes() {
        return Gpt2Sizes.class;
    }

    @Override
    public FreshSizes sizes(JsonNode config) {
        return new Gpt2Sizes(config.path("n_embd").asInt(), 1, config.path("n_head").asInt());
    }

    @Override
    public Optional<GgufFamily> gguf() {
        return Optional.of(new GgufGpt2());
    }
}
