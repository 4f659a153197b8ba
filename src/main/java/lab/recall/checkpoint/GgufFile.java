package lab.recall.checkpoint;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;
import lab.recall.base.InputFiles;

/**
 * A file in the GGUF format of llama.cpp, versions 2 and 3: metadata by key, and tensors, quantised ones among them.
 *
 * <pre>{@code
 * GgufFile f = GgufFile.open(Path.of("mamba-130m-q4_k_m.gguf"));
 * f.text("general.architecture")                             // Optional of "mamba"
 * f.tensor("blk.0.ssm_in.weight").floats()                   // dequantised as llama.cpp does
 * }</pre>
 *
 * The format, little-endian: {@code GGUF}, version, count of tensors, count of keys; each key with its type and value; each tensor's name,
 * sizes (innermost first), type and offset; data from the next multiple of {@code general.alignment} on. Opening reads only the header, and
 * checks all of it; values and numbers are read where they are asked for. Quantised tensors and F32 are given as F32, others as stored.
 */
public final class GgufFile {
    private static final int LONGEST_NAME = 65_535;
    private static final int LONGEST_TEXT = 1 << 20;
    private static final int MOST_KEYS = 65_536;
    private static final int MOST_TENSORS = 1 << 20;
    private static final int MOST_ITEMS = 1 << 22;
    private static final int MOST_SIZES = 4;
    private static final int DEEPEST_LIST = 8;
    private static final long ALIGNMENT = 32;

    /** Types of values, in the order of their numbers. */
    private enum Kind {
        U8(1), I8(1), U16(2), I16(2), U32(4), I32(4), F32(4), BOOL(1), TEXT(0), LIST(0), U64(8), I64(8), F64(8);

        private final int bytes;

        Kind(int bytes) {
            this.bytes = bytes;
        }

        boolean isWhole() {
            return this != F32 && this != F64 && this != BOOL && this != TEXT && this != LIST;
        }
    }

    /** Where a value stands; of a list: its items. */
    private record Value(Kind kind, Kind items, long count, long at) {
    }

    private record Info(String name, GgufType type, long[] shape, long offset, long bytes) {
    }

    private final Path file;
    private final Map<String, Value> values = new LinkedHashMap<>();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    private GgufFile(Path file) {
        this.file = file;
    }

    /** Whether a file's name says that it is one. */
    public static boolean isNamed(Path file) {
        return file.getFileName() != null && file.getFileName().toString().regionMatches(true,
                file.getFileName().toString().length() - 5, ".gguf", 0, 5);
    }

    /**
     * Opens a file.
     *
     * @throws BadData when it is not that, or uses what is not known here
     */
    public static GgufFile open(Path file) {
        GgufFile opened = new GgufFile(file);
        return opened.read(0, in -> {
            opened.header(in);
            return opened;
        });
    }

    private interface Reading<T> {
        T from(GgufReader in) throws IOException;
    }

