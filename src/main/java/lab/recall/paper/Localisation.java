package lab.recall.paper;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.edit.EditCurves;
import lab.recall.edit.EditScores.Measure;
import lab.recall.facts.EditRequest;
import lab.recall.facts.EditRequests;
import lab.recall.facts.Fact;
import lab.recall.model.EditableMatrix;
import lab.recall.stats.Estimate;
import lab.recall.stats.RankCorrelation;
import lab.recall.stats.Samples;
import lab.recall.trace.AverageTrace;
import lab.recall.trace.Position;
import lab.recall.view.Charts;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/**
 * Does the place where a fact is traced say where it can be edited? Fact by fact, the indirect effect at the subject's last token after
 * each layer beside what an edit in that layer does; shows itself as a table.
 *
 * <pre>{@code
 * var l = Localisation.of(trace, requests, curves, mamba.outputMatrix());
 * l.at(3), l.withinFacts()                                   // rank correlations with their 95 % intervals
 * l.summary()                                                // in sentences
 * }</pre>
 *
 * Facts are those that were both traced and edited. What an edit does is the difference of the new and the true object's probabilities
 * after the prompt. Source: Hase et al., arXiv 2301.04213, section 4.
 */
public final class Localisation implements Showable {
    private static final long SEED = 1;

    private final String title;
    private final List<String> relations;
    /** [layer][fact]. */
    private final double[][] effect;
    private final double[][] edited;

    private Localisation(String title, List<String> relations, double[][] effect, double[][] edited) {
        this.title = title;
        this.relations = relations;
        this.effect = effect;
        this.edited = edited;
    }

    /**
     * Of one model.
     *
     * @param requests those of the sweep, in its order
     * @throws BadRequest unless all layers were edited, and some facts both traced and edited
     */
    public static Localisation of(AverageTrace trace, EditRequests requests, EditCurves curves, EditableMatrix matrix) {
        int layers = curves.model().layers();
        if (!trace.model().equals(curves.model())) {
            throw new BadRequest("trace", "of " + trace.model().name() + ", the edits are of " + curves.model().name());
        }
        if (curves.layers().size() != layers) {
            throw new BadRequest("layers", curves.layers() + " were edited, expected all " + layers);
        }
        if (curves.requests() != requests.size()) {
            throw new BadRequest("requests", requests.size() + ", expected the " + curves.requests() + " of the sweep");
        }
        Map<List<String>, Integer> traced = new HashMap<>();
        for (int i = 0; i < trace.facts().size(); i++) {
            Fact fact = trace.facts().get(i);
            traced.put(List.of(fact.relation(), fact.subject()), i);
        }
        List<int[]> both = new ArrayList<>();
        List<String> relations = new ArrayList<>();
        for (int r = 0; r < requests.size(); r++) {
            EditRequest request = requests.get(r);
            Integer at = traced.get(List.of(request.relation(), request.subject()));
            if (at != null && !Double.isNaN(trace.samples(Position.SUBJECT_LAST).cases(0)[at])) {
                both.add(new int[] {at, r});
                relations.add(request.relation());
            }
        }
        if (both.isEmpty()) {
            throw new BadRequest("requests", "none of these " + requests.size() + " is about a fact that was traced");
        }
        return new Localisation(trace.model().name() + ", " + matrix.label() + ", " + both.size() + " facts", relations,
                some(trace.samples(Position.SUBJECT_LAST), layers, both, 0),
                some(curves.magnitudes(matrix, Measure.EFFICACY), layers, both, 1));
    }

    private static double[][] some(Samples of, int layers, List<int[]> both, int side) {
        return IntStream.range(0, layers).mapToObj(l -> both.stream().mapToDouble(b -> of.cases(l)[b[side]]).toArray())
                .toArray(double[][]::new);
    }

    /** How many facts. */
    public int facts() {
        return relations.size();
    }

    /**
     * Rank correlation over facts, of the effect after a layer and what an edit in it does; NaN where all facts are alike. Its interval is
     * over facts, as if those of a relation had nothing in common.
     */
    public Estimate at(int layer) {
        return Estimate.of(facts(), some -> RankCorrelation.of(IntStream.of(some).mapToDouble(i -> effect[layer][i]).toArray(),
                IntStream.of(some).mapToDouble(i -> edited[layer][i]).toArray()), SEED);
    }

    /** Rank correlation over layers, within each fact, mean over facts; its interval over relations. */
    public Estimate withinFacts() {
        double[] each = IntStream.range(0, facts()).mapToDouble(i -> RankCorrelation.of(
                Arrays.stream(effect).mapToDouble(l -> l[i]).toArray(), Arrays.stream(edited).mapToDouble(l -> l[i]).toArray())).toArray();
        return Estimate.clustered(each, relations, SEED);
    }

    /** Share of the variance of what edits do, over facts and layers, that the layer alone explains. */
    public double byLayer() {
        return variance()[0];
    }

    /** What the fact's own effect in that layer adds to it. */
    public double byEffect() {
        return variance()[1];
    }

    /** Least squares with a mean for each layer, and with one slope of the effect beside. */
    private double[] variance() {
        double all = Arrays.stream(edited).flatMapToDouble(Arrays::stream).average().orElseThrow();
        double total = 0;
        double within = 0;
        double xx = 0;
        double xy = 0;
        for (int l = 0; l < edited.length; l++) {
            double meanX = Arrays.stream(effect[l]).average().orElseThrow();
            double meanY = Arrays.stream(edited[l]).average().orElseThrow();
            for (int i = 0; i < facts(); i++) {
                double x = effect[l][i] - meanX;
                double y = edited[l][i] - meanY;
                total += (edited[l][i] - all) * (edited[l][i] - all);
                within += y * y;
                xx += x * x;
                xy += x * y;
            }
        }
        return total == 0 ? new double[] {Double.NaN, Double.NaN}
                : new double[] {1 - within / total, xx == 0 ? 0 : xy * xy / xx / total};
    }

    /** In sentences. */
    public String summary() {
        return String.format(Locale.ROOT, "%s: of the variance of what an edit does the layer alone explains %.2f, the fact's own effect "
                + "there %.3f more;\nwithin a fact, effect and edit over the layers have a rank correlation of %s", title, byLayer(),
                byEffect(), withinFacts());
    }

    /** For each layer the mean effect, what an edit does, and their rank correlation over facts. */
    public Table table() {
        List<List<Object>> rows = new ArrayList<>();
        for (int l = 0; l < effect.length; l++) {
            rows.add(List.of(l, Estimate.clustered(effect[l], relations, SEED).toString(),
                    Estimate.clustered(edited[l], relations, SEED).toString(), at(l).toString()));
        }
        return Tables.of(title + ": where a fact is traced and where it can be edited", List.of("layer",
                "effect at the subject's last token", "p(new) − p(true) after an edit", "rank correlation over facts"), rows);
    }

    /** Both by layer. */
    public XYChart chart() {
        XYChart chart = Charts.lines(title, "layer", "mean over facts");
        line(chart, "effect at the subject's last token", new Samples(effect, relations));
        line(chart, "p(new) − p(true) after an edit", new Samples(edited, relations));
        return Charts.range(chart, -1, 1);
    }

    private static void line(XYChart chart, String name, Samples s) {
        Charts.byLayer(chart, name, s.means(), s.lows(), s.highs());
    }

    @Override
    public Object view() {
        return table();
    }
}
