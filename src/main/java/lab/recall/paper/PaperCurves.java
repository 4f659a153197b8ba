package lab.recall.paper;

import java.awt.Color;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import lab.recall.base.Unsolvable;
import lab.recall.edit.EditCurves;
import lab.recall.edit.EditScores.Measure;
import lab.recall.knockout.KnockoutCurves;
import lab.recall.knockout.Route;
import lab.recall.knockout.TokenGroup;
import lab.recall.linear.LinearRelation;
import lab.recall.linear.LinearRelations;
import lab.recall.model.HookPoint;
import lab.recall.stats.Estimate;
import lab.recall.stats.RelativeDepth;
import lab.recall.trace.AverageTrace;
import lab.recall.trace.BlockedPaths;
import lab.recall.trace.Position;
import lab.recall.view.ChartGrid;
import lab.recall.view.Charts;
import lab.recall.view.HeatMap;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;

/**
 * Pictures of what was found, with the paper's curves of a model of the same family dashed beside them, over relative depth.
 *
 * <pre>{@code
 * PaperCurves.beside(trace)                                  // the hand-over
 * PaperCurves.mapBeside(trace)                               // the paper's map, less its background, and this one
 * PaperCurves.beside(blockedPaths, Position.SUBJECT_LAST)
 * PaperCurves.beside(editCurves)                             // efficacy, generalisation, specificity, score
 * PaperCurves.beside(linearRelations, 6)                     // layer sweeps of the six relations with most facts
 * PaperCurves.beside(knockoutCurves)
 * }</pre>
 *
 * Where the paper has nothing of a family, or not this curve, the picture is without it. Source: arXiv 2404.03646, sections 3 to 6.
 */
public final class PaperCurves {
    private static final String DEPTH = "(layer + 1) / layers";

    private PaperCurves() {
    }

    private static String paper(String line, PaperModel model) {
        return line + ", paper's " + model.label();
    }

    private static void dashed(XYChart chart, String line, PaperModel model, double[] curve) {
        if (chart.getSeriesCollection().stream().anyMatch(s -> s.getName().equals(line))) {
            Charts.counterpart(chart, line, paper(line, model), RelativeDepth.each(curve.length), curve);
        }
    }

    /** The residual stream at the subject's last token, the prompt's last token and the whole subject, which the paper did not put back. */
    public static XYChart beside(AverageTrace trace) {
        XYChart chart = trace.handOverByDepth();
        PaperModel.of(trace.model()).filter(m -> trace.point().id().equals(TracingCriteria.RESIDUAL)).ifPresent(m -> {
            for (Position p : List.of(Position.SUBJECT_LAST, Position.LAST)) {
                dashed(chart, p.label(), m, TracingCriteria.traces(m).at(TracingCriteria.RESIDUAL, p).means());
            }
        });
        return chart;
    }

    /** The paper's map of the same point, less its background, and the one that was found; the latter alone where the paper has none. */
    public static HeatMap mapBeside(AverageTrace trace) {
        return PaperModel.of(trace.model()).map(m -> m.key() + " " + TracingCriteria.TRACES.getOrDefault(trace.point().id(), ""))
                .filter(PaperFigures.maps()::contains)
                .map(map -> HeatMap.beside(PaperFigures.corrected(map).titled("the paper's " + PaperFigures.title(map) + ", corrected")
                        .range(0, 1), trace.heatmap())).orElseGet(trace::heatmap);
    }

    /** Recovery with and without a component blocked. */
    public static XYChart beside(BlockedPaths blocked, Position token) {
        XYChart chart = blocked.byDepth(token);
        PaperModel.of(blocked.model()).ifPresent(m -> Stream.concat(Stream.of(BlockedPaths.NOTHING),
                blocked.components().stream().map(HookPoint::id)).filter(b -> b.equals(BlockedPaths.NOTHING)
                || TracingCriteria.hasPaths(m, List.of(b))).forEach(b ->
                dashed(chart, BlockedPaths.label(b), m, TracingCriteria.paths(m).at(b, token).means())));
        return Charts.range(chart, 0, 1);
    }

