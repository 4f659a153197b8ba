package lab.recall.checkpoint;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.base.BadData;
import lab.recall.base.Said;

/**
 * Reads the pickles that PyTorch writes, and can construct tensors and nothing else: a name outside the list below is refused, so no file
 * can run anything.
 *
 * <p>A list or dictionary can hold itself, and a small one can stand for one of many values: so nothing here goes down into values,
 * hashes them or prints them. Keys and names are texts. Each operation makes at most one value and their number is bounded, so that a
 * pickle takes memory and time in proportion to its bytes.
 */
final class Pickle {
    /** Finds the numbers that a pickle names. */
    interface Storages {
        Storage find(String key, DType dtype, long size);
    }

    /** Numbers that tensors view: {@code size} of them from byte {@code from} on. */
    record Storage(DType dtype, long size, Bytes bytes, long from) {
    }

    /** A tensor that has no name yet. */
    record View(DType dtype, Storage storage, long offset, long[] shape, long[] strides) {
    }

    /** A whole number beyond 64 bits, of which only the bytes matter: the older format's magic number. */
    record Whole(String hex) {
    }

    /** A dictionary. */
    static final class Table {
        private final Map<String, Object> entries = new LinkedHashMap<>();

        /** In the order of the file. */
        Map<String, Object> entries() {
            return entries;
        }
    }

    /** A list; compared as itself. */
    static final class Items {
        private final List<Object> values = new ArrayList<>();

        List<Object> values() {
            return values;
        }
    }

    /** A tuple; compared as itself. */
    private static final class Tuple {
        private final Object[] values;

        Tuple(Object... values) {
            this.values = values;
        }
    }

    /** Something that a pickle names. */
    private enum Name { ORDERED_DICT, REBUILD_TENSOR, REBUILD_TENSOR_OF_TYPE, REBUILD_PARAMETER }

    /** A storage's number format. */
    private record StorageType(DType dtype) {
    }

    private static final Map<String, Object> ALLOWED = Map.ofEntries(
            Map.entry("collections.OrderedDict", Name.ORDERED_DICT),
            Map.entry("torch._utils._rebuild_tensor_v2", Name.REBUILD_TENSOR),
            Map.entry("torch._utils._rebuild_tensor_v3", Name.REBUILD_TENSOR_OF_TYPE),
            Map.entry("torch._utils._rebuild_parameter", Name.REBUILD_PARAMETER),
            Map.entry("torch.DoubleStorage", new StorageType(DType.F64)), Map.entry("torch.FloatStorage", new StorageType(DType.F32)),
            Map.entry("torch.HalfStorage", new StorageType(DType.F16)), Map.entry("torch.BFloat16Storage", new StorageType(DType.BF16)),
            Map.entry("torch.LongStorage", new StorageType(DType.I64)), Map.entry("torch.IntStorage", new StorageType(DType.I32)),
            Map.entry("torch.ShortStorage", new StorageType(DType.I16)), Map.entry("torch.CharStorage", new StorageType(DType.I8)),
            Map.entry("torch.ByteStorage", new StorageType(DType.U8)), Map.entry("torch.BoolStorage", new StorageType(DType.BOOL)),
            Map.entry("torch.ComplexFloatStorage", new StorageType(DType.C64)),
            Map.entry("torch.ComplexDoubleStorage", new StorageType(DType.C128)),
            Map.entry("torch.storage.UntypedStorage", new StorageType(DType.U8)),
            Map.entry("torch.float8_e4m3fn", DType.F8_E4M3), Map.entry("torch.float8_e5m2", DType.F8_E5M2),
            Map.entry("torch.uint16", DType.U16), Map.entry("torch.uint32", DType.U32), Map.entry("torch.uint64", DType.U64));
    private static final Object NONE = new Object();
    /** PyTorch needs about forty operations for a tensor; a value takes up to a hundred bytes. */
    private static final long MOST_OPERATIONS = Math.max(1_000_000, Runtime.getRuntime().maxMemory() / 256);
    private static final int MOST_DIMENSIONS = 32;
    private static final int LONGEST_NAME = 200;
    private static final int ID_PARTS = 5;

    private final ByteBuffer in;
    private final String file;
    private final Storages storages;
    private final List<Object> stack = new ArrayList<>();
    /** Where the values after each open mark begin. */
    private final List<Integer> marks = new ArrayList<>();
    private final Map<Long, Object> memo = new HashMap<>();

    private Pickle(ByteBuffer in, String file, Storages storages) {
        this.in = in.order(ByteOrder.LITTLE_ENDIAN);
        this.file = file;
        this.storages = storages;
    }

