package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import lab.recall.facts.FactPair;
import lab.recall.facts.FactPairs;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.request.Progress;

/**
 * Causal tracing by interchange over pairs of facts.
 *
 * <pre>{@code
 * var trace = CausalTrace.of(mamba).residual().over(pairs);  // averages, with a progress bar
 * trace.heatmap()
 * trace.byPosition()
 * CausalTrace.of(mamba).residual().of(pairs.get(0))          // one example
 * CausalTrace.of(mamba).component(OUT).over(pairs)           // a component, over a window of layers
 * }</pre>
 *
 * Source: arXiv 2404.03646, section 3.
 */
public final class CausalTrace {
    /** The paper's window: 10 of 64 layers in Mamba, 10 of 32 in Pythia. */
    private static final double MAMBA_WINDOW = 10.0 / 64;
    private static final double NEOX_WINDOW = 10.0 / 32;

    private final LanguageModel model;
    private HookPoint point = HookPoint.RESID_POST;
    private int window = 1;

    private CausalTrace(LanguageModel model) {
        this.model = model;
    }

    /** A trace of the residual stream until told otherwise. */
    public static CausalTrace of(LanguageModel model) {
        return new CausalTrace(model);
    }

    /** The residual stream after one layer. */
    public CausalTrace residual() {
        point = HookPoint.RESID_POST;
        window = 1;
        return this;
    }

    /** A component, over the paper's window in proportion to this model's depth, at least one layer. */
    public CausalTrace component(HookPoint component) {
        point = component;
        double share = model.points().contains(HookPoint.IN_X) ? MAMBA_WINDOW : NEOX_WINDOW;
        window = Math.max(1, (int) Math.round(share * model.layers()));
        return this;
    }

    /** Another window. */
    public CausalTrace window(int layers) {
        window = layers;
        return this;
    }

    /** One pair of facts. */
    public ExampleTrace of(FactPair pair) {
        return new ExampleTrace(model, point, pair, grids(List.of(pair), Progress.silent()).get(0));
    }

    /** All pairs, averaged by position. */
    public AverageTrace over(FactPairs pairs) {
        return over(pairs, Progress.bar());
    }

    /** All pairs, averaged by position; tells how far it is. */
    public AverageTrace over(FactPairs pairs, Progress progress) {
        return new AverageTrace(model, point, window, pairs.pairs(), grids(pairs.pairs(), progress));
    }

    private List<InterchangeGrid> grids(List<FactPair> pairs, Progress progress) {
        List<Interchange.Case> cases = new ArrayList<>();
        pairs.forEach(p -> cases.add(new Interchange.Case(p.cleanPrompt().ids(), p.corruptPrompt().ids(), p.answer())));
        return Interchange.of(model).point(point).window(window).run(cases, progress);
    }
}
