package lab.recall.paper;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.base.Said;
import lab.recall.stats.RelativeDepth;
import lab.recall.trace.BlockedPaths;
import lab.recall.trace.Position;
import lab.recall.view.Charts;
import lab.recall.view.HeatMap;
import org.knowm.xchart.XYChart;

/**
 * The paper's figures drawn again from their numbers, as they were published and with what can be corrected in them.
 *
 * <pre>{@code
 * PaperFigures.maps()                                        // "mamba residual", "mamba o", ..
 * HeatMap.beside(PaperFigures.published("mamba o"), PaperFigures.corrected("mamba o"))
 * PaperFigures.difference(), PaperFigures.blocked("mamba-2.8b", Position.SUBJECT_LAST), PaperFigures.edits("mamba", "score")
 * }</pre>
 *
 * Needs no model. What is wrong with them is counted by {@link PaperCorrections}. Source: arXiv 2404.03646, sections 3 to 6.
 */
public final class PaperFigures {
    private static final List<Position> ROWS = List.of(Position.SUBJECT_SECOND_LAST, Position.SUBJECT_LAST, Position.FURTHER,
            Position.LAST);
    /** The published maps have these rows, too, without a cell: their averages were no number. */
    private static final List<Position> EMPTY = List.of(Position.PREFIX, Position.SUBJECT_EARLY);

    private PaperFigures() {
    }

    static PaperNumbers traced() {
        return PaperNumbers.of("tracing_average");
    }

