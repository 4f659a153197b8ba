package lab.recall.edit;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.edit.EditScores.Measure;
import lab.recall.model.EditableMatrix;
import lab.recall.stats.CrossFit;
import lab.recall.stats.Estimate;
import lab.recall.stats.Samples;
import lab.recall.study.ModelCard;
import lab.recall.view.Charts;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/**
 * Scores of edits by matrix and layer, with intervals; shows itself as a chart of the harmonic means.
 *
 * <pre>{@code
 * curves.at(W_O, 2).success(Measure.EFFICACY)
 * curves.chart(Measure.SPECIFICITY), curves.scoreChart(), curves.table()
 * }</pre>
 */
public final class EditCurves implements Showable {
    private final ModelCard model;
    private final List<Integer> layers;
    private final Map<EditableMatrix, List<List<CaseScores>>> found;

    /** What a curve shows: a share, or the harmonic mean of all three. */
    private record Shown(String label, Function<EditScores, Estimate> estimate, ToDoubleFunction<EditScores> mean) {
        static final Shown SCORE = new Shown("score", EditScores::score, EditScores::meanScore);

        static Shown of(Measure m) {
            return new Shown(m.label(), s -> s.success(m), s -> s.mean(m));
        }
    }

    /** @param found scores of cases by matrix, [layer among the edited ones][case] */
    @JsonCreator
    EditCurves(@JsonProperty("model") ModelCard model, @JsonProperty("layers") List<Integer> layers,
            @JsonProperty("found") Map<EditableMatrix, List<List<CaseScores>>> found) {
        this.model = model;
        this.layers = layers;
        this.found = found;
    }

    /** The model that was edited. */
    public ModelCard model() {
        return model;
    }

    /** The layers that were edited. */
    public List<Integer> layers() {
        return layers;
    }

    /** The matrices that were edited. */
    public List<EditableMatrix> matrices() {
        return List.copyOf(found.keySet());
    }

    /** How many requests. */
    public int requests() {
        return found.values().iterator().next().get(0).size();
    }

    /**
     * The scores of a matrix in a layer.
     *
     * @throws BadRequest if it was not edited
     */
    public EditScores at(EditableMatrix matrix, int layer) {
        int l = layers.indexOf(layer);
        if (l < 0 || !found.containsKey(matrix)) {
            throw new BadRequest("layer", matrix.id() + " in layer " + layer + " was not edited");
        }
        return new EditScores(model.name() + ", " + matrix.label() + ", layer " + layer, found.get(matrix).get(l));
    }

    /** Means of a share by layer, from 0 to 1; NaN for a layer that was not edited. */
    public double[] means(EditableMatrix matrix, Measure measure) {
        return means(matrix, Shown.of(measure));
    }

    /** Harmonic means by layer, from 0 to 1; NaN for a layer that was not edited. */
    public double[] scores(EditableMatrix matrix) {
        return means(matrix, Shown.SCORE);
    }

    /** Those of the cases alone. */
    List<CaseScores> cases(EditableMatrix matrix, int layer) {
        return found.get(matrix).get(layers.indexOf(layer));
    }

    private double[] means(EditableMatrix matrix, Shown shown) {
        return IntStream.range(0, model.layers())
                .mapToDouble(l -> layers.contains(l) ? shown.mean.applyAsDouble(at(matrix, l)) : Double.NaN).toArray();
    }

    private static double[] each(Estimate[] estimates, ToDoubleFunction<Estimate> what) {
        return Arrays.stream(estimates).mapToDouble(what).toArray();
    }

    /** A share by layer of the model, with its exact interval. */
    public Estimate[] estimates(EditableMatrix matrix, Measure measure) {
        return estimates(matrix, Shown.of(measure));
    }

    /** What each request gives by layer of those that were edited, with its relation. */
    public Samples samples(EditableMatrix matrix, Measure measure) {
        return samples(matrix, c -> c.success()[measure.ordinal()]);
    }

    /** The same of the differences of probabilities. */
    public Samples magnitudes(EditableMatrix matrix, Measure measure) {
        return samples(matrix, c -> c.magnitude()[measure.ordinal()]);
    }

    private Samples samples(EditableMatrix matrix, ToDoubleFunction<CaseScores> of) {
        List<List<CaseScores>> all = found.get(matrix);
        return new Samples(all.stream().map(layer -> layer.stream().mapToDouble(of).toArray()).toArray(double[][]::new),
                all.get(0).stream().map(CaseScores::relation).toList());
    }

