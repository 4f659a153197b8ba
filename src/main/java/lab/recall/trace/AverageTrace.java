package lab.recall.trace;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import lab.recall.facts.FactPair;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.stats.Estimate;
import lab.recall.view.Charts;
import lab.recall.view.HeatMap;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/**
 * Indirect effects averaged over pairs of facts, by position and layer; shows itself as a picture.
 *
 * <p>Each pair first averages the tokens of a position; then positions are averaged over the pairs that have them, with 95 % bootstrap
 * intervals. The corrupt run's probability is subtracted, as the paper defines the effect, and pairs whose two runs differ by less than
 * {@value #LEAST_SPAN} in probability are left out, since their ratio is noise.
 */
public final class AverageTrace implements Showable {
    static final double LEAST_SPAN = 0.05;
    private static final long SEED = 1;

    private final LanguageModel model;
    private final HookPoint point;
    private final int window;
    private final int pairs;
    private final Estimate[][] estimates;

    AverageTrace(LanguageModel model, HookPoint point, int window, List<FactPair> pairs, List<InterchangeGrid> grids) {
        this.model = model;
        this.point = point;
        this.window = window;
        int positions = Position.values().length;
        double[][][] samples = new double[positions][model.layers()][grids.size()];
        int used = 0;
        for (int i = 0; i < grids.size(); i++) {
            InterchangeGrid g = grids.get(i);
            boolean counts = g.pClean() - g.pCorrupt() >= LEAST_SPAN;
            used += counts ? 1 : 0;
            for (int l = 0; l < model.layers(); l++) {
                double[] sum = new double[positions];
                int[] n = new int[positions];
                double[] effect = g.effect()[l];
                for (int t = 0; t < effect.length; t++) {
                    int position = Position.of(pairs.get(i).cleanPrompt(), t).ordinal();
                    sum[position] += effect[t];
                    n[position]++;
                }
                for (int p = 0; p < positions; p++) {
                    samples[p][l][i] = counts && n[p] > 0 ? sum[p] / n[p] : Double.NaN;
                }
            }
        }
        this.pairs = used;
        this.estimates = new Estimate[positions][model.layers()];
        for (int p = 0; p < positions; p++) {
            for (int l = 0; l < model.layers(); l++) {
                estimates[p][l] = Estimate.mean(samples[p][l], SEED);
            }
        }
    }

    /** Number of pairs that count. */
    public int pairs() {
        return pairs;
    }

    /** Mean indirect effect at a position after a layer, with its interval. */
    public Estimate at(Position position, int layer) {
        return estimates[position.ordinal()][layer];
    }

    /** The layer at which a position's mean effect is largest. */
    public int peak(Position position) {
        int best = 0;
        for (int l = 1; l < model.layers(); l++) {
            if (at(position, l).mean() > at(position, best).mean()) {
                best = l;
            }
        }
        return best;
    }

    /** Mean effect by position (row) and layer. */
    public HeatMap heatmap() {
        double[][] means = Arrays.stream(estimates).map(row -> Arrays.stream(row).mapToDouble(Estimate::mean).toArray()).toArray(double[][]::new);
        return HeatMap.of(title(), means).rows(Arrays.stream(Position.values()).map(Position::label).toList()).columns("layer").range(0, 1)
                .colours(point == HookPoint.RESID_POST ? HeatMap.Colours.PURPLES : HeatMap.Colours.REDS);
    }

    /** Mean effect and interval for each position and layer. */
    public Table byPosition() {
        List<String> columns = new ArrayList<>(List.of("position", "pairs"));
        for (int l = 0; l < model.layers(); l++) {
            columns.add("layer " + l);
        }
        List<List<Object>> rows = new ArrayList<>();
        for (Position p : Position.values()) {
            List<Object> row = new ArrayList<>(List.of(p.label(), at(p, 0).n()));
            for (int l = 0; l < model.layers(); l++) {
                row.add(at(p, l).toString());
            }
            rows.add(row);
        }
        return Tables.of(title() + ": mean indirect effect with its 95 % interval", columns, rows);
    }

    /** The subject's last token and the prompt's last token by layer, with intervals: where the model hands over. */
    public XYChart handOver() {
        XYChart chart = Charts.lines(title(), "layer", "indirect effect");
        chart.getStyler().setYAxisMin(0.0).setYAxisMax(1.0);
        double[] layers = new double[model.layers()];
        Arrays.setAll(layers, l -> l);
        for (Position p : new Position[] {Position.SUBJECT_LAST, Position.LAST}) {
            double[] means = new double[layers.length];
            double[] half = new double[layers.length];
            for (int l = 0; l < layers.length; l++) {
                means[l] = at(p, l).mean();
                half[l] = (at(p, l).high() - at(p, l).low()) / 2;
            }
            Charts.line(chart, p.label(), layers, means, half);
        }
        return chart;
    }

    private String title() {
        return model.name() + ", " + point.id() + (window > 1 ? " over " + window + " layers" : "") + ", " + pairs + " pairs";
    }

    @Override
    public Object view() {
        return heatmap();
    }
}
