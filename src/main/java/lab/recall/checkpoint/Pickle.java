package lab.recall.checkpoint;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import lab.recall.base.BadData;

/**
 * Reads the pickles that PyTorch writes, and can construct tensors and nothing else: a name outside the list below is refused, so no file
 * can run anything. Not recursive; sizes are checked against the bytes that are there.
 */
final class Pickle {
    /** Something that a pickle names. */
    private enum Name { ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER }

    /** A storage's number format. */
    private record StorageType(DType dtype) {
    }

    /** Numbers that tensors view. */
    record Storage(DType dtype, long size, Bytes bytes) {
    }

    /** A tensor that has no name yet. */
    record View(Storage storage, long offset, long[] shape, long[] strides) {
    }

    private static final Map<String, Object> ALLOWED = Map.ofEntries(
            Map.entry("collections.OrderedDict", Name.ORDERED_DICT),
            Map.entry("torch._utils._rebuild_tensor_v2", Name.REBUILD_TENSOR),
            Map.entry("torch._utils._rebuild_parameter", Name.REBUILD_PARAMETER),
            Map.entry("torch.DoubleStorage", new StorageType(DType.F64)), Map.entry("torch.FloatStorage", new StorageType(DType.F32)),
            Map.entry("torch.HalfStorage", new StorageType(DType.F16)), Map.entry("torch.BFloat16Storage", new StorageType(DType.BF16)),
            Map.entry("torch.LongStorage", new StorageType(DType.I64)), Map.entry("torch.IntStorage", new StorageType(DType.I32)),
            Map.entry("torch.ShortStorage", new StorageType(DType.I16)), Map.entry("torch.CharStorage", new StorageType(DType.I8)),
            Map.entry("torch.ByteStorage", new StorageType(DType.U8)), Map.entry("torch.BoolStorage", new StorageType(DType.BOOL)));
    private static final Object MARK = new Object();

    private final ByteBuffer in;
    private final String file;
    private final Function<List<?>, Storage> storages;
    private final List<Object> stack = new ArrayList<>();
    private final Map<Long, Object> memo = new HashMap<>();

    private Pickle(ByteBuffer in, String file, Function<List<?>, Storage> storages) {
        this.in = in.order(ByteOrder.LITTLE_ENDIAN);
        this.file = file;
        this.storages = storages;
    }

    /**
     * Reads one pickle from the buffer's position on and leaves the position after it.
     *
     * @param storages turns the identifier of a storage into the storage
     */
    static Object read(ByteBuffer in, String file, Function<List<?>, Storage> storages) {
        try {
            return new Pickle(in, file, storages).run();
        } catch (BufferUnderflowException e) {
            throw new BadData(file, "", "the pickle is cut short", e);
        } catch (ClassCastException | IndexOutOfBoundsException | ArithmeticException | NegativeArraySizeException | NullPointerException
                | UnsupportedOperationException e) {
            throw new BadData(file, "", "not a pickle of tensors", e);
        }
    }

    /** A storage type's number format, for {@code storages}. */
    static DType dtype(Object type) {
        return ((StorageType) type).dtype;
    }

