package lab.recall.model.falconmamba;

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
 * Falcon-Mamba: Mamba-1 with norms without weight on delta's low-rank part, B and C. Reads HuggingFace's layout.
 *
 * <p>Source: Zuo et al., arXiv 2410.05355, section 3.1.
 */
public final class FalconMamba implements Architecture {
    @Override
    public String type() {
        return "falcon_mamba";
    }

    @Override
    public String family() {
        return "Falcon-Mamba";
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
        FalconMambaConfig c = FalconMambaConfig.of(from);
        Weights weights = from.weights();
        int width = c.sizes().width();
        Norm last = Norm.rms(weights, "backbone.norm_f.weight", width, c.sizes().epsilon());
        String head = from.head(c.tied(), FalconMambaConfig.EMBEDDINGS, "lm_head.weight");
        return from.model(Ends.of(weights, FalconMambaConfig.EMBEDDINGS, last, head, c.vocabulary(), width), c.layers(), c);
    }

    @Override
    public Class<? extends FreshSizes> sizes() {
        return FalconMambaSizes.class;
    }

    @Override
    public FreshSizes sizes(JsonNode config) {
        return new FalconMambaSizes(config.path("hidden_size").asInt(), 1, config.path("state_size").asInt(16));
    }

    @Override
    public Optional<GgufFamily> gguf() {
        return Optional.of(new GgufScan("mamba", type(), "FalconMambaForCausalLM", true));
    }
}
