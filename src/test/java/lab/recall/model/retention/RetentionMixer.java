package lab.recall.model.retention;

import java.util.Optional;
import lab.recall.model.Edges;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LayerCuts;
import lab.recall.model.Mixer;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.model.Terms;

/** The one way by which tokens of a {@link RetentionBlock} read each other. */
final class RetentionMixer implements Mixer {
    /** Leaves the terms of edges out of mix. */
    record Left(Site site, Edges edges) implements Intervention.Cut {
    }

    /** All that a run leaves out in a layer. */
    record AllLeft(Edges edges) implements LayerCuts {
    }

    @Override
    public String id() {
        return "retention";
    }

    @Override
    public Intervention.Cut cut(int layer, Edges edges) {
        return new Left(new Site(layer, RetentionPoints.MIX, edges.firstTarget()), edges);
    }

    @Override
    public Optional<Terms> terms() {
        return Optional.of(new Terms() {
            @Override
            public HookPoint sum() {
                return RetentionPoints.MIX;
            }

            @Override
            public Recording recording() {
                return Recording.points(RetentionPoints.QUERY, RetentionPoints.KEY, RetentionPoints.VALUE);
            }

            @Override
            public float[] of(Pass pass, int layer, int source) {
                return ((RetentionBlock) pass.model().block(layer)).terms(pass, layer, source);
            }

            @Override
            public float[] rest(Pass pass, int layer, int token) {
                return new float[pass.model().width(RetentionPoints.MIX)];
            }
        });
    }
}
