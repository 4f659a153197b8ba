package lab.recall.base;

/**
 * Something asked for that cannot be: a field of a request, an option, an argument.
 *
 * <pre>{@code
 * throw new BadRequest("pairs", "0, expected a whole number of at least 1");     // pairs: 0, expected ..
 * }</pre>
 */
public final class BadRequest extends Failure {
    private static final long serialVersionUID = 1;

    private final String field;
    private final String reason;

    /** What is wrong with a field; an empty field: with the whole. */
    public BadRequest(String field, String reason) {
        this(field, reason, null);
    }

    /** What is wrong with a field, and what showed it. */
    public BadRequest(String field, String reason, Throwable cause) {
        super(field.isEmpty() ? reason : field + ": " + reason, cause);
        this.field = field;
        this.reason = reason;
    }

    /** What is wrong with something that a field named, said of the field. */
    public static BadRequest at(String field, IllegalArgumentException e) {
        return e instanceof BadRequest bad && bad.field.equals(field) ? bad : new BadRequest(field, e.getMessage(), e);
    }

    /** The field's name, such as {@code hyperparameters.steps}. */
    public String field() {
        return field;
    }

    /** What is wrong, without the field's name. */
    public String reason() {
        return reason;
    }

    /** The same said of another name, such as that of the option which wrote the field. */
    public BadRequest of(String name) {
        return new BadRequest(name, reason, this);
    }
}
