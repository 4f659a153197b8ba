package lab.recall.edit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import lab.recall.edit.EditScores.Measure;
import lab.recall.facts.PaperNumbers;
import lab.recall.model.LanguageModel;
import lab.recall.model.Mamba;
import lab.recall.stats.Estimate;
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
 * curves.chart(Measure.SPECIFICITY), curves.besidePaper(null), curves.table()
 * }</pre>
 */
public final class EditCurves implements Showable {
    private final LanguageModel model;
    private final List<Integer> layers;
    private final Map<EditMatrix, List<List<CaseScores>>> found;

    EditCurves(LanguageModel model, List<Integer> layers, Map<EditMatrix, List<List<CaseScores>>> found) {
        this.model = model;
        this.layers = layers;
        this.found = found;
    }

    /** The model that was edited. */
    public LanguageModel model() {
        return model;
    }

    /** The layers that were edited. */
    public List<Integer> layers() {
        return layers;
    }

    /** The matrices that were edited. */
    public List<EditMatrix> matrices() {
        return List.copyOf(found.keySet());
    }

    /** How many requests. */
    public int requests() {
        return found.values().iterator().next().get(0).size();
    }

    /** The scores of a matrix in a layer. */
    public EditScores at(EditMatrix matrix, int layer) {
        int l = layers.indexOf(layer);
        if (l < 0 || !found.containsKey(matrix)) {
            throw new IllegalArgumentException(matrix.id() + " in layer " + layer + " was not edited");
        }
        return new EditScores(model.name() + ", " + matrix.label() + ", layer " + layer, found.get(matrix).get(l));
    }

    /** Means of a share by layer, from 0 to 1; of the harmonic mean where the measure is null. NaN for a layer that was not edited. */
    public double[] means(EditMatrix matrix, Measure measure) {
        return IntStream.range(0, model.layers()).mapToDouble(l -> layers.contains(l) ? at(matrix, l).mean(measure) : Double.NaN).toArray();
    }

    private static double[] each(Estimate[] estimates, ToDoubleFunction<Estimate> what) {
        return Arrays.stream(estimates).mapToDouble(what).toArray();
    }

    /** By layer of the model. */
    Estimate[] estimates(EditMatrix matrix, Measure measure) {
        Estimate none = Estimate.mean(new double[0], 1);
        return IntStream.range(0, model.layers()).mapToObj(l -> !layers.contains(l) ? none
                : measure == null ? at(matrix, l).score() : at(matrix, l).success(measure)).toArray(Estimate[]::new);
    }

    /** The layer at which a matrix's harmonic mean is largest. */
    public int best(EditMatrix matrix) {
        double[] score = means(matrix, null);
        return layers.stream().max(Comparator.comparingDouble(l -> Double.isNaN(score[l]) ? -1 : score[l])).orElseThrow();
    }

    /** A measure by layer, one line a matrix; the harmonic mean where it is null. */
    public XYChart chart(Measure measure) {
        return lines(measure, "layer", Charts::byLayer);
    }

    private interface Line {
        XYChart add(XYChart chart, String name, double[] means, double[] low, double[] high);
    }

    private XYChart lines(Measure measure, String over, Line line) {
        XYChart chart = Charts.lines(title(measure), over, name(measure));
        chart.getStyler().setYAxisMin(0.0).setYAxisMax(1.05);
        for (EditMatrix m : found.keySet()) {
            Estimate[] e = estimates(m, measure);
            line.add(chart, m.label(), each(e, Estimate::mean), each(e, Estimate::low), each(e, Estimate::high));
        }
        return chart;
    }

    /** The same over relative depth with the paper's curves of the same matrices: Mamba-2.8b's, or Pythia-2.8b's. */
    public XYChart besidePaper(Measure measure) {
        XYChart chart = lines(measure, "layer / layers", Charts::byDepth);
        for (EditMatrix m : found.keySet()) {
            double[] curve = paper(m, measure);
            double[] x = IntStream.range(0, curve.length).mapToDouble(l -> (double) l / curve.length).toArray();
            Charts.counterpart(chart, m.label(), m.label() + ", paper's " + (m == EditMatrix.W_DOWN ? "Pythia" : "Mamba"), x, curve);
        }
        return chart;
    }

    /** The paper's curve of a matrix by layer, from 0 to 1. */
    static double[] paper(EditMatrix matrix, Measure measure) {
        PaperNumbers numbers = numbers(matrix);
        List<Double> curve = new ArrayList<>();
        numbers.at("matrices", matrix.label()).forEach(row -> curve.add(row.path(measure == null ? "score" : measure.label()).asDouble() / 100));
        return curve.stream().mapToDouble(v -> v).toArray();
    }

    static PaperNumbers numbers(EditMatrix matrix) {
        return PaperNumbers.of(matrix == EditMatrix.W_DOWN ? "rome_pythia" : "rome_mamba");
    }

    /** Every measure for each matrix and layer. */
    public Table table() {
        List<String> columns = List.of("matrix", "layer", "efficacy", "generalisation", "specificity", "score", "efficacy magnitude",
                "generalisation magnitude", "specificity magnitude");
        List<List<Object>> rows = new ArrayList<>();
        for (EditMatrix m : found.keySet()) {
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
                rows.add(row);
            }
        }
        return Tables.of(model.name() + ": " + requests() + " requests, each edited by itself; means with their 95 % intervals", columns, rows);
    }

    private String title(Measure measure) {
        return model.name() + ", " + name(measure) + " of " + requests() + " edits at each layer";
    }

    private static String name(Measure measure) {
        return measure == null ? "score" : measure.label();
    }

    /** Whether it is a Mamba's. */
    boolean isMamba() {
        return model instanceof Mamba;
    }

    @Override
    public Object view() {
        return chart(null);
    }
}
