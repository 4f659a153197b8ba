package lab.recall.linear;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lab.recall.facts.Relation;
import lab.recall.model.Jacobian;
import lab.recall.model.LanguageModel;
import lab.recall.stats.Estimate;
import lab.recall.stats.RelativeDepth;
import lab.recall.view.Charts;
import lab.recall.view.Showable;
import org.knowm.xchart.XYChart;

/**
 * How linear one relation is: faithfulness and causality, by layer and at the layer that is chosen, with 95 % intervals over facts.
 *
 * <pre>{@code
 * LinearRelation r = found.get("landmark_in_country");
 * r.faithfulness(Selection.NESTED)                           // mean, interval, number of facts
 * r.faithfulness(Selection.NESTED, 4)                        // with h taken after layer 4
 * r.constant(), r.chance()                                   // the baselines
 * r.chart()
 * }</pre>
 *
 * A relation of which the model knows too few facts has no numbers: {@link #isMeasured()}.
 */
public final class LinearRelation implements Showable {
    private static final long SEED = 1;

    private final LanguageModel model;
    private final Relation relation;
    private final Asking asking;
    private final int[] layers;
    private final List<Trial> all;
    private final List<Trial> trials;
    private final Outcomes faithful;
    private final Outcomes causal;

    LinearRelation(LanguageModel model, Relation relation, Asking asking, int[] layers, List<Trial> all) {
        this.model = model;
        this.relation = relation;
        this.asking = asking;
        this.layers = layers;
        this.all = all;
        this.trials = all.stream().filter(Trial::counts).toList();
        this.faithful = trials.isEmpty() ? null : outcomes(Trial::faithful);
        this.causal = trials.stream().anyMatch(Trial::edited) ? outcomes(Trial::causal) : null;
    }

    private Outcomes outcomes(Function<Trial, String[][]> marks) {
        return new Outcomes(relation.facts().size(), trials.stream().map(Trial::tests).toArray(int[][]::new),
                trials.stream().map(marks).toArray(String[][][]::new));
    }

    /** Its relation's name. */
    public String name() {
        return relation.name();
    }

    /** The layers at which it was looked at, -1 for the embedding. */
    public int[] layers() {
        return layers.clone();
    }

    /** Whether in some split enough facts were known. */
    public boolean isMeasured() {
        return !trials.isEmpty();
    }

    /** Whether edits were made. */
    public boolean hasCausality() {
        return causal != null;
    }

    /** Splits with enough known facts. */
    public int splits() {
        return trials.size();
    }

    /** Facts that were tested in some split. */
    public int tested() {
        return (int) trials.stream().flatMapToInt(t -> Arrays.stream(t.tests())).distinct().count();
    }

    /** How many of the facts asked in each split were known; one split stands for all where it knew none. */
    public String known() {
        return all.stream().distinct().map(t -> t.tests().length + " of " + t.asked()).collect(Collectors.joining(", "));
    }

    /** Share of known facts whose object the operator finds, at the layer and with the betas chosen. */
    public Estimate faithfulness(Selection how) {
        return faithful == null ? none() : Estimate.mean(faithful.best(how), SEED);
    }

    /** The mean without its interval, which takes a bootstrap. */
    double meanFaithfulness(Selection how) {
        return faithful == null ? Double.NaN : mean(faithful.best(how));
    }

    /** The same with h taken after a layer. */
    public Estimate faithfulness(Selection how, int layer) {
        return faithful == null ? none() : Estimate.mean(faithful.at(index(layer), how), SEED);
    }

    /** Share of edits after which the model says the other fact's object, at the layer and with the ranks chosen. */
    public Estimate causality(Selection how) {
        return causal == null ? none() : Estimate.mean(causal.best(how), SEED);
    }

    /** The mean without its interval. */
    double meanCausality(Selection how) {
        return causal == null ? Double.NaN : mean(causal.best(how));
    }

    /** The same with the state edited after a layer. */
    public Estimate causality(Selection how, int layer) {
        return causal == null ? none() : Estimate.mean(causal.at(index(layer), how), SEED);
    }

    private static double mean(double[] scores) {
        return Arrays.stream(scores).filter(s -> !Double.isNaN(s)).average().orElse(Double.NaN);
    }

    private static Estimate none() {
        return Estimate.mean(new double[0], SEED);
    }

