package lab.recall.base;

/** A question that is well put and has no answer in numbers: a singular matrix, a training that diverged. */
public final class Unsolvable extends Failure {
    private static final long serialVersionUID = 1;

    private final String what;
    private final String reason;

    /** What was looked for, and why there is none. */
    public Unsolvable(String what, String reason) {
        this(what, reason, null);
    }

    /** What was looked for, why there is none, and what showed it. */
    public Unsolvable(String what, String reason, Throwable cause) {
        super(what + ": " + reason, cause);
        this.what = what;
        this.reason = reason;
    }

    /** What was looked for. */
    public String what() {
        return what;
    }

    /** Why there is none. */
    public String reason() {
        return reason;
    }
}
