package lab.recall.text;

import lab.recall.base.BadRequest;
import lab.recall.base.Said;

/**
 * A text with one place for a subject, written {@code {}}.
 *
 * <pre>{@code
 * Prompt p = new Template("The capital of {} is").fill(tokenizer, "France");
 * }</pre>
 *
 * The subject's tokens are found by character offsets: from the first token that overlaps its first letter to the last one that overlaps
 * its last letter, also where that token holds what follows.
 *
 * @param text with exactly one {@code {}}
 */
public record Template(String text) {
    private static final String PLACE = "{}";

    public Template {
        int first = text.indexOf(PLACE);
        if (first < 0 || text.indexOf(PLACE, first + PLACE.length()) >= 0) {
            throw new BadRequest("", "the template '" + Said.of(text) + "' must hold {} exactly once, where the subject goes");
        }
    }

    /** The text with the subject in its place. */
    public String with(String subject) {
        return text.replace(PLACE, subject);
    }

    /**
     * The prompt for a subject.
     *
     * @throws BadRequest when the subject is empty, or has no token of its own, or the tokenizer leaves letters out
     */
    public Prompt fill(Tokenizer tokenizer, String subject) {
        if (subject.isBlank()) {
            throw new BadRequest("", "the subject is empty");
        }
        String whole = with(subject);
        int from = text.indexOf(PLACE);
        int to = from + subject.length();
        while (Character.isWhitespace(whole.charAt(from))) {
            from++;                             // a blank before a word belongs to the word's token, one before the subject may not
        }
        while (Character.isWhitespace(whole.charAt(to - 1))) {
            to--;
        }
        Tokenizer.Encoding e = Letters.encode(tokenizer, whole, true);
        int start = -1;
        int end = -1;
        for (int i = 0; i < e.ids().length; i++) {
            if (e.starts()[i] < e.ends()[i] && e.starts()[i] < to && e.ends()[i] > from) {
                start = start < 0 ? i : start;
                end = i + 1;
            }
        }
        if (start < 0) {
            throw new BadRequest("", "the tokenizer leaves no token for the subject '" + Said.of(subject) + "' in '"
                    + Said.of(whole) + "'");
        }
        return new Prompt(whole, e.ids(), start, end);
    }
}
