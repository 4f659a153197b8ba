package lab.recall.paper;

import static lab.recall.paper.Criteria.number;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.edit.EditCurves;
import lab.recall.edit.EditScores;
import lab.recall.edit.EditScores.Measure;
import lab.recall.knockout.KnockoutCurves;
import lab.recall.knockout.Route;
import lab.recall.knockout.TokenGroup;
import lab.recall.linear.LinearRelation;
import lab.recall.linear.LinearRelations;
import lab.recall.linear.Selection;
import lab.recall.model.EditableMatrix;
import lab.recall.model.HookPoint;
import lab.recall.paper.Found.Span;
import lab.recall.paper.TracingCriteria.Curves;
import lab.recall.stats.Estimate;
import lab.recall.stats.RankCorrelation;
import lab.recall.stats.RelativeDepth;
import lab.recall.stats.Samples;
import lab.recall.trace.AverageTrace;
import lab.recall.trace.BlockedPaths;
import lab.recall.trace.Position;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * What of the paper's picture a model of any family shows, in sentences that are made of the numbers found here and of the published ones.
 *
 * <pre>{@code
 * PaperPicture.of(trace, traceTogether)                      // where the fact is, and when it is handed over
 * PaperPicture.of(PathBlocking.of(model).together().over(pairs))
 * PaperPicture.of(curves, trace.handOverLayer()), PaperPicture.of(linearRelations), PaperPicture.of(knockoutCurves)
 * }</pre>
 *
 * Mamba-2.8b and Pythia-2.8b stand on the paper's side, layers are compared by relative depth, (l + 1) / L, and each sentence says its own
 * bound; where the 95 % interval does not clear it, it is undecided. The criteria of {@link TracingCriteria} and its neighbours are those
 * of a model's own family instead. Source: arXiv 2404.03646, sections 3 to 6.
 */
public final class PaperPicture implements Showable {
    private static final long SEED = 1;
    /** Shares of the depth within which two places count as one. */
    private static final double NEAR = 0.1;
    /** An effect up to here is little. */
    private static final double LITTLE = 0.1;
    /** A change of efficacy beyond this is a fall. */
    private static final double FALL = 0.1;
    private static final double READ = -0.2;
    private static final double RISE = 0.05;

    private record Line(Verdict same, String text) {
        String label() {
            return switch (same) {
                case HELD -> "as in the paper";
                case NOT_HELD -> "not as in the paper";
                default -> same.label();
            };
        }
    }

    private final String title;
    private final List<Line> lines;

    private PaperPicture(String title, List<Line> lines) {
        this.title = title;
        this.lines = List.copyOf(lines);
    }

    /** What the paper says of each of its models. */
    private static String published(Function<PaperModel, String> said) {
        return Arrays.stream(PaperModel.values()).map(m -> m.fullName() + " " + said.apply(m)).collect(Collectors.joining(", "));
    }

    /** The largest effect of a published model at a position of its residual stream. */
    private static double most(PaperModel model, Position token) {
        return TracingCriteria.traces(model).at(TracingCriteria.RESIDUAL, token).highest().mean();
    }

    /** The share of the depth at which a published model's last token overtakes the subject's. */
    private static double handOver(PaperModel model) {
        return RelativeDepth.of(border(model), model.layers());
    }

    private static int border(PaperModel model) {
        Curves paper = TracingCriteria.traces(model);
        return RelativeDepth.overtakes(paper.at(TracingCriteria.RESIDUAL, Position.LAST).means(),
                paper.at(TracingCriteria.RESIDUAL, Position.SUBJECT_LAST).means()).orElseThrow();
    }

    private static String depth(int layer, int layers) {
        return "layer " + layer + " of " + layers + " (" + number(RelativeDepth.of(layer, layers)) + " of the depth)";
    }

    /** Whether a layer that is not known exactly lies in a range of relative depth. */
    private static Verdict within(Span span, double from, double to) {
        return span.first() < 0 ? Verdict.NOT_HELD
                : Verdict.of(span.stream().allMatch(l -> span.depth(l) >= from && span.depth(l) <= to),
                        span.stream().anyMatch(l -> span.depth(l) >= from && span.depth(l) <= to));
    }