    private int index(int layer) {
        int at = Arrays.binarySearch(layers, layer);
        if (at < 0) {
            throw new IllegalArgumentException("layer: " + layer + " was not looked at; there are " + Arrays.toString(layers));
        }
        return at;
    }

    /** Mean faithfulness by layer, in the order of {@link #layers}. */
    public double[] faithfulnessByLayer(Selection how) {
        return byLayer(faithful, how);
    }

    /** Mean causality by layer, in the order of {@link #layers}. */
    public double[] causalityByLayer(Selection how) {
        return byLayer(causal, how);
    }

    private double[] byLayer(Outcomes outcomes, Selection how) {
        return IntStream.range(0, layers.length).mapToDouble(i -> outcomes == null ? Double.NaN : mean(outcomes.at(i, how))).toArray();
    }

    /** The layers chosen for faithfulness, as text; several where parts chose differently. */
    public String chosenLayers(Selection how) {
        return faithful == null ? "–" : faithful.chosenLayers(how).stream().map(i -> label(layers[i])).collect(Collectors.joining(", "));
    }

    /** The layer at which faithfulness is largest; of equals the first. */
    public int bestLayer() {
        return layers[RelativeDepth.peak(faithfulnessByLayer(Selection.PUBLISHED))];
    }

    /** The beta that is best at a layer in the first split. */
    public double beta(int layer) {
        if (faithful == null) {
            throw new IllegalArgumentException(name() + ": too few known facts (" + known() + ") to choose beta");
        }
        return LinearSweep.BETAS[faithful.setting(0, index(layer))];
    }

    /** The last layer at which faithfulness is at least half way from the best constant answer to its largest value: until there the state decides. */
    public int lastLinearLayer() {
        return lastHalf(faithfulnessByLayer(Selection.PUBLISHED), constant());
    }

    /** The last layer at which causality is at least half of its largest value. */
    public int lastCausalLayer() {
        return lastHalf(causalityByLayer(Selection.PUBLISHED), 0);
    }

    private int lastHalf(double[] curve, double floor) {
        double half = (Arrays.stream(curve).max().orElse(Double.NaN) + floor) / 2;
        return layers[IntStream.range(0, curve.length).filter(l -> curve[l] >= half).reduce((a, b) -> b).orElse(0)];
    }

    /**
     * The best constant answer: the largest share of tests whose objects one token begins, mean over splits. Where objects are one token each
     * it is the share of the most frequent object.
     */
    public double constant() {
        return trials.stream().mapToDouble(Trial::constant).average().orElse(Double.NaN);
    }

    /** The paper's baseline: the probability that two objects of the relation, drawn at random, begin with the same token. */
    public double chance() {
        return Baselines.chance(relation.facts(), model.requireTokenizer());
    }

    /** Faithfulness and causality by layer, chosen on other facts, with the best constant answer as a level. */
    public XYChart chart() {
        XYChart chart = Charts.lines(model.name() + ", " + name() + ", " + asking.id(), "layer after which h is taken (-1: embedding)", "share of facts");
        chart.getStyler().setYAxisMin(0.0).setYAxisMax(1.0);
        double[] x = Arrays.stream(layers).asDoubleStream().toArray();
        line(chart, "faithfulness", x, l -> faithfulness(Selection.NESTED, l));
        if (causal != null) {
            line(chart, "causality", x, l -> causality(Selection.NESTED, l));
        }
        return Charts.level(chart, "best constant answer", x[0], x[x.length - 1], constant());
    }

    private void line(XYChart chart, String name, double[] x, Function<Integer, Estimate> at) {
        Estimate[] e = Arrays.stream(layers).mapToObj(at::apply).toArray(Estimate[]::new);
        Charts.line(chart, name, x, Arrays.stream(e).mapToDouble(Estimate::mean).toArray(),
                Arrays.stream(e).mapToDouble(Estimate::low).toArray(), Arrays.stream(e).mapToDouble(Estimate::high).toArray());
    }

    static String label(int layer) {
        return layer == Jacobian.EMBED ? "embed" : String.valueOf(layer);
    }

    @Override
    public Object view() {
        return isMeasured() ? chart()
                : model.name() + ", " + name() + ": too few known facts (" + known() + "; at least " + Trial.LEAST + " are needed)";
    }
}
