package lab.recall.paper;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.base.Nearest;
import lab.recall.base.Said;
import lab.recall.edit.EditCurves;
import lab.recall.edit.EditScores.Measure;
import lab.recall.knockout.KnockoutCurves;
import lab.recall.knockout.Route;
import lab.recall.knockout.TokenGroup;
import lab.recall.linear.LinearRelation;
import lab.recall.linear.LinearRelations;
import lab.recall.linear.Selection;
import lab.recall.model.EditableMatrix;
import lab.recall.model.HookPoint;
import lab.recall.stats.Estimate;
import lab.recall.stats.RankCorrelation;
import lab.recall.stats.RelativeDepth;
import lab.recall.study.ModelCard;
import lab.recall.trace.AverageTrace;
import lab.recall.trace.BlockedPaths;
import lab.recall.trace.Position;
import lab.recall.view.Charts;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/**
 * Each published curve and bar of the paper's model of this family beside what was measured, with a verdict; shows itself as a table.
 *
 * <pre>{@code
 * var c = Certificate.of(ModelCard.of(model)).traces(traces).paths(blocked).edits(curves).knockout(knockout).linear(found);
 * c.table(), c.summary(), c.isComparable()
 * c.chart("residual stream, subject's last token")           // the published curve dashed beside the measured one
 * }</pre>
 *
 * Numbers are compared for the paper's own checkpoint alone: a curve <em>agrees</em> if nine of ten of its published numbers lie within the
 * measured 95 % intervals (widened by how exactly they were read), it is <em>undecided</em> if these are wider than 0.2 on average, and
 * <em>differs</em> otherwise. For every model there is the shape: Spearman's rank correlation of both curves over relative depth.
 */
public final class Certificate implements Showable {
    private static final double MOST_OF_IT = 0.9;
    private static final double WIDE = 0.2;
    /** How exactly numbers were read from figures, or printed. */
    private static final double READ = 0.01;
    /** A published curve that changes less has no order to be compared. */
    private static final double FLAT = 0.05;
    /** Published maps end here: what is there means at least as much. */
    private static final double[] TOPS = {0.798, 0.499};

    /** A curve, or a bar, which is one of a single place. */
    private record Row(String experiment, String what, double[] published, boolean[] atLeast, Estimate[] measured) {
        static Row of(String experiment, String what, double[] published, Estimate... measured) {
            return new Row(experiment, what, published, new boolean[published.length], measured);
        }

        boolean agrees(int place) {
            Estimate e = measured[place];
            boolean notAbove = published[place] <= e.high() + READ;
            return notAbove && (atLeast[place] || published[place] >= e.low() - READ);
        }

        int[] places() {
            return IntStream.range(0, measured.length).filter(i -> measured[i].n() > 0 && i < published.length
                    && !Double.isNaN(published[i])).toArray();
        }

        String verdict() {
            int[] places = places();
            if (places.length == 0) {
                return "not measured";
            }
            long agree = IntStream.of(places).filter(this::agrees).count();
            double width = IntStream.of(places).mapToDouble(i -> measured[i].high() - measured[i].low()).average().orElseThrow();
            String count = published.length == 1 ? "" : " (" + agree + " of " + places.length + ")";
            return (agree < MOST_OF_IT * places.length ? "differs" : width > WIDE ? "undecided" : "agrees") + count;
        }

        /** Over the measured layers, the published curve read at the same share of the depth; a flat one has no shape. */
        double shape() {
            if (Arrays.stream(published).max().orElse(0) - Arrays.stream(published).min().orElse(0) < FLAT) {
                return Double.NaN;
            }
            double[] there = IntStream.range(0, measured.length).mapToDouble(l -> published[Math.max(0,
                    (int) Math.round(RelativeDepth.of(l, measured.length) * published.length) - 1)]).toArray();
            return RankCorrelation.of(Arrays.stream(measured).mapToDouble(Estimate::mean).toArray(), there);
        }

        private static String most(double[] curve, boolean... atLeast) {
            if (curve.length == 1) {
                return Criteria.number(curve[0], 3);
            }
            int at = IntStream.range(0, curve.length).reduce(0, (a, b) -> Math.abs(curve[b]) > Math.abs(curve[a]) ? b : a);
            return (atLeast.length > 0 && atLeast[at] ? "at least " : "") + Criteria.number(curve[at]) + " at "
                    + Criteria.number(RelativeDepth.of(at, curve.length));
        }

