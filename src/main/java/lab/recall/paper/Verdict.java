package lab.recall.paper;

/**
 * What an interval says of a bound.
 *
 * <pre>{@code
 * criteria.verdict("A2") == Verdict.UNDECIDED
 * }</pre>
 */
public enum Verdict {
    /** The interval lies on the right side of the bound. */
    HELD("held"),
    /** The interval does not clear the bound. */
    UNDECIDED("undecided"),
    /** The interval lies on the wrong side. */
    NOT_HELD("not held"),
    /** The model has no layer where the criterion looks, too few to tell, or nothing there that could be lost. */
    NOT_TESTABLE("not testable at this depth");

    private final String label;

    Verdict(String label) {
        this.label = label;
    }

    /** In words. */
    public String label() {
        return label;
    }

    static Verdict of(boolean surely, boolean maybe) {
        return surely ? HELD : maybe ? UNDECIDED : NOT_HELD;
    }

    /** Of both: what is surely wrong counts first, then what cannot be told. */
    Verdict and(Verdict other) {
        for (Verdict v : new Verdict[] {NOT_HELD, NOT_TESTABLE, UNDECIDED}) {
            if (this == v || other == v) {
                return v;
            }
        }
        return HELD;
    }
}