    /**
     * Of the residual stream.
     *
     * @param tokens   put back one at a time
     * @param together all tokens of a row at once, over the same pairs
     */
    public static PaperPicture of(AverageTrace tokens, AverageTrace together) {
        List<Line> lines = new ArrayList<>();
        int layers = tokens.model().layers();
        OptionalInt here = together.handOverLayer();
        double[] paper = Arrays.stream(PaperModel.values()).mapToDouble(PaperPicture::handOver).sorted().toArray();
        Span span = Span.firstAbove(together.samples(Position.LAST).minus(together.samples(Position.SUBJECT)).estimates(), 0);
        lines.add(new Line(here.isEmpty() ? Verdict.NOT_HELD : within(span, paper[0] - NEAR, paper[paper.length - 1] + NEAR),
                (here.isPresent()
                        ? "The prompt's last token carries more than the whole subject from " + depth(here.getAsInt(), layers) + " on"
                                + (span.first() == span.last() ? "" : " (by the intervals " + span.text() + ")")
                        : "The prompt's last token never carries more than the whole subject")
                        + "; in the paper it overtakes the subject's last token at " + published(m -> number(handOver(m))) + "."));
        Samples last = tokens.samples(Position.SUBJECT_LAST);
        Estimate one = last.highest();
        Estimate all = last.where(together.samples(Position.SUBJECT));
        lines.add(new Line(Verdict.of(one.low() >= all.high() / 2, one.high() >= all.low() / 2),
                "The subject's last token alone brings back at most " + one + " (after layer " + tokens.peak(Position.SUBJECT_LAST)
                        + "), all tokens of the subject " + all + " there, "
                        + last.where(together.samples(Position.SUBJECT).minus(together.samples(Position.SUBJECT_LAST)))
                        + " more; in the paper that one token brings back up to "
                        + published(m -> number(most(m, Position.SUBJECT_LAST))) + "."));
        Estimate further = together.most(Position.FURTHER);
        if (further.n() > 0) {
            lines.add(new Line(Found.atMost(further, LITTLE).verdict(), "The tokens between subject and last token carry at most " + further
                    + " together (after layer " + together.peak(Position.FURTHER) + "; up to " + number(LITTLE, 1)
                    + " is little); in the paper, one at a time, up to " + published(m -> number(most(m, Position.FURTHER))) + "."));
        }
        return new PaperPicture(tokens.model().name() + ", causal tracing", lines);
    }

    /**
     * Of path blocking, restored at either of the subject's last token and the whole subject; beside the published model that has the same
     * components.
     *
     * @throws BadRequest if there is none
     */
    public static PaperPicture of(BlockedPaths blocked) {
        Position subject = blocked.tokens().get(0);
        List<String> components = blocked.components().stream().map(HookPoint::id).toList();
        PaperModel model = Arrays.stream(PaperModel.values()).filter(m -> TracingCriteria.hasPaths(m, components)).findFirst()
                .orElseThrow(() -> new BadRequest("blocked", String.join(", ", components) + ", of which the paper blocked others"));
        Curves here = new Curves(blocked::samples);
        Curves paper = TracingCriteria.paths(model);
        List<Line> lines = new ArrayList<>();
        String at = "Restored at the subject (" + subject.label() + ") in the first quarter of the layers, ";
        costs(lines, at, blocked, here, subject, paper, model, new double[] {0.03, 0.25});
        double[] late = model == PaperModel.MAMBA ? new double[] {0.73, 0.79} : new double[] {0.6, 0.75};
        costs(lines, "Restored at the prompt's last token at " + late[0] + " to " + late[1] + " of the depth, ", blocked, here,
                Position.LAST, paper, model, late);
        return new PaperPicture(blocked.model().name() + ", path blocking", lines);
    }

    /** As in the paper if the same components cost more than little, and the same one most. */
    private static void costs(List<Line> lines, String where, BlockedPaths blocked, Curves here, Position token, Curves paper,
            PaperModel model, double[] range) {
        Map<HookPoint, Estimate> found = new LinkedHashMap<>();
        Map<HookPoint, Double> published = new LinkedHashMap<>();
        for (HookPoint p : blocked.components()) {
            found.put(p, here.lost(p.id(), token, range[0], range[1]));
            published.put(p, paper.lost(p.id(), token == Position.LAST ? token : Position.SUBJECT_LAST, range[0], range[1]).mean());
        }
        if (found.values().stream().anyMatch(e -> e.n() == 0)) {
            return;
        }
        HookPoint dearest = published.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey();
        Verdict same = Verdict.HELD;
        for (HookPoint p : found.keySet()) {
            boolean costs = published.get(p) > LITTLE;
            same = same.and((costs ? Found.atLeast(found.get(p), LITTLE) : Found.atMost(found.get(p), LITTLE)).verdict());
            if (p != dearest && published.get(dearest) > LITTLE) {
                same = same.and(Found.atLeast(here.more(dearest.id(), p.id(), token, range[0], range[1]), 0).verdict());
            }
        }
        String costs = found.entrySet().stream().map(e -> "blocking " + e.getKey().title() + " costs " + Found.said(e.getValue()))
                .collect(Collectors.joining(", "));
        String there = published.values().stream().map(Criteria::number).collect(Collectors.joining(", "));
        lines.add(new Line(same, where + costs + " (up to " + number(LITTLE, 1) + " is little); in " + model.fullName()
                + (token == Position.LAST ? "" : ", at its last token,") + " " + there + "."));
    }

