package lab.recall.linear;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.base.Unsolvable;
import lab.recall.model.Jacobian;
import lab.recall.stats.Estimate;
import lab.recall.stats.RelativeDepth;
import lab.recall.view.Charts;
import lab.recall.view.Showable;
import org.knowm.xchart.XYChart;

/**
 * How linear one relation is: faithfulness and causality, by layer and at the layer that is chosen, with exact 95 % intervals over facts.
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
    private final String model;
    private final String name;
    private final int facts;
    private final Asking asking;
    private final List<Integer> layers;
    private final double chance;
    private final List<Trial> splits;
    /** Those with enough known facts. */
    private final transient List<Trial> trials;
    private final transient Outcomes faithful;
    private final transient Outcomes causal;

    /**
     * @param model  its name
     * @param facts  how many the relation has
     * @param layers after which h was taken, ascending
     * @param chance the paper's baseline
     * @param splits what each gave; the first alone where the model knew none of its facts
     */
    @JsonCreator
    LinearRelation(@JsonProperty("model") String model, @JsonProperty("name") String name, @JsonProperty("facts") int facts,
            @JsonProperty("asking") Asking asking, @JsonProperty("layers") List<Integer> layers, @JsonProperty("chance") double chance,
            @JsonProperty("splits") List<Trial> splits) {
        this.model = model;
        this.name = name;
        this.facts = facts;
        this.asking = asking;
        this.layers = List.copyOf(layers);
        this.chance = chance;
        this.splits = List.copyOf(splits);
        this.trials = splits.stream().filter(Trial::counts).toList();
        this.faithful = trials.isEmpty() ? null : outcomes(Trial::faithful);
        this.causal = trials.stream().anyMatch(Trial::edited) ? outcomes(Trial::causal) : null;
    }

    private Outcomes outcomes(Function<Trial, List<List<Marks>>> marks) {
        return new Outcomes(facts, trials.stream().map(t -> t.tests().stream().mapToInt(i -> i).toArray()).toArray(int[][]::new),
                trials.stream().map(marks).toList());
    }

    /** Its relation's name. */
    public String name() {
        return name;
    }

    /** The layers at which it was looked at, {@link Jacobian#EMBED} for the embedding. */
    public int[] layers() {
        return layers.stream().mapToInt(l -> l).toArray();
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
        return (int) trials.stream().flatMap(t -> t.tests().stream()).distinct().count();
    }

    /** How many of the facts asked in each split were known; one split stands for all where it knew none. */
    public String known() {
        return splits.stream().map(t -> t.tests().size() + " of " + t.asked()).collect(Collectors.joining(", "));
    }

    /** Share of known facts whose object the operator finds, at the layer and with the betas chosen. */
    public Estimate faithfulness(Selection how) {
        return faithful == null ? none() : Estimate.share(faithful.best(how));
    }

    /** The mean without its interval. */
    double meanFaithfulness(Selection how) {
        return faithful == null ? Double.NaN : mean(faithful.best(how));
    }

    /**
     * The same with h taken after a layer.
     *
     * @throws BadRequest if it was not looked at
     */
    public Estimate faithfulness(Selection how, int layer) {
        return faithful == null ? none() : Estimate.share(faithful.at(index(layer), how));
    }

    /** Share of edits after which the model says the other fact's object, at the layer and with the ranks chosen. */
    public Estimate causality(Selection how) {
        return causal == null ? none() : Estimate.share(causal.best(how));
    }

    /** The mean without its interval. */
    double meanCausality(Selection how) {
        return causal == null ? Double.NaN : mean(causal.best(how));
    }

    /**
     * The same with the state edited after a layer.
     *
     * @throws BadRequest if it was not looked at
     */
    public Estimate causality(Selection how, int layer) {
        return causal == null ? none() : Estimate.share(causal.at(index(layer), how));
    }

    private static double mean(double[] scores) {
        return Arrays.stream(scores).filter(s -> !Double.isNaN(s)).average().orElse(Double.NaN);
    }

    private static Estimate none() {
        return Estimate.share(0, 0);
    }

    private int index(int layer) {
        int at = layers.indexOf(layer);
        if (at < 0) {
            throw new BadRequest("layer", label(layer) + " was not looked at; there are "
                    + layers.stream().map(LinearRelation::label).toList());
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
        return IntStream.range(0, layers.size()).mapToDouble(i -> outcomes == null ? Double.NaN : mean(outcomes.at(i, how))).toArray();
    }

    /** The layers chosen for faithfulness, as text; several where parts chose differently. */
    public String chosenLayers(Selection how) {
        return faithful == null ? "–"
                : faithful.chosenLayers(how).stream().map(i -> label(layers.get(i))).collect(Collectors.joining(", "));
    }

    /** The layer at which faithfulness is largest; of equals the first. */
    public int bestLayer() {
        return layers.get(RelativeDepth.peak(faithfulnessByLayer(Selection.PUBLISHED)));
    }

    /**
     * The beta that is best at a layer in the first split.
     *
     * @throws Unsolvable if too few facts are known
     */
    public double beta(int layer) {
        if (faithful == null) {
            throw new Unsolvable(name, "too few known facts (" + known() + ") to choose beta");
        }
        return LinearSweep.BETAS[faithful.setting(0, index(layer))];
    }

    /**
     * The last layer at which faithfulness is at least half way from the best constant answer to its largest value: until there the state
     * decides.
     */
    public int lastLinearLayer() {
        return lastHalf(faithfulnessByLayer(Selection.PUBLISHED), constant());
    }

    /** The last layer at which causality is at least half of its largest value. */
    public int lastCausalLayer() {
        return lastHalf(causalityByLayer(Selection.PUBLISHED), 0);
    }

    private int lastHalf(double[] curve, double floor) {
        double half = (Arrays.stream(curve).max().orElse(Double.NaN) + floor) / 2;
        return layers.get(IntStream.range(0, curve.length).filter(l -> curve[l] >= half).reduce((a, b) -> b).orElse(0));
    }

    /**
     * The best constant answer: the largest share of tests whose objects one token begins, mean over splits. Where objects are one token
     * each it is the share of the most frequent object.
     */
    public double constant() {
        return trials.stream().mapToDouble(Trial::constant).average().orElse(Double.NaN);
    }

    /** The paper's baseline: the probability that two objects of the relation, drawn at random, begin with the same token. */
    public double chance() {
        return chance;
    }

    /** Faithfulness and causality by layer, chosen on other facts, with the best constant answer as a level. */
    public XYChart chart() {
        XYChart chart = Charts.lines(model + ", " + name + ", " + asking.id(), "layer after which h is taken (-1: embedding)",
                "share of facts");
        double[] x = layers.stream().mapToDouble(l -> l).toArray();
        line(chart, "faithfulness", x, l -> faithfulness(Selection.NESTED, l));
        if (causal != null) {
            line(chart, "causality", x, l -> causality(Selection.NESTED, l));
        }
        return Charts.range(Charts.level(chart, "best constant answer", x[0], x[x.length - 1], constant()), 0, 1);
    }

    private void line(XYChart chart, String name, double[] x, Function<Integer, Estimate> at) {
        Estimate[] e = layers.stream().map(at).toArray(Estimate[]::new);
        Charts.line(chart, name, x, Arrays.stream(e).mapToDouble(Estimate::mean).toArray(),
                Arrays.stream(e).mapToDouble(Estimate::low).toArray(), Arrays.stream(e).mapToDouble(Estimate::high).toArray());
    }

    static String label(int layer) {
        return layer == Jacobian.EMBED ? "embed" : String.valueOf(layer);
    }

    @Override
    public Object view() {
        return isMeasured() ? chart()
                : model + ", " + name + ": too few known facts (" + known() + "; at least " + Trial.LEAST + " are needed)";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LinearRelation r && model.equals(r.model) && name.equals(r.name) && facts == r.facts && asking == r.asking
                && layers.equals(r.layers) && Double.compare(chance, r.chance) == 0 && splits.equals(r.splits);
    }

    @Override
    public int hashCode() {
        return Objects.hash(model, name, facts, asking, layers, chance, splits);
    }
}
