package lab.recall.model.block;

import java.util.Optional;
import lab.recall.model.Edges;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.Mixer;

/** The way by which tokens of a {@link SelfAttention} read each other. */
final class AttentionMixer implements Mixer {
    @Override
    public String id() {
        return "attention";
    }

    @Override
    public Intervention.Cut cut(int layer, Edges edges) {
        return Cuts.attention(layer, edges);
    }

    /** A softmax over nothing is none. */
    @Override
    public boolean needsSource() {
        return true;
    }

    @Override
    public Optional<HookPoint> weights() {
        return Optional.of(AttentionPoints.ATTN_PROBS);
    }

    @Override
    public Optional<HookPoint> heads() {
        return Optional.of(AttentionPoints.ATTN_CTX);
    }
}
