package lab.recall.edit;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * How well one request was met, each number a mean over the case's prompts of a kind; NaN where it has none.
 *
 * <p>A prompt's success is that the new target is likelier than the true one (at a neighbour: less likely), its magnitude by how much, its
 * accuracy that all of the new target's tokens (at a neighbour: the true one's) are the most probable ones. A target of several tokens has
 * the geometric mean of their probabilities. Source: arXiv 2404.03646, section 4; arXiv 2202.05262, section 3.3.
 *
 * @param relation  the request's, empty where it has none: requests of one are alike
 * @param success   [efficacy, generalisation, specificity], shares of prompts
 * @param magnitude differences of probabilities, in the same order
 * @param accuracy  shares of prompts, in the same order
 * @param search    how the search for the value stood to its scale: [|v0|, first step in |v0|, |delta| in |v0|, share of the weight decay
 *                  in the last loss]; empty where it is not known
 */
public record CaseScores(String relation, double[] success, double[] magnitude, double[] accuracy, double[] search) {
    /** Numbers of a search. */
    static final int SEARCHED = 4;

    /** Of an edit whose search is not known. */
    public CaseScores(String relation, double[] success, double[] magnitude, double[] accuracy) {
        this(relation, success, magnitude, accuracy, new double[0]);
    }

    /** The same with what is known of its search. */
    CaseScores of(FoundValue value, EditSettings settings) {
        return new CaseScores(relation, success, magnitude, accuracy, new double[] {value.startNorm(), value.firstStep(settings),
            ValueSearch.norm(value.delta()) / value.startNorm(), value.decayShare()});
    }

    /** Efficacy, generalisation and specificity: the prompt itself, paraphrases, neighbours. */
    public static final int KINDS = 3;
    /** Index of the neighbours. */
    static final int NEIGHBOURS = 2;

    /** Losses of the two targets after one prompt. */
    record Read(int kind, double newLoss, double trueLoss, boolean newGreedy, boolean trueGreedy) {
    }

    static CaseScores of(String relation, List<Read> reads) {
        double[][] sums = new double[3][KINDS];
        int[] known = new int[KINDS];
        int[] count = new int[KINDS];
        for (Read r : reads) {
            boolean stays = r.kind == NEIGHBOURS;
            double gain = (stays ? -1 : 1) * (Math.exp(-r.newLoss) - Math.exp(-r.trueLoss));
            count[r.kind]++;
            sums[2][r.kind] += (stays ? r.trueGreedy : r.newGreedy) ? 1 : 0;
            if (!Double.isNaN(gain)) {
                known[r.kind]++;
                sums[0][r.kind] += (stays ? r.trueLoss < r.newLoss : r.newLoss < r.trueLoss) ? 1 : 0;
                sums[1][r.kind] += gain;
            }
        }
        for (int k = 0; k < KINDS; k++) {
            sums[0][k] /= known[k];
            sums[1][k] /= known[k];
            sums[2][k] /= count[k];
        }
        return new CaseScores(relation, sums[0], sums[1], sums[2]);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CaseScores s && relation.equals(s.relation) && Arrays.equals(success, s.success)
                && Arrays.equals(magnitude, s.magnitude) && Arrays.equals(accuracy, s.accuracy) && Arrays.equals(search, s.search);
    }

    @Override
    public int hashCode() {
        return Objects.hash(relation, Arrays.hashCode(success), Arrays.hashCode(magnitude), Arrays.hashCode(accuracy));
    }
}
