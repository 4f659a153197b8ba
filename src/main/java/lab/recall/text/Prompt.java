package lab.recall.text;

import java.util.Arrays;
import java.util.Objects;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;

/**
 * Token ids for a model, and where the subject stands among them.
 *
 * <pre>{@code
 * Prompt p = new Template("{} is located in the city of").fill(tokenizer, "Novux Bridge");
 * p.subjectLast()                                            // index of the subject's last token
 * Prompt.ofIds(0, 17, 3)                                     // for a model without a tokenizer
 * }</pre>
 *
 * @param text         what was tokenized; null when made of ids
 * @param ids          token ids, special tokens included
 * @param subjectStart first token of the subject, or -1
 * @param subjectEnd   token after its last one, or -1
 */
public record Prompt(String text, int[] ids, int subjectStart, int subjectEnd) {
    public Prompt {
        if (ids.length == 0) {
            throw new BadRequest("", "the prompt is empty, expected at least one token");
        }
        if (subjectStart != -1 || subjectEnd != -1) {
            if (subjectStart < 0 || subjectEnd <= subjectStart || subjectEnd > ids.length) {
                throw new BadRequest("", "subject tokens " + subjectStart + " to " + subjectEnd + " of a prompt of " + ids.length);
            }
        }
    }

    /**
     * A text as the tokenizer gives it, special tokens on; it names no subject.
     *
     * @throws BadRequest when the text is empty, or the tokenizer leaves letters of it out
     */
    public static Prompt of(Tokenizer tokenizer, String text) {
        if (text.isEmpty()) {
            throw new BadRequest("", "the prompt is empty, expected at least one token");
        }
        return new Prompt(text, Letters.encode(tokenizer, text, true).ids(), -1, -1);
    }

    /**
     * Ids used as they are.
     *
     * @throws BadRequest when there is none
     */
    public static Prompt ofIds(int... ids) {
        return new Prompt(null, ids.clone(), -1, -1);
    }

    /** The same prompt after so many tokens {@code pad}; the subject's tokens move with it. */
    public Prompt paddedLeft(int pad, int count) {
        int[] padded = new int[ids.length + count];
        Arrays.fill(padded, 0, count, pad);
        System.arraycopy(ids, 0, padded, count, ids.length);
        return new Prompt(text, padded, hasSubject() ? subjectStart + count : -1, hasSubject() ? subjectEnd + count : -1);
    }

    /**
     * The same prompt with the subject said to begin at another token.
     *
     * @throws BadRequest when it is outside the prompt
     */
    public Prompt withSubjectStart(int token) {
        return new Prompt(text, ids, token, subjectEnd);
    }

    /** Number of tokens. */
    public int length() {
        return ids.length;
    }

    /** Whether it names a subject. */
    public boolean hasSubject() {
        return subjectStart >= 0;
    }

    /**
     * Index of the subject's last token.
     *
     * @throws BadRequest when it names none
     */
    public int subjectLast() {
        if (!hasSubject()) {
            throw new BadRequest("", "this prompt names no subject; make it by Template.fill");
        }
        return subjectEnd - 1;
    }

    /**
     * Indices of the subject's tokens.
     *
     * @throws BadRequest when it names none
     */
    public int[] subjectTokens() {
        return IntStream.rangeClosed(subjectStart, subjectLast()).toArray();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Prompt p && Objects.equals(text, p.text) && Arrays.equals(ids, p.ids) && subjectStart == p.subjectStart
                && subjectEnd == p.subjectEnd;
    }

    @Override
    public int hashCode() {
        return Objects.hash(text, Arrays.hashCode(ids), subjectStart, subjectEnd);
    }
}
