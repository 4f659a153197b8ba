package lab.recall.knockout;

import java.util.List;
import java.util.stream.IntStream;
import lab.recall.text.Prompt;

/**
 * Tokens of a prompt that are knocked out, or that read, together.
 *
 * <pre>{@code
 * TokenGroup.SUBJECT_LAST.tokens(prompt)
 * }</pre>
 *
 * {@link #PUBLISHED} are the paper's four categories (arXiv 2404.03646, section 6); they overlap. {@link #PARTS} take a prompt apart.
 */
public enum TokenGroup {
    SUBJECT("subject"), SUBJECT_FIRST("subject's first tokens"), SUBJECT_LAST("subject's last token"), NON_SUBJECT("non-subject"),
    BEFORE("before the subject"), AFTER("after the subject"), PROMPT_LAST("prompt's last token");

    /** The paper's categories. */
    public static final List<TokenGroup> PUBLISHED = List.of(SUBJECT, SUBJECT_LAST, NON_SUBJECT, PROMPT_LAST);
    /** Groups that do not overlap, in the order of the prompt. */
    public static final List<TokenGroup> PARTS = List.of(BEFORE, SUBJECT_FIRST, SUBJECT_LAST, AFTER, PROMPT_LAST);

    private final String label;

    TokenGroup(String label) {
        this.label = label;
    }

    /** Its name in tables and pictures. */
    public String label() {
        return label;
    }

    /**
     * Its tokens in a prompt that names its subject, ascending; may be none. A subject that ends the prompt leaves its last token to both.
     */
    public int[] tokens(Prompt prompt) {
        int start = prompt.subjectStart();
        int end = prompt.subjectLast() + 1;
        int last = prompt.length() - 1;
        return switch (this) {
            case SUBJECT -> range(start, end);
            case SUBJECT_FIRST -> range(start, end - 1);
            case SUBJECT_LAST -> range(end - 1, end);
            case NON_SUBJECT -> IntStream.range(0, last).filter(t -> t < start || t >= end).toArray();
            case BEFORE -> range(0, start);
            case AFTER -> range(end, last);
            case PROMPT_LAST -> range(last, last + 1);
        };
    }

    private static int[] range(int from, int to) {
        return IntStream.range(from, to).toArray();
    }
}
