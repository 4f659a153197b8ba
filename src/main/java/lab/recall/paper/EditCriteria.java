package lab.recall.paper;

import static lab.recall.paper.Criteria.number;
import static lab.recall.paper.PaperEdits.W_A;
import static lab.recall.paper.PaperEdits.W_DOWN;
import static lab.recall.paper.PaperEdits.W_G;
import static lab.recall.paper.PaperEdits.W_O;

import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.edit.EditCurves;
import lab.recall.edit.EditScores.Measure;
import lab.recall.model.EditableMatrix;
import lab.recall.paper.Criteria.Criterion;
import lab.recall.paper.Criteria.Found;
import lab.recall.stats.RelativeDepth;

/**
 * The shapes of the paper's curves of edits by layer, examined on a model: each criterion is one function of curves, applied to this
 * model's and to the published ones. Layers are compared by relative depth, l / L.
 *
 * <pre>{@code
 * EditCriteria.of(curves)
 * }</pre>
 *
 * Source: arXiv 2404.03646, section 4, Mamba-2.8b and Pythia-2.8b, 2,000 edits at each layer.
 */
public final class EditCriteria {
    /** Curves by layer of matrices by id, of a model or the paper's. */
    private record Source(BiFunction<String, Measure, double[]> shares, Function<String, double[]> scores) {
        double[] at(String matrix, Measure measure) {
            return shares.apply(matrix, measure);
        }

        double[] score(String matrix) {
            return scores.apply(matrix);
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
        Source here = new Source((matrix, measure) -> curves.means(edited(curves, matrix), measure),
                matrix -> curves.scores(edited(curves, matrix)));
        Source published = new Source((matrix, measure) -> PaperEdits.curve(paper, matrix, measure.label()),
                matrix -> PaperEdits.curve(paper, matrix, PaperEdits.SCORE));
        String title = curves.model().name() + ", rank-one editing, " + curves.requests() + " edits at each layer";
        return Criteria.examined(title, switch (paper) {
            case MAMBA -> mamba();
            case PYTHIA -> pythia();
        }, here, published, PaperEdits.numbers(paper).evidence());
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
                new Criterion<>("D1", "W_o: score of at least 0.9 everywhere in the first 0.3 of the layers",
                        c -> Found.atLeast(c.score(W_O), 0, 0.3, 0.9)),
                new Criterion<>("D1", "W_o: score below 0.65 from 0.75 of the depth on, below 0.2 in the last layer",
                        c -> fall(c.score(W_O), 0.75, 0.65, 0.2)),
                new Criterion<>("D2", "W_g falls below a score of 0.5 at a lower layer than W_o, and by its efficacy", c -> {
                    double[] gate = c.score(W_G);
                    double[] out = c.score(W_O);
                    int first = firstBelow(gate, 0.5);
                    double efficacy = first < gate.length ? c.at(W_G, Measure.EFFICACY)[first] : Double.NaN;
                    return new Found("W_g at " + place(first, gate) + " with efficacy " + number(efficacy)
                            + ", W_o at " + place(firstBelow(out, 0.5), out),
                            first < firstBelow(out, 0.5) && efficacy < 0.6);
                }),
                new Criterion<>("D3", "W_a: efficacy of at least 0.98 at three of four layers up to 0.78 of the depth", c -> {
                    double[] efficacy = c.at(W_A, Measure.EFFICACY);
                    int[] layers = RelativeDepth.layers(efficacy.length, 0, 0.78).toArray();
                    long good = IntStream.of(layers).filter(l -> efficacy[l] >= 0.98).count();
                    return new Found("at " + good + " of " + layers.length, good >= 0.75 * layers.length);
                }),
                new Criterion<>("D3", "W_a: generalisation below 0.77 in the first 0.15 of the layers, its best score at 0.25 to 0.36 of "
                        + "the depth", c -> {
                    double early = RelativeDepth.most(c.at(W_A, Measure.GENERALISATION), 0, 0.15);
                    double[] score = c.score(W_A);
                    int best = RelativeDepth.peak(score);
                    double depth = best / (double) score.length;
                    return new Found("at most " + number(early) + "; " + number(score[best]) + " at " + place(best, score),
                            early < 0.77 && depth >= 0.25 && depth <= 0.36);
                }),
                new Criterion<>("D3", "last layer: W_a keeps a score of at least 0.6 where W_o and W_g have less than 0.1", c -> {
                    double a = last(c.score(W_A));
                    double g = last(c.score(W_G));
                    double o = last(c.score(W_O));
                    return new Found("W_a " + number(a) + ", W_g " + number(g) + ", W_o " + number(o), a >= 0.6 && g < 0.1 && o < 0.1);
                }),
                new Criterion<>("D5", "specificity: 0.85 to 0.95 in the first 0.15 of the layers, in all three matrices", c -> {
                    double least = Double.POSITIVE_INFINITY;
                    double most = Double.NEGATIVE_INFINITY;
                    for (String m : List.of(W_A, W_G, W_O)) {
                        least = Math.min(least, RelativeDepth.least(c.at(m, Measure.SPECIFICITY), 0, 0.15));
                        most = Math.max(most, RelativeDepth.most(c.at(m, Measure.SPECIFICITY), 0, 0.15));
                    }
                    return new Found(number(least) + " to " + number(most), least >= 0.85 && most <= 0.95);
                }),
                new Criterion<>("D5",
                        "W_o: lowest specificity between 0.6 and 0.8 of the depth, at least 0.1 higher again in the last layer", c -> {
                    double[] s = c.at(W_O, Measure.SPECIFICITY);
                    int low = RelativeDepth.lowest(s);
                    double depth = low / (double) s.length;
                    return new Found(number(s[low]) + " at " + place(low, s) + ", " + number(last(s)) + " in the last",
                            depth >= 0.6 && depth <= 0.8 && last(s) >= s[low] + 0.1);
                }));
    }

    private static List<Criterion<Source>> pythia() {
        return List.of(
                new Criterion<>("D6", "W_down: score of at least 0.93 everywhere in the first sixth of the layers",
                        c -> Found.atLeast(c.score(W_DOWN), 0, 0.16, 0.93)),
                new Criterion<>("D6", "W_down: score of at least 0.85 at 0.28 to 0.5 of the depth",
                        c -> Found.atLeast(c.score(W_DOWN), 0.28, 0.5, 0.85)),
                new Criterion<>("D6", "W_down: score below 0.72 from 0.78 of the depth on, below 0.1 in the last layer",
                        c -> fall(c.score(W_DOWN), 0.78, 0.72, 0.1)));
    }

    /** Below a bound from a depth on, and below another at the end. */
    private static Found fall(double[] curve, double from, double bound, double end) {
        double most = RelativeDepth.most(curve, from, 1);
        return new Found("at most " + number(most) + "; " + number(last(curve)), most < bound && last(curve) < end);
    }

    private static double last(double[] curve) {
        return curve[curve.length - 1];
    }

    private static int firstBelow(double[] curve, double bound) {
        return IntStream.range(0, curve.length).filter(l -> curve[l] < bound).findFirst().orElse(curve.length);
    }

    private static String place(int layer, double[] curve) {
        return layer < curve.length ? "layer " + layer + " of " + curve.length : "no layer";
    }
}
