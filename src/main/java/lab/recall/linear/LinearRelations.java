package lab.recall.linear;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import lab.recall.base.BadRequest;
import lab.recall.base.Nearest;
import lab.recall.base.Said;
import lab.recall.base.Unsolvable;
import lab.recall.stats.Estimate;
import lab.recall.stats.RelativeDepth;
import lab.recall.study.ModelCard;
import lab.recall.view.BarChart;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import org.knowm.xchart.CategoryChart;
import tech.tablesaw.api.Table;

/**
 * How linear the relations of a set are in a model; shows itself as sorted bars with intervals, each with its baselines.
 *
 * <pre>{@code
 * found.bars()
 * found.table()                                              // nested and published, layers, causality, baselines
 * found.mean(), found.aboveConstant()                        // over relations
 * LinearRelations.beside(ofMamba, ofNeox)
 * found.chosen(Selection.PUBLISHED).mean()                   // as the reference code chose
 * }</pre>
 *
 * Layers, betas and ranks are chosen on other facts than those that are scored, until told otherwise.
 */
public final class LinearRelations implements Showable {
    private static final long SEED = 1;

    private final ModelCard model;
    private final Asking asking;
    private final Selection how;
    private final List<LinearRelation> all;
    private final transient List<LinearRelation> measured;

    @JsonCreator
    LinearRelations(@JsonProperty("model") ModelCard model, @JsonProperty("asking") Asking asking, @JsonProperty("how") Selection how,
            @JsonProperty("all") List<LinearRelation> all) {
        this.model = model;
        this.asking = asking;
        this.how = how;
        this.all = List.copyOf(all);
        this.measured = all.stream().filter(LinearRelation::isMeasured)
                .sorted(Comparator.comparingDouble((LinearRelation r) -> -r.meanFaithfulness(how))).toList();
    }

    /** The same, with layers and settings chosen in another way. */
    public LinearRelations chosen(Selection other) {
        return new LinearRelations(model, asking, other, all);
    }

    /** The model that was looked at. */
    public ModelCard model() {
        return model;
    }

    /** How layers and settings are chosen. */
    public Selection how() {
        return how;
    }

    /** All relations, those without numbers too. */
    public List<LinearRelation> all() {
        return all;
    }

    /** Those of which the model knows enough facts, the most linear first. */
    public List<LinearRelation> measured() {
        return measured;
    }

    /**
     * One by its name.
     *
     * @throws BadRequest if it is not among them
     */
    public LinearRelation get(String name) {
        List<String> names = all.stream().map(LinearRelation::name).toList();
        return all.stream().filter(r -> r.name().equals(name)).findFirst().orElseThrow(() -> new BadRequest("relation",
                "'" + Said.of(name) + "' is not here; there are " + String.join(", ", names) + Nearest.question(name, names)));
    }

    /** Mean faithfulness over the measured relations, its interval over relations. */
    public Estimate mean() {
        return Estimate.mean(measured().stream().mapToDouble(r -> r.meanFaithfulness(how)).toArray(), SEED);
    }

    /** Mean causality over the measured relations. */
    public Estimate causality() {
        return Estimate.mean(measured().stream().mapToDouble(r -> r.meanCausality(how)).toArray(), SEED);
    }

    /** Mean of the best constant answers. */
    public Estimate constant() {
        return Estimate.mean(measured().stream().mapToDouble(LinearRelation::constant).toArray(), SEED);
    }

    /** By how much faithfulness is above the best constant answer, relation by relation. */
    public Estimate aboveConstant() {
        return Estimate.mean(measured().stream().mapToDouble(r -> r.meanFaithfulness(how) - r.constant()).toArray(), SEED);
    }

    /** How many relations have a faithfulness above a value. */
    public long above(double value) {
        return measured().stream().filter(r -> r.meanFaithfulness(how) > value).count();
    }

    /**
     * The layer at which the mean over the measured relations is largest.
     *
     * @throws Unsolvable if none is measured
     */
    public int bestLayer() {
        if (measured.isEmpty()) {
            throw new Unsolvable(title(), nothing());
        }
        int[] layers = measured.get(0).layers();
        double[] means = new double[layers.length];
        for (LinearRelation r : measured) {
            double[] curve = r.faithfulnessByLayer(how);
            for (int i = 0; i < means.length; i++) {
                means[i] += curve[i] / measured.size();
            }
        }
        return layers[RelativeDepth.peak(means)];
    }

    /**
     * Sorted bars with intervals; dots are the baselines.
     *
     * @throws Unsolvable if no relation is measured
     */
    public CategoryChart bars() {
        return beside(this);
    }

