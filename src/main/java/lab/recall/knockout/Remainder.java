package lab.recall.knockout;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.facts.FactPair;
import lab.recall.facts.FactPairs;
import lab.recall.model.Edges;
import lab.recall.model.Forks;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Mamba;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.stats.Estimate;
import lab.recall.view.Showable;
import lab.recall.view.Tables;

/**
 * How much of the subject still gets through when its edges to all later tokens are cut in every layer: the total variation distance between the
 * predictions for two subjects, 0 if they cannot be told apart and 1 if they have nothing in common; shows itself as a table.
 *
 * <pre>{@code
 * Remainder.of(mamba, known.pairs(100, seed), means)
 * }</pre>
 *
 * In a Mamba the factors by which earlier tokens' terms decay on their way over the subject still depend on it, unless delta is held.
 */
public final class Remainder implements Showable {
    private static final long SEED = 1;

    private final LanguageModel model;
    private final int pairs;
    private final Map<String, Estimate> distances = new LinkedHashMap<>();

    private Remainder(LanguageModel model, int pairs) {
        this.model = model;
        this.pairs = pairs;
    }

    /** Of pairs of facts; the means of documents must hold delta, and are not asked of a GPT-NeoX. */
    public static Remainder of(LanguageModel model, FactPairs pairs, MeanActivations means) {
        Remainder r = new Remainder(model, pairs.size());
        List<List<Pass>> bases = new ArrayList<>();
        for (FactPair pair : pairs.pairs()) {
            bases.add(model.runAll(List.of(pair.cleanPrompt().ids(), pair.corruptPrompt().ids()), Recording.states()));
        }
        r.measure("nothing", pairs, bases, null);
        if (model instanceof Mamba) {
            r.measure("scan", pairs, bases, Knockout.of(model).scan());
            r.measure("convolution", pairs, bases, Knockout.of(model).conv());
            r.measure("convolution and scan", pairs, bases, Knockout.of(model).edges());
            r.measure("convolution and scan, delta held", pairs, bases, Knockout.of(model).held(means));
        } else {
            r.measure("attention", pairs, bases, Knockout.of(model).edges());
        }
        return r;
    }

    /**
     * @param bases    the plain runs of both prompts of each pair
     * @param knockout what is cut in all layers; null for nothing
     */
    private void measure(String what, FactPairs pairs, List<List<Pass>> bases, Knockout knockout) {
        Forks forks = model.forks();
        for (int i = 0; i < pairs.size(); i++) {
            List<Intervention> cuts = new ArrayList<>();
            if (knockout != null) {
                Edges edges = new Route(TokenGroup.SUBJECT, null).edges(pairs.get(i).cleanPrompt());
                for (int l = 0; l < model.layers(); l++) {
                    cuts.addAll(knockout.cuts(edges, l));
                }
            }
            bases.get(i).forEach(p -> forks.add(p, cuts));
        }
        float[][] logits = forks.logits();
        double[] distance = new double[pairs.size()];
        for (int i = 0; i < distance.length; i++) {
            double[] a = probabilities(logits[2 * i]);
            double[] b = probabilities(logits[2 * i + 1]);
            for (int v = 0; v < a.length; v++) {
                distance[i] += Math.abs(a[v] - b[v]) / 2;
            }
        }
        distances.put(what, Estimate.mean(distance, SEED));
    }

    private static double[] probabilities(float[] logits) {
        double largest = Double.NEGATIVE_INFINITY;
        for (float v : logits) {
            largest = Math.max(largest, v);
        }
        double[] p = new double[logits.length];
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            p[i] = Math.exp(logits[i] - largest);
            sum += p[i];
        }
        for (int i = 0; i < p.length; i++) {
            p[i] /= sum;
        }
        return p;
    }

    /** What can be cut: nothing; scan, convolution, convolution and scan, the same with delta held; or attention. */
    public List<String> cuts() {
        return List.copyOf(distances.keySet());
    }

    /** Mean distance between the two predictions. */
    public Estimate distance(String cut) {
        if (!distances.containsKey(cut)) {
            throw new IllegalArgumentException("'" + cut + "' was not measured; there are " + String.join(", ", distances.keySet()));
        }
        return distances.get(cut);
    }

    @Override
    public Object view() {
        List<List<Object>> rows = new ArrayList<>();
        double all = distances.get("nothing").mean();
        distances.forEach((what, d) -> rows.add(List.of(what, d.mean(), Tables.number(d.low()) + " to " + Tables.number(d.high()), d.mean() / all)));
        return Tables.of(model.name() + ": what still gets through from the subject to later tokens, " + pairs + " pairs",
                List.of("cut in all layers", "distance of predictions", "95 % interval", "share of it"), rows);
    }
}
