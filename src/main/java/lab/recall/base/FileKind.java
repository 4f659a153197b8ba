package lab.recall.base;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a file is by its first bytes, for messages where something else was expected.
 *
 * <pre>{@code
 * FileKind.of(start).map(FileKind::words)                    // a Git LFS pointer, not the file itself; ..
 * }</pre>
 *
 * @param words  what it is
 * @param isText whether it is text of no known form, or JSON: then a reader of text may know better what is wrong with it
 */
public record FileKind(String words, boolean isText) {
    /** So many first bytes tell. */
    public static final int BYTES = 512;
    /** The words for one of the kinds that are read. */
    public static final String SAFETENSORS = "a safetensors file";
    /** The words for the other of them. */
    public static final String PYTORCH = "a file of PyTorch (.bin, .pt)";
    /** The words for what holds second moments that other code collected. */
    public static final String NPZ = "an archive of NumPy arrays (.npz)";
    /** The words for what one form of PyTorch's files begins with. */
    public static final String PICKLE = "a pickle of Python";
    private static final int TAR_NAME = 257;
    private static final int LENGTH_BYTES = 8;
    private static final int NEWEST_PICKLE = 5;

    private record Mark(int at, String bytes, String kind) {
        boolean is(String start) {
            return start.startsWith(bytes, at);
        }
    }

    private static final List<Mark> MARKS = List.of(
            new Mark(0, "version https://git-lfs", "a Git LFS pointer, not the file itself; git lfs pull fetches it"),
            new Mark(0, "GGUF", "a GGUF file of llama.cpp"),
            new Mark(0, "\u0093NUMPY", "an array of NumPy (.npy)"),
            new Mark(0, "\u0089HDF", "an HDF5 file"),
            new Mark(0, "\u0089PNG", "a picture (PNG)"),
            new Mark(0, "%PDF", "a PDF document"),
            new Mark(0, "\u001f\u008b", "packed by gzip"),
            new Mark(0, "BZh", "packed by bzip2"),
            new Mark(0, "\u00fd7zXZ", "packed by xz"),
            new Mark(0, "(\u00b5/\u00fd", "packed by zstd"),
            new Mark(0, "7z\u00bc\u00af", "packed by 7-Zip"),
            new Mark(TAR_NAME, "ustar", "a tar archive"));

    /** What begins with these bytes; empty where that is of no kind that is known here. */
    public static Optional<FileKind> of(byte[] start) {
        byte[] head = Arrays.copyOf(start, Math.min(BYTES, start.length));
        String bytes = new String(head, StandardCharsets.ISO_8859_1);
        Optional<String> binary = head.length == 0 ? Optional.of("empty")
                : MARKS.stream().filter(m -> m.is(bytes)).map(Mark::kind).findFirst()
                        .or(() -> container(head, bytes)).or(() -> page(bytes));
        return binary.map(kind -> new FileKind(kind, false)).or(() -> text(bytes).map(kind -> new FileKind(kind, true)));
    }

    private static Optional<String> container(byte[] head, String bytes) {
        if (bytes.startsWith("PK\u0003\u0004")) {           // the name of the first entry follows
            return Optional.of(bytes.contains(".npy") ? NPZ
                    : bytes.contains("/data.pkl") ? PYTORCH : "a zip archive");
        }
        if (head.length > LENGTH_BYTES && head[LENGTH_BYTES] == '{' && head[LENGTH_BYTES - 1] == 0 && head[LENGTH_BYTES - 2] == 0) {
            return Optional.of(SAFETENSORS);
        }
        return head.length > 1 && head[0] == (byte) 0x80 && head[1] >= 0 && head[1] <= NEWEST_PICKLE ? Optional.of(PICKLE)
                : Optional.empty();
    }

    private static Optional<String> page(String bytes) {
        String begin = bytes.strip().toLowerCase(Locale.ROOT);
        return begin.startsWith("<!doctype html") || begin.startsWith("<html") || begin.startsWith("<head")
                ? Optional.of("an HTML page, perhaps of a download that failed")
                : begin.startsWith("<?xml") ? Optional.of("XML text") : Optional.empty();
    }

    private static Optional<String> text(String bytes) {
        if (bytes.isBlank() || bytes.chars().anyMatch(c -> c >= 0x7f || c < ' ' && !Character.isWhitespace(c))) {
            return Optional.empty();
        }
        String begin = bytes.strip();
        return Optional.of(begin.startsWith("{") || begin.startsWith("[") ? "JSON text" : "text that begins '" + Said.of(begin) + "'");
    }
}
