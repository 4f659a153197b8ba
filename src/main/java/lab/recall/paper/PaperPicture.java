package lab.recall.paper;

import static lab.recall.paper.Criteria.number;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.edit.EditCurves;
import lab.recall.edit.EditScores.Measure;
import lab.recall.knockout.KnockoutCurves;
import lab.recall.knockout.TokenGroup;
import lab.recall.linear.LinearRelation;
import lab.recall.linear.LinearRelations;
import lab.recall.linear.Selection;
import lab.recall.model.EditableMatrix;
import lab.recall.paper.TracingCriteria.Curves;
import lab.recall.stats.Estimate;
import lab.recall.stats.RankCorrelation;
import lab.recall.stats.RelativeDepth;
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
 * Mamba-2.8b and Pythia-2.8b stand on the paper's side, layers are compared by relative depth, and each sentence says its own bound: the
 * criteria of {@link TracingCriteria} and its neighbours are those of a model's own family instead. Source: arXiv 2404.03646, sections 3 to
 * 6.
 */
public final class PaperPicture implements Showable {
    /** Shares of the depth within which two places count as one. */
    private static final double NEAR = 0.1;
    /** An effect up to here is little. */
    private static final double LITTLE = 0.1;
    /** A change of efficacy beyond this is a fall. */
    private static final double FALL = 0.1;
    private static final double READ = -0.2;
    private static final double RISE = 0.05;

    private record Line(boolean same, String text) {
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
        return RelativeDepth.most(TracingCriteria.traces(model).at(TracingCriteria.RESIDUAL, token), 0, 1);
    }

    /** The share of the depth at which a published model's last token overtakes the subject's. */
    private static double handOver(PaperModel model) {
        Curves paper = TracingCriteria.traces(model);
        return RelativeDepth.overtakes(paper.at(TracingCriteria.RESIDUAL, Position.LAST),
                paper.at(TracingCriteria.RESIDUAL, Position.SUBJECT_LAST)).orElseThrow() / (double) model.layers();
    }

    private static String depth(int layer, int layers) {
        return "layer " + layer + " of " + layers + " (" + number(layer / (double) layers) + " of the depth)";
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
        lines.add(new Line(here.isPresent() && here.getAsInt() >= (paper[0] - NEAR) * layers
                && here.getAsInt() <= (paper[paper.length - 1] + NEAR) * layers,
                (here.isPresent()
                        ? "The prompt's last token carries more than the whole subject from " + depth(here.getAsInt(), layers) + " on"
                        : "The prompt's last token never carries more than the whole subject")
                        + "; in the paper it overtakes the subject's last token at " + published(m -> number(handOver(m))) + "."));
        int peak = tokens.peak(Position.SUBJECT_LAST);
        Estimate one = tokens.at(Position.SUBJECT_LAST, peak);
        Estimate all = together.at(Position.SUBJECT, peak);
        lines.add(new Line(one.mean() >= all.mean() / 2, "The subject's last token alone brings back at most " + one + " (after layer "
                + peak + "), all tokens of the subject " + all + " there, "
                + together.difference(Position.SUBJECT, Position.SUBJECT_LAST, peak)
                + " more; in the paper that one token brings back up to "
                + published(m -> number(most(m, Position.SUBJECT_LAST))) + "."));
        int between = together.peak(Position.FURTHER);
        Estimate further = together.at(Position.FURTHER, between);
        if (further.n() > 0) {
            lines.add(new Line(further.mean() <= LITTLE, "The tokens between subject and last token carry at most " + further
                    + " together (after layer " + between + "; up to " + number(LITTLE, 1) + " is little); in the paper, one at a time,"
                    + " up to " + published(m -> number(most(m, Position.FURTHER))) + "."));
        }
        return new PaperPicture(tokens.model().name() + ", causal tracing", lines);
    }

