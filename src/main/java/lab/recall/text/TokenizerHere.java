package lab.recall.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;

/** The tokenizers library in this process. It must be given checked files alone: on what it does not expect it ends the process. */
final class TokenizerHere implements TokenizerLibrary {
    static {
        System.setProperty("OPT_OUT_TRACKING", "true");         // the wrapper library would otherwise report its use
        System.setProperty("ai.djl.offline", "true");
    }

    private final HuggingFaceTokenizer library;

    /** @param json a tokenizer.json */
    TokenizerHere(byte[] json) {
        try {
            library = HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), Map.of("truncation", "false", "padding", "false"));
        } catch (IOException | RuntimeException e) {
            throw refused(e);
        }
    }

    @Override
    public Tokens encode(String text, boolean specialTokens) {
        try {
            Encoding e = library.encode(text, specialTokens, false);
            int[] ids = ints(e.getIds());
            CharSpan[] spans = e.getCharTokenSpans();
            int[] starts = new int[ids.length];
            int[] ends = new int[ids.length];
            for (int i = 0; i < ids.length; i++) {
                starts[i] = spans[i] == null ? -1 : spans[i].getStart();
                ends[i] = spans[i] == null ? -1 : spans[i].getEnd();
            }
            return new Tokens(ids, starts, ends);
        } catch (RuntimeException e) {
            throw refused(e);
        }
    }

    private static int[] ints(long[] values) {
        return Arrays.stream(values).mapToInt(Math::toIntExact).toArray();
    }

    @Override
    public String decode(int[] ids) {
        try {
            return library.decode(Arrays.stream(ids).asLongStream().toArray(), false);
        } catch (RuntimeException e) {
            throw refused(e);
        }
    }

    private static IllegalStateException refused(Exception e) {
        return new IllegalStateException(e.getMessage() == null ? e.getClass().getSimpleName()
                : e.getMessage().lines().findFirst().orElse(""), e);
    }
}