    /**
     * Bars of several models side by side, sorted by the first; a relation that is measured in none is left out.
     *
     * @throws Unsolvable if no relation is measured
     */
    public static CategoryChart beside(LinearRelations... found) {
        List<String> names = Arrays.stream(found).flatMap(f -> f.measured().stream()).map(LinearRelation::name).distinct().toList();
        if (names.isEmpty()) {
            throw new Unsolvable("no bar to draw", "no relation has " + Trial.LEAST + " known facts in "
                    + String.join(" or ", Arrays.stream(found).map(f -> f.model.name()).toList()));
        }
        BarChart chart = BarChart.of("faithfulness, " + found[0].asking.id() + found[0].how.label(), "share of known facts", names);
        for (LinearRelations f : found) {
            Estimate[] e = names.stream().map(n -> f.faithfulness(n)).toArray(Estimate[]::new);
            chart = chart.bar(f.model.name(), Arrays.stream(e).mapToDouble(Estimate::mean).toArray(),
                    Arrays.stream(e).mapToDouble(Estimate::low).toArray(), Arrays.stream(e).mapToDouble(Estimate::high).toArray());
        }
        return chart.dots("best constant answer", names.stream().mapToDouble(n -> largest(found, n, LinearRelation::constant)).toArray())
                .dots("chance", names.stream().mapToDouble(n -> largest(found, n, LinearRelation::chance)).toArray()).chart();
    }

    private Estimate faithfulness(String name) {
        return all.stream().filter(r -> r.name().equals(name)).findFirst().map(r -> r.faithfulness(how))
                .orElse(Estimate.share(0, 0));
    }

    /** Models that know other facts have other tests, and with them another best constant answer: the larger one counts. */
    private static double largest(LinearRelations[] found, String name, ToDoubleFunction<LinearRelation> baseline) {
        return Arrays.stream(found).map(f -> f.all.stream().filter(r -> r.name().equals(name) && r.isMeasured()).findFirst().orElse(null))
                .filter(Objects::nonNull).mapToDouble(baseline).max().orElse(Double.NaN);
    }

    /** One row a relation: what was found with either selection, where, and the baselines; those without numbers say why. */
    public Table table() {
        List<List<Object>> rows = new ArrayList<>();
        for (LinearRelation r : Stream.concat(measured().stream(), all.stream().filter(r -> !r.isMeasured())).toList()) {
            rows.add(r.isMeasured() ? List.of(r.name(), r.tested(), r.faithfulness(Selection.NESTED).toString(),
                    r.faithfulness(Selection.PUBLISHED).toString(), r.chosenLayers(Selection.NESTED),
                    r.causality(Selection.NESTED).toString(), r.causality(Selection.PUBLISHED).toString(), Tables.number(r.constant()),
                    Tables.number(r.chance()))
                    : List.of(r.name(), 0, "too few known: " + r.known(), "–", "–", "–", "–", "–", Tables.number(r.chance())));
        }
        return Tables.of(model.name() + ", " + asking.id(), List.of("relation", "facts", "faithfulness", "faithfulness, on the tests",
                "layer", "causality", "causality, on the tests", "best constant answer", "chance"), rows);
    }

    /** One row a relation, layer and measure, for programs. */
    public Table layerTable() {
        List<List<Object>> rows = new ArrayList<>();
        for (LinearRelation r : measured()) {
            for (Selection selection : Selection.values()) {
                for (int layer : r.layers()) {
                    rows.add(row(r, "faithfulness", selection, layer, r.faithfulness(selection, layer)));
                    if (r.hasCausality()) {
                        rows.add(row(r, "causality", selection, layer, r.causality(selection, layer)));
                    }
                }
            }
        }
        return Tables.of(model.name() + ", " + asking.id(),
                List.of("relation", "measure", "selection", "layer", "mean", "low", "high", "facts"), rows);
    }

    private static List<Object> row(LinearRelation r, String measure, Selection selection, int layer, Estimate e) {
        return List.of(r.name(), measure, selection.id(), LinearRelation.label(layer), e.mean(), e.low(), e.high(), e.n());
    }

    /** In one sentence: how many relations could be measured, and how linear they are. */
    public String summary() {
        int measured = measured().size();
        if (measured == 0) {
            return title() + ": " + nothing();
        }
        String others = measured == all.size() ? "" : " (of each other fewer than " + Trial.LEAST + " facts are known)";
        return title() + ": " + measured + " of " + all.size() + " relations measured" + others + "; faithfulness " + mean()
                + ", best constant answer " + constant() + ", difference " + aboveConstant() + "; " + above(0.5) + " above 0.5";
    }

    private static String nothing() {
        return "no relation has the " + Trial.LEAST + " known facts that a test needs; there is nothing to measure";
    }

    private String title() {
        return model.name() + ", " + asking.id() + how.label();
    }

    @Override
    public Object view() {
        return measured().isEmpty() ? summary() : bars();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LinearRelations r && model.equals(r.model) && asking == r.asking && how == r.how && all.equals(r.all);
    }

    @Override
    public int hashCode() {
        return Objects.hash(model, asking, how, all);
    }
}