    /**
     * Of edits of the first matrix among the curves, beside the matrix that each of the paper's models writes to its stream with.
     *
     * @param handOver the layer at which the fact leaves the subject, as {@link AverageTrace#handOverLayer} says; empty for the last
     */
    public static PaperPicture of(EditCurves curves, OptionalInt handOver) {
        return of(curves, curves.matrices().get(0), handOver);
    }

    /** The same of one of the matrices. */
    public static PaperPicture of(EditCurves curves, EditableMatrix matrix, OptionalInt handOver) {
        int layers = curves.model().layers();
        int border = handOver.orElse(layers);
        int best = curves.best(matrix);
        EditScores scores = curves.atBest(matrix);
        Estimate efficacy = scores.success(Measure.EFFICACY);
        Span place = Span.peak(Arrays.stream(curves.scoreEstimates(matrix)).map(e -> e.n() > 0 ? e : new Estimate(0, 0, 0, 0))
                .toArray(Estimate[]::new));
        List<Line> lines = new ArrayList<>(List.of(new Line(
                Verdict.of(place.last() < border, place.first() < border).and(Found.atLeast(efficacy, 0.5).verdict()),
                "Edits of " + matrix.label() + " have their best score, " + scores.score() + " with the layer chosen on other requests, in "
                        + depth(best, layers) + (place.first() == place.last() ? "" : " (by the intervals " + place.text() + ")")
                        + ", where " + efficacy + " of them make the model prefer the new object; " + (best < border ? "that lies before"
                                : "that does not lie before") + " the hand-over that causal tracing sees ("
                        + (handOver.isPresent() ? depth(border, layers) : "none") + "). In the paper " + published(m -> number(
                                RelativeDepth.most(scores(m), 0, 1)) + " at " + number(RelativeDepth.of(RelativeDepth.peak(scores(m)),
                                        m.layers()))) + " of the depth.")));
        Samples cases = curves.samples(matrix, Measure.EFFICACY);
        int[] before = edited(curves, 0, border);
        int[] after = edited(curves, border, layers);
        if (before.length > 0 && after.length > 0) {
            Estimate fall = Samples.difference(cases, before, after);
            Verdict falls = Found.atLeast(fall, FALL).verdict();
            lines.add(new Line(Arrays.stream(PaperModel.values()).allMatch(m -> fall(m) > FALL) ? falls : Verdict.UNDECIDED,
                    "Mean efficacy is " + Found.said(cases.mean(before)) + " before the hand-over and " + Found.said(cases.mean(after))
                            + " from it on, " + Found.said(fall) + " less (beyond " + number(FALL, 1) + " is a fall); in the paper "
                            + published(m -> number(mean(efficacy(m), 0, border(m))) + " and "
                                    + number(mean(efficacy(m), border(m), m.layers()))) + "."));
        }
        return new PaperPicture(curves.model().name() + ", rank-one editing, " + curves.requests() + " edits at each layer", lines);
    }

    /** Numbers, among the edited layers, of those in a range. */
    private static int[] edited(EditCurves curves, int from, int to) {
        return IntStream.range(0, curves.layers().size()).filter(i -> curves.layers().get(i) >= from && curves.layers().get(i) < to)
                .toArray();
    }

    private static String written(PaperModel model) {
        return model == PaperModel.MAMBA ? PaperEdits.W_O : PaperEdits.W_DOWN;
    }

    private static double[] scores(PaperModel model) {
        return PaperEdits.curve(model, written(model), PaperEdits.SCORE);
    }

    private static double[] efficacy(PaperModel model) {
        return PaperEdits.curve(model, written(model), Measure.EFFICACY.label());
    }

    private static double fall(PaperModel model) {
        return mean(efficacy(model), 0, border(model)) - mean(efficacy(model), border(model), model.layers());
    }

    private static double mean(double[] curve, int from, int to) {
        return IntStream.range(from, to).mapToDouble(l -> curve[l]).filter(v -> !Double.isNaN(v)).average().orElse(Double.NaN);
    }