        List<Object> cells(boolean comparable) {
            double[] means = Arrays.stream(measured).mapToDouble(e -> Double.isNaN(e.mean()) ? 0 : e.mean()).toArray();
            return List.of(experiment, what, most(published, atLeast),
                    measured.length == 1 ? measured[0].toString() : most(means), Tables.number(shape()),
                    comparable ? verdict() : "not comparable");
        }
    }

    private final ModelCard model;
    private final PaperModel paper;
    private final List<Row> rows;

    private Certificate(ModelCard model, PaperModel paper, List<Row> rows) {
        this.model = model;
        this.paper = paper;
        this.rows = List.copyOf(rows);
    }

    /**
     * An empty one.
     *
     * @throws BadRequest if the paper has nothing of the model's family
     */
    public static Certificate of(ModelCard model) {
        return new Certificate(model, PaperModel.of(model, "all experiments", PaperModel.MAMBA, PaperModel.PYTHIA), List.of());
    }

    /** Whether it is the paper's checkpoint, by its name and depth: otherwise shapes are compared alone. */
    public boolean isComparable() {
        return Parity.checkpoint(model.name()).equals(paper.checkpoint()) && model.layers() == paper.layers();
    }

    private Certificate with(ModelCard of, List<Row> more) {
        if (!of.equals(model)) {
            throw new BadRequest("model", "a result of " + of.name() + " in the certificate of " + model.name());
        }
        List<Row> all = new ArrayList<>(rows);
        all.addAll(more);
        return new Certificate(model, paper, all);
    }

    /**
     * Averaged traces, one of each point.
     *
     * @throws BadRequest of another model's
     */
    public Certificate traces(Collection<AverageTrace> traces) {
        PaperNumbers numbers = PaperNumbers.of("tracing_average");
        Certificate all = this;
        for (AverageTrace t : traces) {
            String grid = paper.key() + " " + TracingCriteria.TRACES.getOrDefault(t.point().id(), "");
            if (!numbers.at("grids").has(grid)) {
                continue;
            }
            double empty = TracingCriteria.background(numbers, grid);
            List<Row> more = new ArrayList<>();
            for (Position p : List.of(Position.SUBJECT_SECOND_LAST, Position.SUBJECT_LAST, Position.FURTHER, Position.LAST)) {
                double[] raw = numbers.curve("grids", grid, TracingCriteria.ROWS.get(p));
                boolean[] atLeast = new boolean[raw.length];
                for (int l = 0; l < raw.length; l++) {
                    double value = raw[l];
                    atLeast[l] = Arrays.stream(TOPS).anyMatch(top -> Math.abs(value - top) < 1e-9);
                }
                more.add(new Row("tracing", t.point().title() + ", " + p.label(),
                        Arrays.stream(raw).map(v -> v - empty).toArray(), atLeast, t.samples(p).estimates()));
            }
            all = all.with(t.model(), more);
        }
        return all;
    }

    /** Path blocking, restored at the subject's last token and at the prompt's. */
    public Certificate paths(BlockedPaths blocked) {
        List<Row> more = new ArrayList<>();
        TracingCriteria.Curves published = TracingCriteria.paths(paper);
        for (Position token : blocked.tokens().contains(Position.SUBJECT_LAST) ? blocked.tokens() : List.of(Position.LAST)) {
            List<String> what = new ArrayList<>(List.of(BlockedPaths.NOTHING));
            blocked.components().stream().map(HookPoint::id).filter(id -> TracingCriteria.hasPaths(paper, List.of(id))).forEach(what::add);
            for (String b : what) {
                more.add(Row.of("path blocking", (b.equals(BlockedPaths.NOTHING) ? "nothing" : HookPoint.of(b).title()) + " blocked, "
                        + token.label(), published.at(b, token).means(), blocked.samples(b, token).estimates()));
            }
        }
        return with(blocked.model(), more);
    }

