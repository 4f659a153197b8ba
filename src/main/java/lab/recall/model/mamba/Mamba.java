package lab.recall.model.mamba;

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
import lab.recall.model.block.GgufScan;
import lab.recall.model.block.ScanMatrices;
import lab.recall.model.block.ScanPoints;
import lab.recall.model.block.SelectiveScanBlock;

/**
 * Mamba-1. Reads HuggingFace's layout and that of state-spaces.
 *
 * <p>Source: Gu and Dao, arXiv 2312.00752; letters of points and matrices: arXiv 2404.03646.
 */
public final class Mamba implements Architecture {
    @Override
    public String type() {
        return "mamba";
    }

    @Override
    public String family() {
        return "Mamba";
    }

    /** Also the form of state-spaces, which names no type, and a layer only where that is not Mamba-1. */
    @Override
    public boolean reads(JsonNode config) {
        String type = config.path("model_type").asText("");
        return type.equals(type()) || (type.isEmpty() && config.has("d_model") && config.has("n_layer")
                && config.path("ssm_cfg").path("layer").asText("Mamba1").equals("Mamba1"));
    }

    @Override
    public String trunk() {
        return "backbone.";
    }

    @Override
    public List<HookPoint> points() {
        return ScanPoints.ALL;
    }

    @Override
    public List<EditableMatrix> matrices() {
        return List.of(ScanMatrices.W_A, ScanMatrices.W_G, ScanMatrices.W_O);
    }

    @Override
    public Mixing mixing() {
        return SelectiveScanBlock.MIXING;
    }

    @Override
    public Profile profile() {
        return Profile.DEEP;
    }

    @Override
    public LanguageModel open(Opening from) {
        MambaConfig c = MambaConfig.of(from);
        Weights weights = from.weights();
        int width = c.sizes().width();
        Norm last = Norm.stored(weights, MambaConfig.LAST_NORM, width, c.sizes().epsilon());
        String head = from.head(c.tied(), c.embedding(), "lm_head.weight");
        return from.model(Ends.of(weights, c.embedding(), last, head, c.vocabulary(), width), c.layers(), c);
    }

    /** Published checkpoints have that of GPT-NeoX-20B, and do not always bring it. */
    @Override
    public boolean usesBundledTokenizer() {
        return true;
    }

    @Override
    public Class<? extends FreshSizes> sizes() {
        return MambaSizes.class;
    }

    @Override
    public FreshSizes sizes(JsonNode config) {
        int width = config.path(config.has("hidden_size") ? "hidden_size" : "d_model").asInt();
        JsonNode states = config.has("hidden_size") ? config.path("state_size") : config.path("ssm_cfg").path("d_state");
        return new MambaSizes(width, 1, states.asInt(16));
    }

    @Override
    public Optional<GgufFamily> gguf() {
        return Optional.of(new GgufScan("mamba", "mamba", "MambaForCausalLM", false));
    }
}