    /** Efficacy, generalisation, specificity and their harmonic mean. */
    public static ChartGrid beside(EditCurves curves) {
        List<XYChart> charts = new ArrayList<>();
        for (Measure m : Measure.values()) {
            charts.add(PaperEdits.beside(curves, m));
        }
        charts.add(PaperEdits.beside(curves));
        return ChartGrid.of(2, charts);
    }

    /**
     * Layer sweeps of the relations with most facts, those first of which the paper has one: faithfulness and causality, as they were asked
     * and chosen.
     *
     * @param most how many relations
     * @throws Unsolvable if no relation is measured
     */
    public static ChartGrid beside(LinearRelations found, int most) {
        Map<String, LayerCurves> published = PaperModel.of(found.model()).map(PaperLinearity::curves).orElse(Map.of());
        List<LinearRelation> some = found.measured().stream().sorted(Comparator
                .comparing((LinearRelation r) -> !published.containsKey(PaperLinearity.published(r.name(), published.keySet())))
                .thenComparing(r -> -r.tested())).limit(most).toList();
        if (some.isEmpty()) {
            throw new Unsolvable(found.model().name(), found.summary());
        }
        return ChartGrid.of(3, some.stream().map(r -> sweep(found, r, published)).toList());
    }

    private static XYChart sweep(LinearRelations found, LinearRelation r, Map<String, LayerCurves> published) {
        XYChart chart = Charts.lines(r.name() + ", " + r.tested() + " facts", DEPTH, "share of facts");
        double[] depth = Arrays.stream(r.layers()).mapToDouble(l -> RelativeDepth.of(l, found.model().layers())).toArray();
        line(chart, "faithfulness", depth, r, l -> r.faithfulness(found.how(), l));
        if (r.hasCausality()) {
            line(chart, "causality", depth, r, l -> r.causality(found.how(), l));
        }
        Charts.level(chart, "best constant answer", 0, 1, r.constant());        // before the paper's: it has the same colour in all
        LayerCurves paper = published.get(PaperLinearity.published(r.name(), published.keySet()));
        if (paper != null) {
            PaperModel model = PaperModel.of(found.model()).orElseThrow();
            Charts.counterpart(chart, "faithfulness", paper("faithfulness", model), paper.depth(), paper.faithfulness());
            if (r.hasCausality()) {
                Charts.counterpart(chart, "causality", paper("causality", model), paper.depth(), paper.causality());
            }
        }
        return Charts.range(chart, 0, 1);
    }

    private interface At {
        Estimate of(int layer);
    }

    private static void line(XYChart chart, String name, double[] depth, LinearRelation r, At at) {
        Estimate[] e = Arrays.stream(r.layers()).mapToObj(at::of).toArray(Estimate[]::new);
        Charts.line(chart, name, depth, Arrays.stream(e).mapToDouble(Estimate::mean).toArray(),
                Arrays.stream(e).mapToDouble(Estimate::low).toArray(), Arrays.stream(e).mapToDouble(Estimate::high).toArray());
    }

    /** Relative changes of the answer's probability by what is knocked out; the paper published those of its Mamba. */
    public static XYChart beside(KnockoutCurves curves) {
        XYChart chart = curves.byDepth();
        if (PaperModel.of(curves.model()).filter(PaperModel.MAMBA::equals).isPresent()) {
            for (TokenGroup group : TokenGroup.PUBLISHED) {
                dashed(chart, Route.from(group).label(), PaperModel.MAMBA, knockout(group));
            }
        }
        return KnockoutCurves.range(chart);
    }

    /** One group's line of several curves in one chart, and the paper's Mamba's. */
    public static XYChart beside(TokenGroup group, List<String> names, List<KnockoutCurves> curves) {
        XYChart chart = KnockoutCurves.beside(group.label(), group, names, curves);
        double[] paper = knockout(group);
        XYSeries line = Charts.dashed(chart, "paper's " + PaperModel.MAMBA.fullName(), RelativeDepth.each(paper.length), paper)
                .getSeries("paper's " + PaperModel.MAMBA.fullName());
        line.setLineColor(Color.DARK_GRAY);
        return KnockoutCurves.range(chart);
    }

    private static double[] knockout(TokenGroup group) {
        return PaperNumbers.of("knockout").curve("categories", KnockoutCriteria.NAMES.get(group));
    }
}
