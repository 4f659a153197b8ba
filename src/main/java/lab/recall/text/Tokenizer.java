package lab.recall.text;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Optional;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.InputFiles;
import lab.recall.base.Json;
import lab.recall.base.Said;

/**
 * A {@code tokenizer.json}, read by the tokenizers library itself.
 *
 * <pre>{@code
 * Tokenizer t = Tokenizer.open(folder.resolve("tokenizer.json"));
 * int[] ids = t.encode("The Space Needle", true).ids();
 * t.decode(ids)
 * }</pre>
 *
 * The file is checked before the library sees it. One of byte-level or SentencePiece-like pairs with a known pattern is opened here;
 * others, of which some make the library end its process, are opened in a process of their own, which is ended when a text takes it more
 * than {@value #SECONDS} seconds. Safe for several threads. Never goes to the network.
 */
public final class Tokenizer {
    private static final String END_OF_TEXT = "<|endoftext|>";
    private static final int LONGEST = 1 << 20;
    private static final int SECONDS = 10;
    private static final int BUNDLED_SIZE = 50_277;
    private static volatile Tokenizer bundled;

    private final Object file;
    private final TokenizerLibrary library;
    private final int size;

    private Tokenizer(Object file, TokenizerLibrary library, int size) {
        this.file = file;
        this.library = library;
        this.size = size;
    }

    /**
     * The tokens of a text.
     *
     * @param ids    token ids
     * @param starts index of each token's first letter in the text
     * @param ends   index after its last one; equal to the start for a special token that was added
     */
    public record Encoding(int[] ids, int[] starts, int[] ends) {
    }

    /**
     * Opens a tokenizer file.
     *
     * @throws BadData when it is none
     */
    public static Tokenizer open(Path file) {
        return of(Json.object(file), file);
    }

    /**
     * Opens a tokenizer that is written as JSON as a tokenizer.json is.
     *
     * @param where it stands, for messages
     * @throws BadData when it is none
     */
    public static Tokenizer of(ObjectNode json, Object where) {
        TokenizerFile checked = TokenizerFile.of(json, where);
        try {
            TokenizerLibrary library = checked.isSound() ? new TokenizerHere(checked.json())
                    : new TokenizerProcess(checked.json(), SECONDS);
            return new Tokenizer(where, library, checked.size());
        } catch (IllegalStateException e) {
            throw new BadData(where, "", "not a tokenizer.json (" + Said.of(e.getMessage()) + ")", e);
        }
    }

    /** Where the bundled one stands. */
    public static Path bundled20bFile() {
        return DataFolder.find("tokenizer_20b/tokenizer.json");
    }

    /** The GPT-NeoX-20B tokenizer, that of Pythia and of all Mamba-1 checkpoints. */
    public static Tokenizer bundled20b() {
        if (bundled == null) {
            synchronized (Tokenizer.class) {
                if (bundled == null) {              // a file of ours, which a test checks: checking takes longer than opening
                    bundled = new Tokenizer(bundled20bFile(), new TokenizerHere(InputFiles.bytes(bundled20bFile())), BUNDLED_SIZE);
                }
            }
        }
        return bundled;
    }

    /** Ids are smaller than that. */
    public int size() {
        return size;
    }

    /**
     * The tokens of a text, with or without the special tokens that the tokenizer adds.
     *
     * @throws BadRequest when the text is too long, or holds half a letter
     * @throws BadData    when the tokenizer cannot do with this text
     */
    public Encoding encode(String text, boolean specialTokens) {
        if (text.length() > LONGEST) {
            throw new BadRequest("", "a text of " + text.length() + " letters, at most " + LONGEST + " can be tokenized at once");
        }
        int[] letters = letters(text);
        TokenizerLibrary.Tokens tokens;
        try {
            tokens = library.encode(text, specialTokens);
        } catch (IllegalStateException e) {
            throw new BadData(file, "", "cannot tokenize '" + Said.of(text) + "' (" + Said.of(e.getMessage()) + ")", e);
        }
        int[] starts = new int[tokens.ids().length];
        int[] ends = new int[tokens.ids().length];
        int points = letters.length - 1;
        for (int i = 0; i < starts.length; i++) {
            if (tokens.starts()[i] >= 0) {
                starts[i] = letters[Math.min(points, tokens.starts()[i])];
                ends[i] = letters[Math.min(points, tokens.ends()[i])];
            }
        }
        return new Encoding(tokens.ids(), starts, ends);
    }

    /** Where each code point begins, and the end. */
    private static int[] letters(String text) {
        int[] letters = new int[text.codePointCount(0, text.length()) + 1];
        int at = 0;
        for (int i = 0; i + 1 < letters.length; i++) {
            letters[i] = at;
            int point = text.codePointAt(at);
            if (point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE) {
                throw new BadRequest("", "the text '" + Said.of(text) + "' holds half a letter (a surrogate without its other half) at "
                        + at);
            }
            at += Character.charCount(point);
        }
        letters[letters.length - 1] = at;
        return letters;
    }

    /**
     * The id of {@code <|endoftext|>}, which separates texts and pads prompts.
     *
     * @throws BadRequest when there is none
     */
    public int endOfText() {
        return endOfTextIfAny().orElseThrow(() -> new BadRequest("", "this tokenizer has no token " + END_OF_TEXT));
    }

    /** The same, where there is one. */
    public Optional<Integer> endOfTextIfAny() {
        int[] ids = encode(END_OF_TEXT, false).ids();
        return ids.length == 1 ? Optional.of(ids[0]) : Optional.empty();
    }

    /**
     * The text of some ids, special tokens included.
     *
     * @throws BadData when the tokenizer cannot do with them
     */
    public String decode(int... ids) {
        try {
            return library.decode(ids);
        } catch (IllegalStateException e) {
            throw new BadData(file, "", "cannot write the ids out (" + Said.of(e.getMessage()) + ")", e);
        }
    }

    /** One token as people read it: its text, line breaks and other letters without a shape made visible. */
    public String token(int id) {
        return Said.visible(decode(id));
    }
}