    private Object run() {
        while (true) {
            int op = in.get() & 0xff;
            switch (op) {
                case 0x80 -> in.get();                                      // PROTO
                case 0x95 -> in.getLong();                                  // FRAME
                case '.' -> {                                               // STOP
                    return pop();
                }
                case 'c' -> push(global(line(), line()));                   // GLOBAL
                case 0x93 -> {                                              // STACK_GLOBAL
                    String name = (String) pop();
                    push(global((String) pop(), name));
                }
                case 'q' -> memo.put((long) (in.get() & 0xff), top());      // BINPUT
                case 'r' -> memo.put(in.getInt() & 0xffffffffL, top());     // LONG_BINPUT
                case 0x94 -> memo.put((long) memo.size(), top());           // MEMOIZE
                case 'h' -> push(memory(in.get() & 0xff));                  // BINGET
                case 'j' -> push(memory(in.getInt() & 0xffffffffL));        // LONG_BINGET
                case '(' -> push(MARK);
                case ')' -> push(List.of());                                // EMPTY_TUPLE
                case 't' -> push(toMark());                                 // TUPLE
                case 0x85, 0x86, 0x87 -> tuple(op - 0x84);                  // TUPLE1, 2, 3
                case ']' -> push(new ArrayList<>());                        // EMPTY_LIST
                case 'a' -> {                                               // APPEND
                    Object value = pop();
                    list().add(value);
                }
                case 'e' -> {                                               // APPENDS
                    List<Object> values = toMark();
                    list().addAll(values);
                }
                case '}' -> push(new LinkedHashMap<>());                    // EMPTY_DICT
                case 's' -> {                                               // SETITEM
                    Object value = pop();
                    Object key = pop();
                    dictionary().put(key, value);
                }
                case 'u' -> {                                               // SETITEMS
                    List<Object> items = toMark();
                    for (int i = 0; i < items.size(); i += 2) {
                        dictionary().put(items.get(i), items.get(i + 1));
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
                case 'N' -> push(null);                                     // NONE
                case 0x88 -> push(true);                                    // NEWTRUE
                case 0x89 -> push(false);                                   // NEWFALSE
                case 'Q' -> push(storages.apply((List<?>) pop()));          // BINPERSID
                case 'R' -> reduce();                                       // REDUCE
                case 'b' -> build();                                        // BUILD
                default -> throw new BadData(file, "the pickle uses the operation 0x" + Integer.toHexString(op)
                        + ", which no file of tensors needs");
            }
        }
    }

    private Object global(String module, String name) {
        Object known = ALLOWED.get(module + "." + name);
        if (known == null) {
            throw new BadData(file, "the pickle names " + printable(module + "." + name) + "; only tensors can be read");
        }
        return known;
    }

    private static String printable(String s) {
        return s.replaceAll("\\p{Cntrl}", "?").substring(0, Math.min(80, s.length()));
    }

    private void reduce() {
        List<?> arguments = (List<?>) pop();
        Object function = pop();
        if (function == Name.ORDERED_DICT && arguments.isEmpty()) {
            push(new LinkedHashMap<>());
        } else if (function == Name.REBUILD_TENSOR) {
            push(new View((Storage) arguments.get(0), (Long) arguments.get(1), longs((List<?>) arguments.get(2)),
                    longs((List<?>) arguments.get(3))));
        } else if (function == Name.REBUILD_PARAMETER) {
            push((View) arguments.get(0));
        } else {
            throw new BadData(file, "the pickle calls something other than a tensor's construction");
        }
    }

    /** An ordered dictionary may carry attributes (the versions of modules); nothing else may. */
    private void build() {
        Object state = pop();
        if (!(top() instanceof Map) || !(state instanceof Map)) {
            throw new BadData(file, "the pickle sets the state of something other than a dictionary");
        }
    }

    private static long[] longs(List<?> values) {
        return values.stream().mapToLong(v -> (Long) v).toArray();
    }

    private void tuple(int count) {
        List<Object> values = new ArrayList<>(stack.subList(stack.size() - count, stack.size()));
        stack.subList(stack.size() - count, stack.size()).clear();
        push(values);
    }

    private List<Object> toMark() {
        int mark = stack.lastIndexOf(MARK);
        List<Object> values = new ArrayList<>(stack.subList(mark + 1, stack.size()));
        stack.subList(mark, stack.size()).clear();
        return values;
    }

    @SuppressWarnings("unchecked")
    private List<Object> list() {
        return (List<Object>) top();
    }

    @SuppressWarnings("unchecked")
    private Map<Object, Object> dictionary() {
        Map<Object, Object> d = (Map<Object, Object>) top();
        return d;
    }

    private Object memory(long key) {
        if (!memo.containsKey(key)) {
            throw new BadData(file, "the pickle recalls an entry that it never stored");
        }
        return memo.get(key);
    }

    private Object top() {
        return stack.get(stack.size() - 1);
    }

    private Object pop() {
        return stack.remove(stack.size() - 1);
    }

    private void push(Object value) {
        stack.add(value);
    }

    private String line() {
        int start = in.position();
        while (in.get() != '\n') {
            if (in.position() - start > 200) {
                throw new BadData(file, "the pickle holds a name of over 200 letters");
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

    /** A little-endian whole number; beyond 64 bits only its bytes matter (the legacy format's magic number). */
    private Object whole(int length) {
        byte[] b = new byte[length];
        in.get(b);
        if (length > 8) {
            return Arrays.toString(b);
        }
        long value = 0;
        for (int i = length - 1; i >= 0; i--) {
            value = value << 8 | (b[i] & 0xff);
        }
        return length > 0 && length < 8 ? value << (64 - 8 * length) >> (64 - 8 * length) : value;
    }
}
