package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import lab.recall.facts.FactPair;
import lab.recall.facts.FactPairs;
import lab.recall.model.Gradients;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.LayerWindow;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.request.Journal;
import lab.recall.request.Progress;

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
    private HookPoint point = HookPoint.RESID_POST;
    private LayerWindow window;

    private AttributionPatching(LanguageModel model) {
        this.model = model;
        this.window = LayerWindow.of(model, 1);
    }

    /** Of the residual stream until told otherwise. */
    public static AttributionPatching of(LanguageModel model) {
        return new AttributionPatching(model);
    }

    /** The point that is put back, in one layer. */
    public AttributionPatching point(HookPoint hookPoint) {
        point = Interchange.of(model).required(hookPoint);
        return this;
    }

    /** Layers that are put back together, as {@link LayerWindow} counts them. */
    public AttributionPatching window(int layers) {
        window = LayerWindow.of(model, layers);
        return this;
    }

    /** Over pairs of facts. */
    public AverageTrace over(FactPairs pairs) {
        return over(pairs, Progress.bar(), Journal.none());
    }

    /** Over pairs of facts; tells how far it is, and keeps finished pairs in a journal. */
    public AverageTrace over(FactPairs pairs, Progress progress, Journal journal) {
        String name = "attribution patching of " + point.id() + window.label();
        progress.start(name, "pairs", pairs.size());
        List<double[][]> effects = new ArrayList<>();
        for (FactPair pair : pairs.pairs()) {
            effects.add(journal.piece(name + ": " + pair.cleanPrompt().text() + " / " + pair.corruptPrompt().text(), double[][].class, () -> effect(pair)));
            progress.to(effects.size());
        }
        progress.finish();
        double[][][] all = effects.toArray(double[][][]::new);
        return new AverageTrace(model, point, CausalTrace.label(point) + window.label() + ", attribution", "attribution", pairs,
                Averaging.byPosition(pairs.pairs(), all), all);
    }

    /** Estimates for each token and, summed, the whole subject, [layer][cell]; none where the two runs hardly differ. */
    private double[][] effect(FactPair pair) {
        Pass clean = model.run(pair.cleanPrompt().ids(), Recording.points(point));
        Pass corrupt = model.run(pair.corruptPrompt().ids(), Recording.gradients().and(Recording.points(point)));
        double pClean = clean.probability(pair.answer());
        if (pClean - corrupt.probability(pair.answer()) < Averaging.LEAST_SPAN) {
            return new double[0][];
        }
        Gradients g = Gradients.of(corrupt, pair.answer(), Recording.points(point));
        double span = g.loss() + Math.log(pClean);
        List<int[]> cells = CausalTrace.cells(pair.cleanPrompt());
        double[][] effect = new double[model.layers()][cells.size()];
        for (int l = 0; l < effect.length; l++) {
            for (int k = window.first(l); k < window.end(l); k++) {
                for (int c = 0; c < cells.size(); c++) {
                    for (int token : cells.get(c)) {
                        effect[l][c] += gain(g, clean, corrupt, new Site(k, point, token)) / span;
                    }
                }
            }
        }
        return effect;
    }

    private static double gain(Gradients g, Pass clean, Pass corrupt, Site site) {
        float[] gradient = g.get(site);
        float[] to = clean.get(site);
        float[] from = corrupt.get(site);
        double sum = 0;
        for (int i = 0; i < gradient.length; i++) {
            sum -= (double) gradient[i] * (to[i] - from[i]);
        }
        return sum;
    }
}