    /** An edit sweep. */
    public Certificate edits(EditCurves curves) {
        List<Row> more = new ArrayList<>();
        for (EditableMatrix m : curves.matrices()) {
            if (PaperEdits.matrices(paper).contains(m.id())) {
                for (Measure measure : Measure.values()) {
                    more.add(Row.of("editing", m.label() + ", " + measure.label(), PaperEdits.curve(paper, m.id(), measure.label()),
                            curves.estimates(m, measure)));
                }
                more.add(Row.of("editing", m.label() + ", " + PaperEdits.SCORE, PaperEdits.curve(paper, m.id(), PaperEdits.SCORE),
                        curves.scoreEstimates(m)));
            }
        }
        return with(curves.model(), more);
    }

    /** Linear relations in context, chosen on the tests as the paper chose. */
    public Certificate linear(LinearRelations found) {
        Map<String, Row> more = new LinkedHashMap<>();
        for (LinearRelation r : found.measured()) {
            Optional<PaperLinearity.Bar> bar = PaperLinearity.of(found.model(), r.name());
            bar.ifPresent(b -> more.put(r.name(), Row.of("linear relations", b.relation(), new double[] {b.faithfulness()},
                    r.faithfulness(Selection.PUBLISHED))));
        }
        return with(found.model(), List.copyOf(more.values()));
    }

    /** A knock-out in the paper's form; it published that of Mamba alone. */
    public Certificate knockout(KnockoutCurves curves) {
        List<Row> more = new ArrayList<>();
        if (paper == PaperModel.MAMBA) {
            for (TokenGroup group : TokenGroup.PUBLISHED) {
                if (curves.routes().contains(Route.from(group))) {
                    more.add(Row.of("knock-out", group.label(), PaperNumbers.of("knockout").curve("categories",
                            KnockoutCriteria.NAMES.get(group)), curves.samples(Route.from(group)).estimates()));
                }
            }
        }
        return with(curves.model(), more);
    }

    /** How many curves and bars have a verdict: agrees, undecided, differs, not measured; none where numbers are not comparable. */
    public long count(String verdict) {
        return isComparable() ? rows.stream().filter(r -> r.verdict().startsWith(verdict)).count() : 0;
    }

    /** In one sentence. */
    public String summary() {
        String beside = model.name() + " beside " + paper.checkpoint() + ", " + rows.size() + " published curves and bars: ";
        if (isComparable()) {
            return beside + count("agrees") + " agree, " + count("undecided") + " are undecided, " + count("differs") + " differ";
        }
        double[] shapes = rows.stream().mapToDouble(Row::shape).filter(s -> !Double.isNaN(s)).sorted().toArray();
        return beside + "it is another model" + (model.facts().inventedWorld() ? ", of an invented world" : "")
                + ", so that its numbers are not comparable; of the shapes "
                + Arrays.stream(shapes).filter(s -> s >= Found.HALF).count() + " of " + shapes.length
                + " have a rank correlation of 0.5 or more over relative depth"
                + (shapes.length == 0 ? "" : ", the middle one " + Criteria.number(shapes[shapes.length / 2]));
    }

    /** The names of its curves. */
    public List<String> curves() {
        return rows.stream().filter(r -> r.published.length > 1).map(Row::what).toList();
    }

    /**
     * A curve over relative depth, dashed beside it the published one.
     *
     * @throws BadRequest when there is none of this name, with the nearest
     */
    public XYChart chart(String curve) {
        Row row = rows.stream().filter(r -> r.published.length > 1 && r.what.equals(curve)).findFirst().orElseThrow(() ->
                new BadRequest("curve", "'" + Said.of(curve) + "' is none of this certificate" + Nearest.question(curve, curves())));
        Estimate[] e = row.measured;
        XYChart chart = Charts.lines(model.name() + " beside " + paper.checkpoint() + ": " + curve, "share of the depth", row.experiment);
        Charts.byDepth(chart, model.name(), Arrays.stream(e).mapToDouble(Estimate::mean).toArray(),
                Arrays.stream(e).mapToDouble(Estimate::low).toArray(), Arrays.stream(e).mapToDouble(Estimate::high).toArray());
        Charts.dashed(chart, "published, " + paper.checkpoint(), RelativeDepth.each(row.published.length), row.published);
        return chart;
    }

    /** For each published curve and bar its most and where, what was measured, the rank correlation, and the verdict. */
    public Table table() {
        return Tables.of(summary(), List.of("experiment", "curve", "published: most, at depth", "measured", "shape", "verdict"),
                rows.stream().map(r -> r.cells(isComparable())).toList());
    }

    @Override
    public Object view() {
        return table();
    }
}