    /** The harmonic mean by layer of the model, with its interval. */
    public Estimate[] scoreEstimates(EditableMatrix matrix) {
        return estimates(matrix, Shown.SCORE);
    }

    private Estimate[] estimates(EditableMatrix matrix, Shown shown) {
        Estimate none = Estimate.share(0, 0);
        return IntStream.range(0, model.layers())
                .mapToObj(l -> layers.contains(l) ? shown.estimate.apply(at(matrix, l)) : none).toArray(Estimate[]::new);
    }

    /** The scores of a matrix at its best layer: each case is read in the layer of the largest harmonic mean over other cases. */
    public EditScores atBest(EditableMatrix matrix) {
        List<List<CaseScores>> all = found.get(matrix);
        int[] layer = CrossFit.chosen(requests(), layers.size(), (l, some) ->
                new EditScores("", Arrays.stream(some).mapToObj(all.get(l)::get).toList()).meanScore());
        return new EditScores(model.name() + ", " + matrix.label() + ", best layer of other cases", IntStream.range(0, layer.length)
                .filter(i -> layer[i] >= 0).mapToObj(i -> all.get(layer[i]).get(i)).toList());
    }

    /** The layer at which a matrix's harmonic mean is largest. */
    public int best(EditableMatrix matrix) {
        double[] score = scores(matrix);
        return layers.stream().max(Comparator.comparingDouble(l -> Double.isNaN(score[l]) ? -1 : score[l])).orElseThrow();
    }

    /** A share by layer, one line a matrix. */
    public XYChart chart(Measure measure) {
        return lines(Shown.of(measure), "layer", Charts::byLayer);
    }

    /** The harmonic mean by layer, one line a matrix. */
    public XYChart scoreChart() {
        return lines(Shown.SCORE, "layer", Charts::byLayer);
    }

    private XYChart lines(Shown shown, String over, Charts.Adding line) {
        XYChart chart = Charts.lines(model.name() + ", " + shown.label + " of " + requests() + " edits at each layer", over, shown.label);
        for (EditableMatrix m : found.keySet()) {
            Estimate[] e = estimates(m, shown);
            line.add(chart, m.label(), each(e, Estimate::mean), each(e, Estimate::low), each(e, Estimate::high));
        }
        return Charts.range(chart, 0, 1.05);
    }

    /** A share over relative depth, so that curves of other models can stand beside it. */
    public XYChart byDepth(Measure measure) {
        return lines(Shown.of(measure), "(layer + 1) / layers", Charts::byDepth);
    }

    /** The harmonic mean over relative depth. */
    public XYChart scoreByDepth() {
        return lines(Shown.SCORE, "(layer + 1) / layers", Charts::byDepth);
    }

    /** Every measure for each matrix and layer. */
    public Table table() {
        List<String> columns = List.of("matrix", "layer", "efficacy", "generalisation", "specificity", "score", "efficacy magnitude",
                "generalisation magnitude", "specificity magnitude", "|v₀|", "first step in |v₀|", "|δ| in |v₀|",
                "share of the weight decay");
        List<List<Object>> rows = new ArrayList<>();
        for (EditableMatrix m : found.keySet()) {
            for (int l : layers) {
                EditScores s = at(m, l);
                List<Object> row = new ArrayList<>(List.of(m.label(), l));
                for (Measure measure : Measure.values()) {
                    row.add(s.success(measure).toString());
                }
                row.add(s.score().toString());
                for (Measure measure : Measure.values()) {
                    row.add(s.magnitude(measure).toString());
                }
                for (int part = 0; part < CaseScores.SEARCHED; part++) {
                    row.add(searched(m, l, part));
                }
                rows.add(row);
            }
        }
        return Tables.of(model.name() + ": " + requests() + " requests, each edited by itself; means with their 95 % intervals",
                columns, rows);
    }

    /** Mean over requests of a number of their searches; NaN where it is not known. */
    private double searched(EditableMatrix matrix, int layer, int part) {
        return cases(matrix, layer).stream().filter(c -> c.search().length > part).mapToDouble(c -> c.search()[part]).average()
                .orElse(Double.NaN);
    }

    @Override
    public Object view() {
        return scoreChart();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof EditCurves c && model.equals(c.model) && layers.equals(c.layers) && found.equals(c.found);
    }

    @Override
    public int hashCode() {
        return Objects.hash(model, layers, found);
    }
}