    /** Of linear relations, over those that both sides have. */
    public static PaperPicture of(LinearRelations found) {
        Map<PaperModel, Map<String, Double>> paper = Arrays.stream(PaperModel.values()).collect(Collectors.toMap(m -> m,
                m -> found.measured().stream()
                        .flatMap(r -> PaperLinearity.of(m, r.name()).stream().map(b -> Map.entry(r.name(), b.faithfulness())))
                        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue))));
        List<LinearRelation> both = found.measured().stream().filter(r -> paper.get(PaperModel.MAMBA).containsKey(r.name())).toList();
        List<Line> lines = new ArrayList<>();
        if (!both.isEmpty()) {
            Estimate above = found.aboveConstant();
            lines.add(new Line(Found.atLeast(above, Double.MIN_VALUE).verdict(), "Faithfulness over the " + found.measured().size()
                    + " relations that are measured is " + found.mean() + ", " + above
                    + " above the best constant answer; in the paper, chosen on the tests, its mean over "
                    + (both.size() == found.measured().size() ? "the same" : both.size() + " of these") + " is "
                    + published(m -> number(both.stream().mapToDouble(r -> paper.get(m).get(r.name())).average().orElseThrow())) + "."));
            double[] here = both.stream().mapToDouble(r -> r.faithfulness(Selection.NESTED).mean()).toArray();
            Function<PaperModel, Estimate> order = m -> Estimate.of(here.length, drawn -> RankCorrelation.of(
                    Arrays.stream(drawn).mapToDouble(i -> here[i]).toArray(),
                    Arrays.stream(drawn).mapToDouble(i -> paper.get(m).get(both.get(i).name())).toArray()), SEED);
            if (Arrays.stream(PaperModel.values()).allMatch(m -> order.apply(m).n() > 0)) {
                lines.add(new Line(Arrays.stream(PaperModel.values()).map(m -> Found.atLeast(order.apply(m), 0).verdict())
                        .reduce(Verdict::and).orElseThrow(),
                        "The order of the relations has a rank correlation with " + published(m -> "of " + Found.said(order.apply(m)))
                                + "."));
            }
        }
        return new PaperPicture(found.model().name() + ", linear relations", lines);
    }

    /** Of a knock-out of the paper's four groups; the paper ran it on Mamba-2.8b. */
    public static PaperPicture of(KnockoutCurves curves) {
        int layers = curves.model().layers();
        Function<String, double[]> paper = group -> PaperNumbers.of("knockout").curve("categories", group);
        Samples subject = curves.samples(Route.from(TokenGroup.SUBJECT));
        Samples last = curves.samples(Route.from(TokenGroup.PROMPT_LAST));
        int lowest = RelativeDepth.lowest(subject.means());
        Span place = Span.trough(subject.estimates());
        double published = RelativeDepth.of(RelativeDepth.lowest(paper.apply("subject")), PaperModel.MAMBA.layers());
        Estimate early = TracingCriteria.mean(subject, 0, 0.5);
        Estimate end = TracingCriteria.mean(last, 0.88, 1);
        double paperEarly = RelativeDepth.mean(paper.apply("subject"), 0, 0.5);
        double paperEnd = RelativeDepth.mean(paper.apply("prompt_last"), 0.88, 1);
        List<Line> lines = new ArrayList<>();
        lines.add(new Line(within(place, published - NEAR, published + NEAR), "Cutting the subject off costs most around "
                + depth(lowest, layers) + (place.first() == place.last() ? "" : " (by the intervals " + place.text() + ")") + ": "
                + subject.lowest() + " of the answer, with the layer chosen on other facts; in Mamba-2.8b around " + number(published)
                + ": " + number(Arrays.stream(paper.apply("subject")).min().orElseThrow()) + "."));
        if (early.n() > 0) {
            lines.add(new Line((paperEarly <= READ ? Found.atMost(early, READ) : Found.atLeast(early, READ)).verdict(),
                    "In the first half of the layers that changes the answer by " + Found.said(early) + " on average; in Mamba-2.8b by "
                            + number(paperEarly) + "."));
        }
        if (end.n() > 0) {
            lines.add(new Line((paperEnd > RISE ? Found.atLeast(end, RISE) : Found.atMost(end, RISE)).verdict(),
                    "Cutting the last token's edge to itself changes the answer by " + Found.said(end)
                            + " in the last eighth of the layers; in Mamba-2.8b by " + number(paperEnd) + "."));
        }
        return new PaperPicture(curves.model().name() + ", knock-out", lines);
    }

    /** How many sentences say that it is as in the paper. */
    public long same() {
        return lines.stream().filter(l -> l.same == Verdict.HELD).count();
    }

    /** How many sentences there are. */
    public int size() {
        return lines.size();
    }

    /** The sentences, each with whether it is as in the paper. */
    public Table table() {
        return Tables.of(title + ": " + same() + " of " + size() + " as in the paper", List.of("", "what is found"),
                lines.stream().map(l -> List.of(l.label(), l.text)).toList());
    }

    @Override
    public Object view() {
        return table();
    }
}
