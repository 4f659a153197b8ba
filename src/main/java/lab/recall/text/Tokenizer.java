package lab.recall.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.InputFiles;

/**
 * A {@code tokenizer.json}, read by the tokenizers library itself.
 *
 * <pre>{@code
 * Tokenizer t = Tokenizer.open(folder.resolve("tokenizer.json"));
 * int[] ids = t.encode("The Space Needle", true).ids();
 * t.decode(ids)
 * }</pre>
 *
 * Safe for several threads. Never goes to the network.
 */
public final class Tokenizer {
    static {
        System.setProperty("OPT_OUT_TRACKING", "true");         // the wrapper library would otherwise report its use
        System.setProperty("ai.djl.offline", "true");
    }

    private static final Map<String, String> OPTIONS = Map.of("truncation", "false", "padding", "false");
    private static final String END_OF_TEXT = "<|endoftext|>";
    private static volatile Tokenizer bundled;

    private final HuggingFaceTokenizer library;

    private Tokenizer(HuggingFaceTokenizer library) {
        this.library = library;
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
        InputFiles.plain(file);
        try {
            return new Tokenizer(HuggingFaceTokenizer.newInstance(file, OPTIONS));
        } catch (IOException | RuntimeException e) {
            throw none(file, e);
        }
    }

    /**
     * A tokenizer of the text of such a file.
     *
     * @param where it stands, for messages
     * @throws BadData when it is none
     */
    public static Tokenizer of(byte[] json, String where) {
        try {
            return new Tokenizer(HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), OPTIONS));
        } catch (IOException | RuntimeException e) {
            throw none(where, e);
        }
    }

    private static BadData none(Object where, Exception e) {
        String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage().lines().findFirst().orElse("");
        return new BadData(where, "", "not a tokenizer.json (" + why + ")", e);
    }

    /** Where the bundled one stands. */
    public static Path bundled20bFile() {
        return DataFolder.find("tokenizer_20b/tokenizer.json");
    }

    /** The GPT-NeoX-20B tokenizer, that of Pythia and of all Mamba-1 checkpoints. */
    public static Tokenizer bundled20b() {
        if (bundled == null) {
            synchronized (Tokenizer.class) {
                if (bundled == null) {
                    bundled = open(bundled20bFile());
                }
            }
        }
        return bundled;
    }

    /** The tokens of a text, with or without the special tokens that the tokenizer adds. */
    public Encoding encode(String text, boolean specialTokens) {
        ai.djl.huggingface.tokenizers.Encoding e = library.encode(text, specialTokens, false);
        int[] ids = Arrays.stream(e.getIds()).mapToInt(Math::toIntExact).toArray();
        CharSpan[] spans = e.getCharTokenSpans();
        int[] starts = new int[ids.length];
        int[] ends = new int[ids.length];
        int points = text.codePointCount(0, text.length());
        for (int i = 0; i < ids.length; i++) {
            if (spans[i] != null) {             // the library counts code points
                starts[i] = text.offsetByCodePoints(0, Math.min(points, spans[i].getStart()));
                ends[i] = text.offsetByCodePoints(0, Math.min(points, spans[i].getEnd()));
            }
        }
        return new Encoding(ids, starts, ends);
    }

    /**
     * The id of {@code <|endoftext|>}, which separates texts and pads prompts.
     *
     * @throws BadRequest when there is none
     */
    public int endOfText() {
        int[] ids = encode(END_OF_TEXT, false).ids();
        if (ids.length != 1) {
            throw new BadRequest("", "this tokenizer has no token " + END_OF_TEXT);
        }
        return ids[0];
    }

    /** The text of some ids, special tokens included. */
    public String decode(int... ids) {
        return library.decode(Arrays.stream(ids).asLongStream().toArray(), false);
    }

    /** One token as people read it: its text, line breaks and tabs made visible. */
    public String token(int id) {
        return decode(id).replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r");
    }
}
