package lab.recall.base;

/**
 * A file that is not what it should be.
 *
 * <pre>{@code
 * throw new BadData(file, "sample 3", "needs a subject and an object");   // FILE: sample 3: needs ..
 * }</pre>
 */
public final class BadData extends Failure {
    private static final long serialVersionUID = 1;

    private final String file;
    private final String place;
    private final String reason;

    /** What is wrong with a file. */
    public BadData(Object file, String reason) {
        this(file, "", reason, null);
    }

    /** What is wrong at a place of a file; an empty place: with the whole. */
    public BadData(Object file, String place, String reason) {
        this(file, place, reason, null);
    }

    /** What is wrong at a place of a file, and what showed it. */
    public BadData(Object file, String place, String reason, Throwable cause) {
        super(file + ": " + (place.isEmpty() ? "" : place + ": ") + reason, cause);
        this.file = file.toString();
        this.place = place;
        this.reason = reason;
    }

    /** The file. */
    public String file() {
        return file;
    }

    /** Where in it; empty for the whole. */
    public String place() {
        return place;
    }

    /** What is wrong. */
    public String reason() {
        return reason;
    }
}