    /**
     * Of path blocking, restored at either of the subject's last token and the whole subject.
     *
     * @throws BadRequest if the model's layers have no attention and MLP of their own
     */
    public static PaperPicture of(BlockedPaths blocked) {
        Position subject = blocked.tokens().get(0);
        Curves here = new Curves(blocked::means, 0);
        Curves paper = TracingCriteria.paths(PaperModel.PYTHIA);
        Costs early = Costs.of(here, subject, 0.03, 0.25);
        Costs late = Costs.of(here, Position.LAST, 0.6, 0.75);
        Costs paperEarly = Costs.of(paper, Position.SUBJECT_LAST, 0.03, 0.25);
        Costs paperLate = Costs.of(paper, Position.LAST, 0.6, 0.75);
        return new PaperPicture(blocked.model().name() + ", path blocking", List.of(
                new Line(early.mlp > LITTLE && early.mlp > early.attention, "Restored at the subject (" + subject.label().replace("*", "")
                        + ") in the first quarter of the layers, blocking the MLP costs " + number(early.mlp)
                        + ", blocking attention " + number(early.attention)
                        + " (up to " + number(LITTLE, 1)
                        + " is little); in Pythia-2.8b, at its last token, " + number(paperEarly.mlp) + " and "
                        + number(paperEarly.attention) + "."),
                new Line(late.most() < LITTLE == paperLate.most() < LITTLE,
                        "Restored at the prompt's last token at 0.6 to 0.75 of the depth, blocking the MLP costs " + number(late.mlp)
                                + ", blocking attention " + number(late.attention) + " (below " + number(LITTLE, 1)
                                + " is little); in Pythia-2.8b " + number(paperLate.mlp) + " and " + number(paperLate.attention) + ".")));
    }

    /** Mean recovery that blocking either costs in a range of relative depth. */
    private record Costs(double attention, double mlp) {
        static Costs of(Curves curves, Position token, double from, double to) {
            return new Costs(curves.lost(TracingCriteria.ATTENTION, token, from, to), curves.lost(TracingCriteria.MLP, token, from, to));
        }

        double most() {
            return Math.max(attention, mlp);
        }
    }

    /**
     * Of edits of the first matrix among the curves, beside the matrix that each of the paper's models writes to its stream with.
     *
     * @param handOver the layer at which the fact leaves the subject, as {@link AverageTrace#handOverLayer} says; empty for the last
     */
    public static PaperPicture of(EditCurves curves, OptionalInt handOver) {
        EditableMatrix matrix = curves.matrices().get(0);
        int layers = curves.model().layers();
        int border = handOver.orElse(layers);
        int best = curves.best(matrix);
        Estimate efficacy = curves.at(matrix, best).success(Measure.EFFICACY);
        double[] share = curves.means(matrix, Measure.EFFICACY);
        double before = mean(share, 0, border);
        double after = mean(share, border, layers);
        List<Line> lines = new ArrayList<>(List.of(new Line(best < border && efficacy.mean() > 0.5,
                "Edits of " + matrix.label() + " have their best score, " + curves.at(matrix, best).score() + ", in " + depth(best, layers)
                        + ", where " + efficacy + " of them make the model prefer the new object; " + (best < border ? "that lies before"
                                : "that does not lie before") + " the hand-over that causal tracing sees ("
                        + (handOver.isPresent() ? depth(border, layers) : "none") + "). In the paper " + published(m -> number(
                                RelativeDepth.most(scores(m), 0, 1)) + " at " + number(RelativeDepth.peak(scores(m)) / (double) m.layers()))
                        + " of the depth.")));
        if (!Double.isNaN(before) && !Double.isNaN(after)) {
            lines.add(new Line(before - after > FALL == Arrays.stream(PaperModel.values()).allMatch(m -> fall(m) > FALL),
                    "Mean efficacy is " + number(before) + " before the hand-over and " + number(after) + " from it on; in the paper "
                            + published(m -> number(mean(efficacy(m), 0, border(m))) + " and "
                                    + number(mean(efficacy(m), border(m), m.layers()))) + "."));
        }
        return new PaperPicture(curves.model().name() + ", rank-one editing, " + curves.requests() + " edits at each layer", lines);
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

    private static int border(PaperModel model) {
        return (int) Math.round(handOver(model) * model.layers());
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
            lines.add(new Line(above.low() > 0, "Faithfulness over the " + found.measured().size() + " relations that are measured is "
                    + found.mean() + ", " + above + " above the best constant answer; in the paper, chosen on the tests, its mean over "
                    + (both.size() == found.measured().size() ? "the same" : both.size() + " of these") + " is "
                    + published(m -> number(both.stream().mapToDouble(r -> paper.get(m).get(r.name())).average().orElseThrow())) + "."));
            double[] here = both.stream().mapToDouble(r -> r.faithfulness(Selection.NESTED).mean()).toArray();
            Function<PaperModel, Double> order = m ->
                    RankCorrelation.of(here, both.stream().mapToDouble(r -> paper.get(m).get(r.name())).toArray());
            if (!order.apply(PaperModel.MAMBA).isNaN() && !order.apply(PaperModel.PYTHIA).isNaN()) {
                lines.add(new Line(Arrays.stream(PaperModel.values()).allMatch(m -> order.apply(m) > 0),
                        "The order of the relations has a rank correlation with " + published(m -> "of " + number(order.apply(m))) + "."));
            }
        }
        return new PaperPicture(found.model().name() + ", linear relations", lines);
    }

