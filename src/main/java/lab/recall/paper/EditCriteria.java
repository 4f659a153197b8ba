package lab.recall.paper;

import static lab.recall.paper.Found.HALF;
import static lab.recall.paper.Found.TENTH;
import static lab.recall.paper.PaperEdits.W_A;
import static lab.recall.paper.PaperEdits.W_DOWN;
import static lab.recall.paper.PaperEdits.W_G;
import static lab.recall.paper.PaperEdits.W_O;

import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.edit.EditCurves;
import lab.recall.edit.EditScores.Measure;
import lab.recall.model.EditableMatrix;
import lab.recall.paper.Criteria.Criterion;
import lab.recall.paper.Found.Span;
import lab.recall.stats.Estimate;
import lab.recall.stats.RelativeDepth;
import lab.recall.stats.Samples;

/**
 * The shapes of the paper's curves of edits by layer, examined on a model: each criterion is one function of curves, applied to this
 * model's and to the published ones, with bounds that are shares of the latter. Shares have exact intervals, differences of shares those
 * over relations. Layers are compared by relative depth, (l + 1) / L.
 *
 * <pre>{@code
 * EditCriteria.of(curves)
 * }</pre>
 *
 * Source: arXiv 2404.03646, section 4, Mamba-2.8b and Pythia-2.8b, 2,000 edits at each layer.
 */
public final class EditCriteria {
    private static final double QUARTER = 0.25;

    /** Curves by layer of matrices by id, of a model or the paper's. */
    private record Source(BiFunction<String, Measure, Estimate[]> shares, Function<String, Estimate[]> scores,
            BiFunction<String, Measure, Samples> cases) {
        Estimate[] at(String matrix, Measure measure) {
            return shares.apply(matrix, measure);
        }

        Estimate[] score(String matrix) {
            return scores.apply(matrix);
        }

        Samples each(String matrix, Measure measure) {
            return cases.apply(matrix, measure);
        }

        double best(String matrix) {
            return RelativeDepth.most(means(score(matrix)), 0, 1);
        }
    }

    private EditCriteria() {
    }

    /**
     * Criteria D, on curves over all layers.
     *
     * @throws BadRequest if some layer or matrix was not edited, or if the paper has no edits of the model's family
     */
    public static Criteria of(EditCurves curves) {
        PaperModel paper = PaperModel.of(curves.model(), "rank-one editing", PaperModel.MAMBA, PaperModel.PYTHIA);
        if (!isComplete(curves)) {
            throw new BadRequest("curves", "the paper's shapes need curves over all layers and matrices of " + curves.model().name());
        }
        Source here = new Source((matrix, measure) -> curves.estimates(edited(curves, matrix), measure),
                matrix -> curves.scoreEstimates(edited(curves, matrix)),
                (matrix, measure) -> curves.samples(edited(curves, matrix), measure));
        Source published = new Source((matrix, measure) -> exactly(PaperEdits.curve(paper, matrix, measure.label())),
                matrix -> exactly(PaperEdits.curve(paper, matrix, PaperEdits.SCORE)),
                (matrix, measure) -> Samples.published(PaperEdits.curve(paper, matrix, measure.label())));
        String title = curves.model().name() + ", rank-one editing, " + curves.requests() + " edits at each layer";
        return Criteria.examined(title, switch (paper) {
            case MAMBA -> mamba();
            case PYTHIA -> pythia();
        }, here, published, PaperEdits.numbers(paper).evidence());
    }

    private static Estimate[] exactly(double... curve) {
        return Arrays.stream(curve).mapToObj(Estimate::exactly).toArray(Estimate[]::new);
    }

    private static EditableMatrix edited(EditCurves curves, String id) {
        return curves.matrices().stream().filter(m -> m.id().equals(id)).findFirst().orElseThrow();
    }

    /** Whether every matrix that the paper edited was edited in every layer. */
    static boolean isComplete(EditCurves curves) {
        List<String> matrices = curves.matrices().stream().map(EditableMatrix::id).toList();
        return curves.layers().size() == curves.model().layers()
                && PaperModel.of(curves.model()).filter(paper -> matrices.containsAll(PaperEdits.matrices(paper))).isPresent();
    }

