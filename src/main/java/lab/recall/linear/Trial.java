package lab.recall.linear;

import java.util.List;

/**
 * One split of a relation: which tests came out right at every layer with every setting.
 *
 * @param asked    facts that the model was asked
 * @param tests    numbers of those it knows, among the relation's facts; no more than were wanted
 * @param constant share of the tests that the best constant answer gets right; NaN for too few tests
 * @param faithful [layer][beta]; empty for too few tests
 * @param causal   [layer][rank]; empty where no edits were made
 */
record Trial(int asked, List<Integer> tests, double constant, List<List<Marks>> faithful, List<List<Marks>> causal) {
    /** Fewer known tests than this say nothing: the reference code drops the split. */
    static final int LEAST = 6;

    /** Whether any edit was tried. */
    boolean edited() {
        return causal.stream().flatMap(List::stream).anyMatch(Marks::anyTried);
    }

    boolean counts() {
        return tests.size() >= LEAST;
    }
}
