package lab.recall.trace;

import lab.recall.facts.FactPairs;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.LayerWindow;
import lab.recall.study.ModelCard;
import lab.recall.study.Runner;

/**
 * Attribution patching: the effect of putting a clean value back, to first order, from two forward runs and one backward run a pair.
 *
 * <pre>{@code
 * var fast = AttributionPatching.of(mamba).over(pairs);
 * fast.heatmap()
 * fast.rankCorrelation(CausalTrace.of(mamba).residual().over(pairs))
 * }</pre>
 *
 * The estimate at a site is gradient times difference: -(clean - corrupt) d(-log p)/dv in the corrupt run, as a share of
 * log p_clean - log p_corrupt; over a window it is the sum over its layers. Logarithms, since p is flat where the corrupt run is sure of
 * another answer. Source: Syed, Rager, Conmy, arXiv 2310.10348, section 2.
 */
public final class AttributionPatching {
    private final LanguageModel model;
    private final HookPoint point;
    private final int window;

    private AttributionPatching(LanguageModel model, HookPoint point, int window) {
        this.model = model;
        this.point = point;
        this.window = window;
    }

    /** Of the residual stream until told otherwise. */
    public static AttributionPatching of(LanguageModel model) {
        return new AttributionPatching(model, HookPoint.RESID_POST, 1);
    }

    /** The point that is put back, in one layer. */
    public AttributionPatching point(HookPoint hookPoint) {
        return new AttributionPatching(model, Interchange.required(model, hookPoint), window);
    }

    /** Layers that are put back together, as {@link LayerWindow} counts them. */
    public AttributionPatching window(int layers) {
        LayerWindow.of(model, layers);
        return new AttributionPatching(model, point, layers);
    }

    /** Over pairs of facts. */
    public AverageTrace over(FactPairs pairs) {
        return over(pairs, Runner.shown());
    }

    /** Over pairs of facts, with a runner's progress and store. */
    public AverageTrace over(FactPairs pairs, Runner runner) {
        double[][][] effects = runner.run(new AttributionStudy(), model,
                new AttributionStudy.Asked(new AttributionStudy.Settings(point, window), pairs.pairs()));
        return new AverageTrace(ModelCard.of(model), point,
                point.title() + LayerWindow.of(model, window).label() + ", attribution",
                "attribution", pairs, Averaging.byPosition(pairs.pairs(), effects, Cells.TOKENS), effects);
    }
}