    /**
     * Reads one pickle from the buffer's position on and leaves the position after it.
     *
     * @return a {@link Table}, {@link Items}, {@link View}, {@link Storage}, {@link Whole}, text, Long, Double, Boolean, or anything else
     * @throws BadData when it is none, or holds anything but tensors
     */
    static Object read(ByteBuffer in, String file, Storages storages) {
        try {
            return new Pickle(in, file, storages).run();
        } catch (BufferUnderflowException e) {
            throw new BadData(file, "", "the pickle is cut short", e);
        }
    }

    private BadData bad(String why) {
        return new BadData(file, "not a pickle of tensors (" + why + ")");
    }

    private Object run() {
        for (long operations = 0; operations < MOST_OPERATIONS; operations++) {
            int op = in.get() & 0xff;
            switch (op) {
                case 0x80 -> in.get();                                      // PROTO
                case 0x95 -> in.getLong();                                  // FRAME
                case '.' -> {                                               // STOP
                    return pop();
                }
                case 'c' -> push(global(line(), line()));                   // GLOBAL
                case 0x93 -> {                                              // STACK_GLOBAL
                    String name = pop(String.class, "a name");
                    push(global(pop(String.class, "a name"), name));
                }
                case 'q' -> memo.put((long) (in.get() & 0xff), top());      // BINPUT
                case 'r' -> memo.put(in.getInt() & 0xffffffffL, top());     // LONG_BINPUT
                case 0x94 -> memo.put((long) memo.size(), top());           // MEMOIZE
                case 'h' -> push(memory(in.get() & 0xff));                  // BINGET
                case 'j' -> push(memory(in.getInt() & 0xffffffffL));        // LONG_BINGET
                case '(' -> marks.add(stack.size());                        // MARK
                case ')' -> push(new Tuple());                              // EMPTY_TUPLE
                case 't' -> push(new Tuple(toMark().toArray()));            // TUPLE
                case 0x85, 0x86, 0x87 -> tuple(op - 0x84);                  // TUPLE1, 2, 3
                case ']' -> push(new Items());                              // EMPTY_LIST
                case 'a' -> {                                               // APPEND
                    Object value = pop();
                    as(top(), Items.class, "a list").values.add(value);
                }
                case 'e' -> {                                               // APPENDS
                    List<Object> values = toMark();
                    as(top(), Items.class, "a list").values.addAll(values);
                }
                case '}' -> push(new Table());                              // EMPTY_DICT
                case 's' -> {                                               // SETITEM
                    Object value = pop();
                    put(pop(), value);
                }
                case 'u' -> {                                               // SETITEMS
                    List<Object> items = toMark();
                    if (items.size() % 2 != 0) {
                        throw bad("a key without a value");
                    }
                    for (int i = 0; i < items.size(); i += 2) {
                        put(items.get(i), items.get(i + 1));
                    }
                }
                case 'X' -> push(text(in.getInt()));                        // BINUNICODE
                case 0x8c -> push(text(in.get() & 0xff));                   // SHORT_BINUNICODE
                case 'T' -> push(text(in.getInt()));                        // BINSTRING
                case 'U' -> push(text(in.get() & 0xff));                    // SHORT_BINSTRING
                case 'J' -> push((long) in.getInt());                       // BININT
                case 'K' -> push((long) (in.get() & 0xff));                 // BININT1
                case 'M' -> push((long) (in.getShort() & 0xffff));          // BININT2
                case 0x8a -> push(whole(in.get() & 0xff));                  // LONG1
                case 'G' -> {                                               // BINFLOAT
                    push(Double.longBitsToDouble(Long.reverseBytes(in.getLong())));
                }
                case 'N' -> push(NONE);                                     // NONE
                case 0x88 -> push(true);                                    // NEWTRUE
                case 0x89 -> push(false);                                   // NEWFALSE
                case 'Q' -> push(storage());                                // BINPERSID
                case 'R' -> push(reduce());                                 // REDUCE
                case 'b' -> build();                                        // BUILD
                default -> throw new BadData(file, "the pickle uses the operation 0x" + Integer.toHexString(op)
                        + ", which no file of tensors needs");
            }
        }
        throw bad("over " + MOST_OPERATIONS + " operations");
    }

    private Object global(String module, String name) {
        Object known = ALLOWED.get(module + "." + name);
        if (known == null) {
            throw new BadData(file, "the pickle names " + Said.of(module + "." + name) + "; only tensors can be read");
        }
        return known;
    }

    /** A storage's identifier is ('storage', type, key, place, size, ..). */
    private Storage storage() {
        Object[] id = pop(Tuple.class, "a storage's identifier").values;
        if (id.length < ID_PARTS || !"storage".equals(id[0])) {
            throw bad("a storage without an identifier");
        }
        if (id.length > ID_PARTS && id[ID_PARTS] != NONE) {
            throw bad("a part of a storage, in a form of long ago");
        }
        long size = as(id[ID_PARTS - 1], Long.class, "a storage's size");
        if (size < 0) {
            throw bad("a storage of negative size");
        }
        return storages.find(as(id[2], String.class, "a storage's key"), as(id[1], StorageType.class, "a storage's type").dtype, size);
    }

