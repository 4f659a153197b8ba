package lab.recall.linear;

import java.util.Arrays;

/**
 * One split of a relation: which tests came out right at every layer with every setting. A mark a test: 1 right, 0 wrong, - not tried.
 *
 * @param asked    facts that the model was asked
 * @param tests    numbers of those it knows, among the relation's facts; no more than were wanted
 * @param constant share of the tests that the best constant answer gets right
 * @param faithful [layer][beta]; null for too few tests
 * @param causal   [layer][rank]; null where no edits were made
 */
record Trial(int asked, int[] tests, double constant, String[][] faithful, String[][] causal) {
    /** Fewer known tests than this say nothing: the reference code drops the split. */
    static final int LEAST = 6;

    /** Whether any edit was tried. */
    boolean edited() {
        return causal != null && Arrays.stream(causal).flatMap(Arrays::stream).anyMatch(marks -> marks.chars().anyMatch(m -> m != '-'));
    }

    boolean counts() {
        return tests.length >= LEAST;
    }
}
