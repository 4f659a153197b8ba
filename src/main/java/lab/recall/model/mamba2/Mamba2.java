package lab.recall.model.mamba2;

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
import lab.recall.model.block.DualPoints;
import lab.recall.model.block.ScanMatrices;
import lab.recall.model.block.ScanPoints;
import lab.recall.model.block.StateSpaceDualBlock;

/**
 * Mamba-2. Reads HuggingFace's layout and that of state-spaces.
 *
 * <p>Source: Dao and Gu, arXiv 2405.21060; letters of points and matrices as in Mamba-1.
 */
public final class Mamba2 implements Architecture {
    private static final EditableMatrix W_A = EditableMatrix.of("in_proj.x", "W_a", ScanPoints.NORMED, ScanPoints.IN_X,
            ScanMatrices.IN_PROJ).below(ScanPoints.IN_Z);
    private static final EditableMatrix W_G = EditableMatrix.of("in_proj.z", "W_g", ScanPoints.NORMED, ScanPoints.IN_Z,
            ScanMatrices.IN_PROJ);

    @Override
    public String type() {
        return "mamba2";
    }

    @Override
    public String family() {
        return "Mamba-2";
    }

    /** Also the form of state-spaces, which names no type but its layer. */
    @Override
    public boolean reads(JsonNode config) {
        String type = config.path("model_type").asText("");
        return type.equals(type()) || (type.isEmpty() && config.has("d_model") && config.has("n_layer")
                && config.path("ssm_cfg").path("layer").asText("").equals("Mamba2"));
    }

    @Override
    public String trunk() {
        return "backbone.";
    }

    @Override
    public List<HookPoint> points() {
        return DualPoints.ALL;
    }

    @Override
    public List<EditableMatrix> matrices() {
        return List.of(W_A, W_G, ScanMatrices.W_O);
    }

    @Override
    public Mixing mixing() {
        return StateSpaceDualBlock.MIXING;
    }

    @Override
    public Profile profile() {
        return Profile.DEEP;
    }

    @Override
    public LanguageModel open(Opening from) {
        Mamba2Config c = Mamba2Config.of(from);
        Weights weights = from.weights();
        int width = c.sizes().width();
        Norm last = Norm.rms(weights, "backbone.norm_f.weight", width, c.sizes().epsilon());
        String head = from.head(c.tied(), c.embedding(), "lm_head.weight");
        return from.model(Ends.of(weights, c.embedding(), last, head, c.vocabulary(), width), c.layers(), c);
    }

    @Override
    public Class<? extends FreshSizes> sizes() {
        return Mamba2Sizes.class;
    }

    @Override
    public FreshSizes sizes(JsonNode config) {
        boolean original = !config.has("hidden_size");
        JsonNode ssm = original ? config.path("ssm_cfg") : config;
        int width = config.path(original ? "d_model" : "hidden_size").asInt();
        int heads = config.path("num_heads").asInt(2 * width / ssm.path("headdim").asInt(64));
        return new Mamba2Sizes(width, 1, heads, ssm.path(original ? "d_state" : "state_size").asInt(128));
    }

    @Override
    public Optional<GgufFamily> gguf() {
        return Optional.of(new GgufMamba2());
    }
}