    private <T> T read(long at, Reading<T> reading) {
        try (FileChannel channel = FileChannel.open(InputFiles.plain(file), StandardOpenOption.READ)) {
            return reading.from(new GgufReader(file, channel, at));
        } catch (IOException e) {
            throw new BadData(file, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    private void header(GgufReader in) throws IOException {
        if (in.left() < 4 || in.u32("the first word") != 0x46554747) {
            throw new BadData(file, "does not begin with GGUF");
        }
        long version = in.u32("the version");
        if (version != 0 && (version & 0xffff) == 0) {
            throw new BadData(file, "is big-endian; only little-endian files are read");
        }
        if (version < 2 || version > 3) {
            throw new BadData(file, "is of GGUF version " + version + "; 2 and 3 are read");
        }
        long tensorCount = count(in, "the count of tensors", MOST_TENSORS);
        long keyCount = count(in, "the count of keys", MOST_KEYS);
        for (long i = 0; i < keyCount; i++) {
            String key = in.text(LONGEST_NAME, "the name of key " + i);
            if (key.isEmpty() || values.containsKey(key)) {
                throw in.bad(key.isEmpty() ? "the name of key " + i + " is empty" : "two keys are named " + shown(key));
            }
            values.put(key, value(in, key));
        }
        List<Info> infos = new ArrayList<>();
        long alignment = alignment();
        for (long i = 0; i < tensorCount; i++) {
            infos.add(info(in, i, alignment));
        }
        data(in, infos, (in.at() + alignment - 1) / alignment * alignment);
    }

    private static long count(GgufReader in, String what, int most) throws IOException {
        long n = in.length(what);
        if (n > most) {
            throw in.bad(what + " is " + n + ", expected at most " + most);
        }
        return n;
    }

    private static Value value(GgufReader in, String key) throws IOException {
        String what = "the value of " + shown(key);
        Kind kind = kind(in, what);
        if (kind == Kind.LIST) {
            Kind items = kind(in, what);
            long count = in.length("the count of " + what);
            long at = in.at();
            skip(in, items, count, what, 1);
            return new Value(kind, items, count, at);
        }
        long at = in.at();
        if (kind == Kind.BOOL) {
            int bool = in.u8(what);
            if (bool > 1) {
                throw in.bad(what + " is the byte " + bool + ", expected 0 or 1 (false or true)");
            }
        } else {
            skip(in, kind, 1, what, 0);
        }
        return new Value(kind, kind, 1, at);
    }

    private static Kind kind(GgufReader in, String what) throws IOException {
        long number = in.u32("the type of " + what);
        if (number >= Kind.values().length) {
            throw in.bad(what + " has the type " + number + ", expected 0 to " + (Kind.values().length - 1));
        }
        return Kind.values()[(int) number];
    }

    private static void skip(GgufReader in, Kind kind, long count, String what, int depth) throws IOException {
        if (count > in.left()) {                // every item takes a byte at least
            throw in.bad(what + " has " + count + " items, " + in.left() + " bytes are left");
        }
        if (depth > DEEPEST_LIST) {
            throw in.bad(what + " is a list in lists, deeper than " + DEEPEST_LIST);
        }
        if (kind.bytes > 0) {
            in.skip(count * kind.bytes, what);
            return;
        }
        for (long i = 0; i < count; i++) {
            if (kind == Kind.TEXT) {
                in.skip(in.length("the length of " + what), what);
            } else {
                Kind items = kind(in, what);
                skip(in, items, in.length("the count of " + what), what, depth + 1);
            }
        }
    }

    private long alignment() {
        Value v = values.get("general.alignment");
        long alignment = v == null ? ALIGNMENT : whole("general.alignment").orElseThrow();
        if (alignment < 8 || alignment > 1 << 30 || Long.bitCount(alignment) != 1) {
            throw new BadData(file, "general.alignment is " + alignment + ", expected a power of two from 8 on");
        }
        return alignment;
    }

    private Info info(GgufReader in, long number, long alignment) throws IOException {
        String name = in.text(LONGEST_NAME, "the name of tensor " + number);
        String what = "the tensor " + shown(name);
        long dimensions = in.u32("the sizes of " + what);
        if (dimensions > MOST_SIZES) {
            throw in.bad(what + " has " + dimensions + " sizes, expected at most " + MOST_SIZES);
        }
        long[] shape = new long[(int) dimensions];
        for (int i = shape.length - 1; i >= 0; i--) {
            shape[i] = in.length("a size of " + what);
        }
        long typeNumber = in.u32("the type of " + what);
        GgufType type = GgufType.of(typeNumber).orElseThrow(() -> new BadData(file, what + " is of the type " + GgufType.name(typeNumber)
                + "; known are " + GgufType.known()));
        long row = shape.length == 0 ? 1 : shape[shape.length - 1];
        if (row % type.block() != 0) {
            throw new BadData(file, what + " has rows of " + row + " numbers, " + type + " needs a multiple of " + type.block());
        }
        long offset = in.length("the offset of " + what);
        if (offset % alignment != 0) {
            throw new BadData(file, what + " has the offset " + offset + ", expected a multiple of the alignment " + alignment);
        }
        try {
            long numbers = Arrays.stream(shape).reduce(1, Math::multiplyExact);
            Math.multiplyExact(numbers, Double.BYTES);
            return new Info(name, type, shape, offset, Math.multiplyExact(numbers / type.block(), type.bytes()));
        } catch (ArithmeticException e) {
            throw new BadData(file, "", what + " has the shape " + Arrays.toString(shape) + ", more than any file holds", e);
        }
    }

    /** All data as one run of bytes, the tensors as parts of it. */
    private void data(GgufReader in, List<Info> infos, long start) throws IOException {
        long size = in.at() + in.left();
        List<Info> inFile = new ArrayList<>(infos);
        inFile.sort(Comparator.comparingLong(Info::offset).thenComparingLong(Info::bytes));
        long taken = 0;
        for (int i = 0; i < inFile.size(); i++) {
            Info t = inFile.get(i);
            if (t.bytes > size - start - t.offset) {
                throw new BadData(file, "the tensor " + shown(t.name) + " needs " + t.bytes + " bytes from " + t.offset
                        + " on; the data section is " + Math.max(0, size - start) + " bytes long");
            }
            if (t.offset < taken) {
                throw new BadData(file, "the data of " + shown(inFile.get(i - 1).name) + " and " + shown(t.name) + " overlap");
            }
            taken = t.offset + t.bytes;
        }
        if (infos.isEmpty()) {
            return;
        }
        Bytes all = in.mapped(start, size - start);
        for (Info t : infos) {
            Tensor tensor = t.type.plain().map(dtype -> new Tensor(t.name, dtype, t.shape, all, t.offset))
                    .orElseGet(() -> new Tensor(t.name, DType.F32, t.shape, new Dequantized(t.type, all, t.offset), 0));
            if (tensors.put(t.name, tensor) != null) {
                throw new BadData(file, "two tensors are named " + shown(t.name));
            }
        }
    }

    /** A name as it is told: in one line, and not longer than one. */
    static String shown(String name) {
        String one = name.replaceAll("\\p{Cntrl}", "?");
        return "'" + (one.length() > 80 ? one.substring(0, 80) + ".." : one) + "'";
    }

    /** The file. */
    public Path file() {
        return file;
    }

    /** Keys of its metadata. */
    public Set<String> keys() {
        return Collections.unmodifiableSet(values.keySet());
    }

    /** All tensors by name. */
    public Map<String, Tensor> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    /**
     * A tensor that must be there.
     *
     * @throws BadData when it is not there
     */
    public Tensor tensor(String name) {
        return Optional.ofNullable(tensors.get(name)).orElseThrow(() -> new BadData(file, "the tensor " + shown(name) + " is missing"));
    }

    /**
     * A whole number.
     *
     * @throws BadData when the key's value is anything else
     */
    public Optional<Long> whole(String key) {
        return scalar(key, "a whole number", Kind::isWhole).map(v -> read(v.at, in -> whole(in, v.kind, key)));
    }

    private long whole(GgufReader in, Kind kind, String key) throws IOException {
        return switch (kind) {
            case U8 -> in.u8(key);
            case I8 -> (byte) in.u8(key);
            case U16 -> in.u8(key) | in.u8(key) << 8;
            case I16 -> (short) (in.u8(key) | in.u8(key) << 8);
            case U32 -> in.u32(key);
            case I32 -> (int) in.u32(key);
            case U64 -> in.length(key);
            default -> in.i64(key);
        };
    }

    /**
     * A number, whole or not; one of 32 bits has the shortest decimal fraction that rounds to it.
     *
     * @throws BadData when the key's value is anything else
     */
    public Optional<Double> number(String key) {
        return scalar(key, "a number", k -> k.isWhole() || k == Kind.F32 || k == Kind.F64).map(v -> read(v.at, in -> switch (v.kind) {
            case F32 -> Double.parseDouble(Float.toString(Float.intBitsToFloat((int) in.u32(key))));
            case F64 -> Double.longBitsToDouble(in.i64(key));
            default -> (double) whole(in, v.kind, key);
        }));
    }

    /**
     * True or false.
     *
     * @throws BadData when the key's value is anything else
     */
    public Optional<Boolean> flag(String key) {
        return scalar(key, "true or false", k -> k == Kind.BOOL).map(v -> read(v.at, in -> in.u8(key) == 1));
    }

    /**
     * A text.
     *
     * @throws BadData when the key's value is anything else, or longer than 2^20 bytes
     */
    public Optional<String> text(String key) {
        return scalar(key, "a text", k -> k == Kind.TEXT).map(v -> read(v.at, in -> in.text(LONGEST_TEXT, shown(key))));
    }

    /**
     * A list of texts.
     *
     * @throws BadData when the key's value is anything else, or longer than 2^22 items
     */
    public Optional<List<String>> texts(String key) {
        return list(key, "texts", k -> k == Kind.TEXT).map(v -> read(v.at, in -> {
            List<String> all = new ArrayList<>();
            for (long i = 0; i < v.count; i++) {
                all.add(in.text(LONGEST_NAME, "item " + i + " of " + shown(key)));
            }
            return all;
        }));
    }

    /**
     * A list of whole numbers.
     *
     * @throws BadData when the key's value is anything else, or longer than 2^22 items
     */
    public Optional<long[]> wholes(String key) {
        return list(key, "whole numbers", Kind::isWhole).map(v -> read(v.at, in -> {
            long[] all = new long[(int) v.count];
            for (int i = 0; i < all.length; i++) {
                all[i] = whole(in, v.items, key);
            }
            return all;
        }));
    }

    private Optional<Value> scalar(String key, String expected, Predicate<Kind> fits) {
        Value v = values.get(key);
        if (v != null && !fits.test(v.kind)) {
            throw new BadData(file, shown(key) + " is " + (v.kind == Kind.LIST ? "a list" : "of the type " + v.kind)
                    + ", expected " + expected);
        }
        return Optional.ofNullable(v);
    }

    private Optional<Value> list(String key, String expected, Predicate<Kind> fits) {
        Value v = values.get(key);
        if (v != null && (v.kind != Kind.LIST || !fits.test(v.items) || v.count > MOST_ITEMS)) {
            throw new BadData(file, shown(key) + " is " + (v.kind != Kind.LIST ? "of the type " + v.kind
                    : "a list of " + v.count + " " + v.items) + ", expected a list of " + expected + ", at most " + MOST_ITEMS);
        }
        return Optional.ofNullable(v);
    }
}