    private static List<Criterion<Source>> mamba() {
        return List.of(
                new Criterion<>("D1", "W_o: everywhere in the first 0.3 of the layers a score within a tenth of the paper's least",
                        (c, p) -> high(c.score(W_O), p.score(W_O), 0, 0.3)),
                new Criterion<>("D1", "W_o: from 0.75 of the depth on no better than the paper's best there, a tenth of its best in the "
                        + "last layer", (c, p) -> fall(W_O, 0.75, c, p)),
                new Criterion<>("D2", "W_g falls below half of the paper's best score in a lower layer than W_o", (c, p) -> {
                    Span gate = below(c.score(W_G), HALF * p.best(W_G));
                    Span out = below(c.score(W_O), HALF * p.best(W_O));
                    return new Found("W_g " + gate.text() + "; W_o " + out.text(),
                            Verdict.of(gate.last() < out.first(), gate.first() < out.last()));
                }),
                new Criterion<>("D3", "W_a: efficacy within a tenth of the paper's at three of four layers up to 0.78 of the "
                        + "depth", (c, p) -> {
                    Estimate[] efficacy = c.at(W_A, Measure.EFFICACY);
                    double bound = (1 - TENTH) * RelativeDepth.most(means(p.at(W_A, Measure.EFFICACY)), 0, 0.78);
                    int[] layers = layers(efficacy, 0, 0.78);
                    long surely = IntStream.of(layers).filter(l -> efficacy[l].low() >= bound).count();
                    long maybe = IntStream.of(layers).filter(l -> efficacy[l].high() >= bound).count();
                    double needed = (1 - QUARTER) * layers.length;
                    return new Found("surely at " + surely + ", perhaps at " + maybe + " of " + layers.length,
                            Verdict.of(surely >= needed, maybe >= needed));
                }),
                new Criterion<>("D3", "W_a: generalisation rises as much from the first layer to 0.25 to 0.36 of the depth",
                        (c, p) -> Found.atLeast(rise(c), HALF * rise(p).mean())),
                new Criterion<>("D3", "W_a: its best score as deep",
                        (c, p) -> Found.place(Span.peak(c.score(W_A)), Span.peak(p.score(W_A)))),
                new Criterion<>("D3", "last layer: W_a keeps half of the paper's score, W_o and W_g at most a tenth of its best",
                        (c, p) -> Found.atLeast(last(c.score(W_A)), HALF * last(p.score(W_A)).mean()).as("W_a")
                                .and(Found.atMost(last(c.score(W_G)), TENTH * p.best(W_G)).as("W_g"))
                                .and(Found.atMost(last(c.score(W_O)), TENTH * p.best(W_O)).as("W_o"))),
                new Criterion<>("D5", "specificity within a tenth of the paper's least in the first 0.15 of the layers, in all three "
                        + "matrices",
                        (c, p) -> List.of(W_A, W_G, W_O).stream().map(m -> high(c.at(m, Measure.SPECIFICITY),
                                p.at(m, Measure.SPECIFICITY), 0, 0.15).as(PaperEdits.letter(m))).reduce(Found::and).orElseThrow()),
                new Criterion<>("D5", "W_o: lowest specificity as deep, and as much higher again in the last layer",
                        (c, p) -> Found.place(Span.peak(against(c)), Span.peak(against(p)))
                                .and(Found.atLeast(c.each(W_O, Measure.SPECIFICITY).toLast().highest(),
                                        HALF * p.each(W_O, Measure.SPECIFICITY).toLast().highest().mean()))));
    }

    private static List<Criterion<Source>> pythia() {
        return List.of(
                new Criterion<>("D6", "W_down: everywhere in the first fifth of the layers a score within a tenth of the paper's least",
                        (c, p) -> high(c.score(W_DOWN), p.score(W_DOWN), 0, 0.19)),
                new Criterion<>("D6", "W_down: the same at 0.28 to 0.5 of the depth",
                        (c, p) -> high(c.score(W_DOWN), p.score(W_DOWN), 0.28, 0.5)),
                new Criterion<>("D6", "W_down: from 0.8 of the depth on no better than the paper's best there, a tenth of its best in "
                        + "the last layer", (c, p) -> fall(W_DOWN, 0.8, c, p)));
    }

    /** Within a tenth of the paper's least in a range. */
    private static Found high(Estimate[] here, Estimate[] paper, double from, double to) {
        double least = IntStream.of(layers(paper, from, to)).mapToDouble(l -> paper[l].mean()).min().orElseThrow();
        return Found.everywhere(here, layers(here, from, to), (1 - TENTH) * least, true);
    }

    /** Not above the paper's most from a depth on, and at the end at most a tenth of its best. */
    private static Found fall(String matrix, double from, Source here, Source paper) {
        Estimate[] curve = here.score(matrix);
        return Found.everywhere(curve, layers(curve, from, 1), RelativeDepth.most(means(paper.score(matrix)), from, 1), false)
                .and(Found.atMost(last(curve), TENTH * paper.best(matrix)));
    }

    /** Case by case by how much W_a generalises better in the middle than at first. */
    private static Estimate rise(Source s) {
        Samples all = s.each(W_A, Measure.GENERALISATION);
        return all.sinceFirst().mean(RelativeDepth.layers(all.places(), 0.25, 0.36).toArray());
    }

    /** What specificity lacks: 1 - it. */
    private static Estimate[] against(Source s) {
        return Arrays.stream(s.at(W_O, Measure.SPECIFICITY)).map(e -> new Estimate(1 - e.mean(), 1 - e.high(), 1 - e.low(), e.n()))
                .toArray(Estimate[]::new);
    }

    /** The first layer whose score is below a bound. */
    private static Span below(Estimate[] score, double bound) {
        Estimate[] lacks = Arrays.stream(score).map(e -> new Estimate(-e.mean(), -e.high(), -e.low(), e.n())).toArray(Estimate[]::new);
        Span first = Span.firstAbove(lacks, -bound);
        return first.first() < 0 ? new Span(score.length, score.length, score.length) : first;
    }

    private static double[] means(Estimate... curve) {
        return Arrays.stream(curve).mapToDouble(Estimate::mean).toArray();
    }

    private static int[] layers(Estimate[] curve, double from, double to) {
        return RelativeDepth.layers(curve.length, from, to).toArray();
    }

    private static Estimate last(Estimate... curve) {
        return curve[curve.length - 1];
    }
}