    /** The averaged maps of causal tracing: model and what was put back. */
    public static List<String> maps() {
        List<String> names = new ArrayList<>();
        traced().at("grids").fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static String known(String map) {
        if (!maps().contains(map)) {
            throw new BadRequest("map", "'" + Said.of(map) + "', expected one of " + String.join(", ", maps()));
        }
        return map;
    }

    /** A map's name with its letter alone. */
    static String title(String map) {
        return map.replace("g(mlp_after_silu)", "g");
    }

    /**
     * A map as it was published: its two empty rows are hatched, and nothing is taken off.
     *
     * @throws BadRequest when there is no such map
     */
    public static HeatMap published(String map) {
        return map(map, title(map) + ", as published", 0);
    }

    /**
     * The same less what it shows where nothing matters, the median of its cells.
     *
     * @throws BadRequest when there is no such map
     */
    public static HeatMap corrected(String map) {
        return map(map, title(map) + ", corrected", TracingCriteria.background(traced(), known(map)));
    }

    private static HeatMap map(String map, String title, double off) {
        PaperNumbers numbers = traced();
        known(map);
        int layers = numbers.curve("grids", map, TracingCriteria.ROWS.get(ROWS.get(0))).length;
        List<double[]> rows = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (Position empty : EMPTY) {
            double[] none = new double[layers];
            Arrays.fill(none, Double.NaN);
            rows.add(none);
            names.add(empty.label() + " (NaN)");
        }
        for (Position row : ROWS) {
            rows.add(Arrays.stream(numbers.curve("grids", map, TracingCriteria.ROWS.get(row))).map(v -> v - off).toArray());
            names.add(row.label());
        }
        return HeatMap.of(title, rows.toArray(double[][]::new)).rows(names).columns("layer").range(0, 0.8)
                .measure("mean indirect effect").colours(colours(map));
    }

    private static HeatMap.Colours colours(String map) {
        return map.endsWith(" s") || map.endsWith("attn") ? HeatMap.Colours.REDS
                : map.contains(" g(") || map.endsWith("mlp") ? HeatMap.Colours.GREENS
                : map.endsWith(" o") ? HeatMap.Colours.BLUES : HeatMap.Colours.PURPLES;
    }

    /** Where the subject's last token gives way to the prompt's last one, in both models over relative depth. */
    public static XYChart handOver() {
        XYChart chart = byDepth("the paper: residual stream, corrected; clipped at 0.8 in the figure", "indirect effect", 1);
        for (PaperModel m : PaperModel.values()) {
            for (Position p : List.of(Position.SUBJECT_LAST, Position.LAST)) {
                double[] curve = TracingCriteria.traces(m).at(TracingCriteria.RESIDUAL, p).means();
                Charts.line(chart, m.fullName() + ", " + p.label(), RelativeDepth.each(curve.length), curve);
            }
        }
        return chart;
    }

    /** o − s − g at the subject's last token: of the published averages as they are, and of the corrected ones. */
    public static XYChart difference() {
        XYChart chart = Charts.lines("Mamba-2.8b, subject's last token: o − s − g, of unlike examples", "layer",
                "difference of indirect effects");
        double[] published = difference(0);
        double[] layers = layers(published.length);
        Charts.dashed(chart, "as published", layers, published);
        Charts.line(chart, "each less its background", layers, difference(1));
        return Charts.level(chart, "0", 0, published.length - 1.0, 0);
    }

    /** @param taken how much of each map's background is taken off, from 0 to 1 */
    static double[] difference(double taken) {
        double[] o = less("mamba o", taken);
        double[] s = less("mamba s", taken);
        double[] g = less("mamba g(mlp_after_silu)", taken);
        return IntStream.range(0, o.length).mapToDouble(l -> o[l] - s[l] - g[l]).toArray();
    }

    private static double[] less(String map, double taken) {
        double background = TracingCriteria.background(traced(), map);
        return Arrays.stream(traced().curve("grids", map, "subj last")).map(v -> v - taken * background).toArray();
    }

    /** Recovery by layer with components blocked, of a checkpoint at a token. */
    public static XYChart blocked(String checkpoint, Position token) {
        PaperModel model = checkpoint(checkpoint);
        XYChart chart = Charts.lines(model.fullName() + ", path blocking, " + token.label(), "layer", "recovery");
        chart.getStyler().setYAxisMin(-0.2).setYAxisMax(1.4);
        paths(model, token).forEach((name, curve) -> Charts.line(chart, name, layers(curve.length), curve));
        return chart;
    }

    /** What share of the recovery blocking takes away; where less than a tenth returns with nothing blocked there is no share. */
    public static XYChart lost(String checkpoint, Position token) {
        PaperModel model = checkpoint(checkpoint);
        XYChart chart = Charts.lines(model.fullName() + ", " + token.label()
                + ": share that blocking takes away", "layer", "1 − blocked / nothing blocked");
        chart.getStyler().setYAxisMin(-0.1).setYAxisMax(1.1);
        Map<String, double[]> all = paths(model, token);
        double[] whole = all.get(NOTHING);
        int[] some = IntStream.range(0, whole.length).filter(l -> whole[l] >= Found.TENTH).toArray();
        all.forEach((name, curve) -> {
            if (!name.equals(NOTHING)) {
                Charts.line(chart, name, IntStream.of(some).mapToDouble(l -> l).toArray(),
                        IntStream.of(some).mapToDouble(l -> 1 - curve[l] / whole[l]).toArray());
            }
        });
        return chart;
    }

    private static final String NOTHING = "nothing blocked";

    private static Map<String, double[]> paths(PaperModel model, Position token) {
        Map<String, double[]> all = new LinkedHashMap<>();
        TracingCriteria.Curves paper = TracingCriteria.paths(model);
        List<String> points = model == PaperModel.MAMBA ? List.of("y", "gate", "out")
                : List.of(TracingCriteria.ATTENTION, TracingCriteria.MLP);
        all.put(NOTHING, paper.at(BlockedPaths.NOTHING, token).means());
        points.forEach(p -> all.put(TracingCriteria.BLOCKED.get(p).replaceAll(" \\(.*", ""), paper.at(p, token).means()));
        return all;
    }

    private static PaperModel checkpoint(String name) {
        return Arrays.stream(PaperModel.values()).filter(m -> m.checkpoint().equals(name) || m.key().equals(name)).findFirst()
                .orElseThrow(() -> new BadRequest("model", "'" + Said.of(name) + "', expected one of "
                        + String.join(", ", Arrays.stream(PaperModel.values()).map(PaperModel::checkpoint).toList())));
    }

    /** A measure of edits by relative depth, all four matrices: efficacy, generalisation, specificity, or score. */
    public static XYChart edits(String measure) {
        XYChart chart = byDepth("the paper: " + measure + " of 2,000 edits at each layer", measure, 1.05);
        for (PaperModel m : PaperModel.values()) {
            for (String matrix : List.of(PaperEdits.W_A, PaperEdits.W_G, PaperEdits.W_O, PaperEdits.W_DOWN)) {
                if (PaperEdits.matrices(m).contains(matrix)) {
                    double[] curve = PaperEdits.curve(m, matrix, measure);
                    Charts.line(chart, PaperEdits.letter(matrix) + ", " + m.label(), RelativeDepth.each(curve.length), curve);
                }
            }
        }
        return chart;
    }

    /** The relations whose layer sweeps were published. */
    public static List<String> sweeps() {
        return List.copyOf(PaperLinearity.curves(PaperModel.MAMBA).keySet());
    }

    /** Faithfulness and causality of a relation over relative depth, both models; the level is the best constant answer over all facts. */
    public static XYChart sweep(String relation) {
        XYChart chart = byDepth("the paper: " + relation, "share of tests", 1.05);
        for (PaperModel m : PaperModel.values()) {
            LayerCurves c = PaperLinearity.curves(m).get(relation);
            Charts.line(chart, m.label() + ", faithfulness", c.depth(), c.faithfulness());
            Charts.dashed(chart, m.label() + ", causality", c.depth(), c.causality());
        }
        return PaperCorrections.constant(relation).map(level -> Charts.level(chart, "best constant answer", 0, 1, level)).orElse(chart);
    }

    /** Relative change of the answer's probability by centre layer, of Mamba-2.8b. */
    public static XYChart knockout() {
        PaperNumbers numbers = PaperNumbers.of("knockout");
        XYChart chart = Charts.lines("Mamba-2.8b, knock-out over windows of 10 layers, " + numbers.at("samples").asInt() + " prompts",
                "centre layer", "(p' − p) / p");
        chart.getStyler().setYAxisMin(-1.0).setYAxisMax(0.6);
        JsonNode categories = numbers.at("categories");
        categories.fieldNames().forEachRemaining(name -> {
            double[] curve = numbers.curve("categories", name);
            Charts.line(chart, name, layers(curve.length), curve);
        });
        return Charts.level(chart, "0", 0, 63, 0);
    }

    /** An empty chart over relative depth; the embedding stands at 0. */
    private static XYChart byDepth(String title, String yAxis, double most) {
        XYChart chart = Charts.lines(title, "(layer + 1) / layers", yAxis);
        chart.getStyler().setYAxisMin(0.0).setYAxisMax(most).setXAxisMin(0.0).setXAxisMax(1.0);
        chart.getStyler().setXAxisDecimalPattern("0.0");
        return chart;
    }

    private static double[] layers(int n) {
        return IntStream.range(0, n).mapToDouble(l -> l).toArray();
    }
}