    private Object reduce() {
        Object[] arguments = pop(Tuple.class, "arguments").values;
        Object function = pop();
        if (function == Name.ORDERED_DICT && arguments.length == 0) {
            return new Table();
        }
        if (function == Name.REBUILD_TENSOR) {
            Storage storage = as(at(arguments, 0), Storage.class, "a storage");
            return view(storage.dtype, storage, arguments);
        }
        if (function == Name.REBUILD_TENSOR_OF_TYPE) {                      // a storage of bytes, and what they are
            DType dtype = as(at(arguments, 6), DType.class, "a type of numbers");
            return view(dtype, as(at(arguments, 0), Storage.class, "a storage"), arguments);
        }
        if (function == Name.REBUILD_PARAMETER) {
            return as(at(arguments, 0), View.class, "a tensor");
        }
        throw new BadData(file, "the pickle calls something other than a tensor's construction");
    }

    private View view(DType dtype, Storage storage, Object[] arguments) {
        long offset = as(at(arguments, 1), Long.class, "an offset");
        return new View(dtype, storage, offset, longs(at(arguments, 2)), longs(at(arguments, 3)));
    }

    private Object at(Object[] arguments, int index) {
        if (index >= arguments.length) {
            throw bad("too few arguments");
        }
        return arguments[index];
    }

    private long[] longs(Object sizes) {
        Object[] values = as(sizes, Tuple.class, "sizes").values;
        if (values.length > MOST_DIMENSIONS) {
            throw bad(values.length + " dimensions, at most " + MOST_DIMENSIONS + " are read");
        }
        long[] all = new long[values.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = as(values[i], Long.class, "a size");
        }
        return all;
    }

    /** An ordered dictionary may carry attributes (the versions of modules); nothing else may. */
    private void build() {
        pop(Table.class, "attributes");
        as(top(), Table.class, "a dictionary that has attributes");
    }

    private void put(Object key, Object value) {
        as(top(), Table.class, "a dictionary").entries.put(as(key, String.class, "a text as key"), value);
    }

    private void tuple(int count) {
        if (stack.size() - bottom() < count) {
            throw bad("too few values");
        }
        List<Object> last = stack.subList(stack.size() - count, stack.size());
        Object[] values = last.toArray();
        last.clear();
        push(new Tuple(values));
    }

    private List<Object> toMark() {
        if (marks.isEmpty()) {
            throw bad("values without a mark");
        }
        List<Object> last = stack.subList(marks.remove(marks.size() - 1), stack.size());
        List<Object> values = new ArrayList<>(last);
        last.clear();
        return values;
    }

    private Object memory(long key) {
        Object value = memo.get(key);
        if (value == null) {
            throw bad("an entry is recalled that was never stored");
        }
        return value;
    }

    /** Values below the last mark cannot be taken. */
    private int bottom() {
        return marks.isEmpty() ? 0 : marks.get(marks.size() - 1);
    }

    private Object top() {
        if (stack.size() <= bottom()) {
            throw bad("too few values");
        }
        return stack.get(stack.size() - 1);
    }

    private Object pop() {
        Object value = top();
        stack.remove(stack.size() - 1);
        return value;
    }

    private <T> T pop(Class<T> type, String what) {
        return as(pop(), type, what);
    }

    private <T> T as(Object value, Class<T> type, String what) {
        if (!type.isInstance(value)) {
            throw bad("expected " + what);
        }
        return type.cast(value);
    }

    private void push(Object value) {
        stack.add(value);
    }

    private String line() {
        int start = in.position();
        while (in.get() != '\n') {
            if (in.position() - start > LONGEST_NAME) {
                throw bad("a name of over " + LONGEST_NAME + " letters");
            }
        }
        byte[] text = new byte[in.position() - start - 1];
        in.get(start, text);
        return new String(text, StandardCharsets.UTF_8);
    }

    private String text(int length) {
        if (length < 0 || length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] text = new byte[length];
        in.get(text);
        return new String(text, StandardCharsets.UTF_8);
    }

    /** A little-endian whole number. */
    private Object whole(int length) {
        byte[] b = new byte[length];
        in.get(b);
        if (length > Long.BYTES) {
            StringBuilder hex = new StringBuilder();
            for (byte digit : b) {
                hex.append(Character.forDigit(digit >> 4 & 15, 16)).append(Character.forDigit(digit & 15, 16));
            }
            return new Whole(hex.toString());
        }
        long value = 0;
        for (int i = length - 1; i >= 0; i--) {
            value = value << 8 | (b[i] & 0xff);
        }
        return length > 0 && length < Long.BYTES ? value << (64 - 8 * length) >> (64 - 8 * length) : value;
    }
}
