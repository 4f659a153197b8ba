package lab.recall.text;

import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import lab.recall.base.BadRequest;

/**
 * Letters that a tokenizer has no tokens for: some leave such out without a word, and the model would be asked another text.
 *
 * <pre>{@code
 * int[] ids = Letters.encode(tokenizer, text, true).ids();  // refused where the tokenizer leaves some out
 * }</pre>
 */
public final class Letters {
    private static final int REPLACEMENT = 0xfffd;
    private static final int ASCII = 0x80;
    private static final int SHOWN = 10;

    private Letters() {
    }

    /**
     * The tokens of a text.
     *
     * @param specialTokens whether those that the tokenizer adds are among them
     * @throws BadRequest when letters, digits or signs of the text are in no token, or only in a part
     */
    public static Tokenizer.Encoding encode(Tokenizer tokenizer, String text, boolean specialTokens) {
        Tokenizer.Encoding tokens = tokenizer.encode(text, specialTokens);
        List<String> lost = lost(tokenizer, text, tokens);
        if (!lost.isEmpty()) {
            throw new BadRequest("", "the tokenizer has no tokens for "
                    + lost.stream().limit(SHOWN).map(c -> "'" + c + "'").collect(Collectors.joining(", "))
                    + (lost.size() > SHOWN ? " and others" : "") + " in '" + text + "'; the model would be asked without "
                    + (lost.size() == 1 ? "it" : "them"));
        }
        return tokens;
    }

    private static List<String> lost(Tokenizer tokenizer, String text, Tokenizer.Encoding tokens) {
        BitSet covered = new BitSet(text.length());
        for (int i = 0; i < tokens.ids().length; i++) {
            // a blank that the tokenizer puts before a text is said to be its first letter
            boolean isFront = tokens.starts()[i] == 0 && tokens.ends()[i] > 0 && tokenizer.decode(tokens.ids()[i]).isBlank();
            if (!isFront) {
                covered.set(tokens.starts()[i], Math.max(tokens.starts()[i], tokens.ends()[i]));
            }
        }
        Set<String> lost = new LinkedHashSet<>();
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            if (!covered.get(i) && isSeen(text.codePointAt(i))) {
                lost.add(Character.toString(text.codePointAt(i)));
            }
        }
        // of a letter of several bytes some may have tokens: it is covered, and still lost
        if (lost.isEmpty() && text.chars().anyMatch(c -> c >= ASCII) && replaced(tokenizer.decode(tokens.ids())) > replaced(text)) {
            text.codePoints().filter(c -> c >= ASCII && isSeen(c)).mapToObj(Character::toString)
                    .filter(c -> replaced(tokenizer.decode(tokenizer.encode(c, false).ids())) > replaced(c)).forEach(lost::add);
        }
        return List.copyOf(lost);
    }

    private static long replaced(String text) {
        return text.codePoints().filter(c -> c == REPLACEMENT).count();
    }

    /** Letters, digits, signs; no blanks, accents of their own, or letters without a shape, which many tokenizers leave out on purpose. */
    private static boolean isSeen(int c) {
        return Character.isLetterOrDigit(c) || switch (Character.getType(c)) {
            case Character.LETTER_NUMBER, Character.OTHER_NUMBER, Character.CONNECTOR_PUNCTUATION, Character.DASH_PUNCTUATION,
                    Character.START_PUNCTUATION, Character.END_PUNCTUATION, Character.INITIAL_QUOTE_PUNCTUATION,
                    Character.FINAL_QUOTE_PUNCTUATION, Character.OTHER_PUNCTUATION, Character.MATH_SYMBOL, Character.CURRENCY_SYMBOL,
                    Character.MODIFIER_SYMBOL, Character.OTHER_SYMBOL -> true;
            default -> false;
        };
    }
}