    /** Of a knock-out of the paper's four groups; the paper ran it on Mamba-2.8b. */
    public static PaperPicture of(KnockoutCurves curves) {
        int layers = curves.model().layers();
        Function<String, double[]> paper = group -> PaperNumbers.of("knockout").curve("categories", group);
        double[] subject = curves.means(TokenGroup.SUBJECT);
        int lowest = RelativeDepth.lowest(subject);
        int published = RelativeDepth.lowest(paper.apply("subject"));
        double early = RelativeDepth.mean(subject, 0, 0.5);
        double end = RelativeDepth.mean(curves.means(TokenGroup.PROMPT_LAST), 0.875, 1);
        double paperEarly = RelativeDepth.mean(paper.apply("subject"), 0, 0.5);
        double paperEnd = RelativeDepth.mean(paper.apply("prompt_last"), 0.875, 1);
        double paperLayers = PaperModel.MAMBA.layers();
        return new PaperPicture(curves.model().name() + ", knock-out", List.of(
                new Line(Math.abs(lowest / (double) layers - published / paperLayers) <= NEAR,
                        "Cutting the subject off costs most around " + depth(lowest, layers) + ": " + curves.at(TokenGroup.SUBJECT, lowest)
                                + " of the answer; in Mamba-2.8b around " + number(published / paperLayers) + ": "
                                + number(paper.apply("subject")[published]) + "."),
                new Line(early <= READ == paperEarly <= READ, "In the first half of the layers that changes the answer by " + number(early)
                        + " on average; in Mamba-2.8b by " + number(paperEarly) + "."),
                new Line(end > RISE == paperEnd > RISE, "Cutting the last token's edge to itself changes the answer by " + number(end)
                        + " in the last eighth of the layers; in Mamba-2.8b by " + number(paperEnd) + ".")));
    }

    /** How many sentences say that it is as in the paper. */
    public long same() {
        return lines.stream().filter(Line::same).count();
    }

    /** How many sentences there are. */
    public int size() {
        return lines.size();
    }

    /** The sentences, each with whether it is as in the paper. */
    public Table table() {
        return Tables.of(title + ": " + same() + " of " + size() + " as in the paper", List.of("", "what is found"),
                lines.stream().map(l -> List.of(l.same ? "as in the paper" : "not as in the paper", l.text)).toList());
    }

    @Override
    public Object view() {
        return table();
    }
}
