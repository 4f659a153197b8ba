package lab.recall.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.DoubleUnaryOperator;
import lab.recall.base.BadRequest;
import lab.recall.base.Said;

/**
 * A named array of a checkpoint: a view of mapped file memory, of any size.
 *
 * <pre>{@code
 * Tensor w = checkpoint.tensor("backbone.norm_f.weight");
 * w.floats()                                                 // all of it, as f32
 * w.read(row * width, buffer, 0, width)                      // a part of it
 * Tensor.of("W", values, 32, 32)                             // one of our own, for writing
 * }</pre>
 *
 * Row-major. Reading converts all that is not F32 to it, and whole numbers too; a format that is not read here
 * ({@link DType#isRead}) is refused only then. Safe for several threads.
 */
public final class Tensor {
    private static final int BLOCK = 4096;
    private static final float[] E4M3 = new float[256];

    static {
        for (int bits = 0; bits < E4M3.length; bits++) {
            E4M3[bits] = e4m3(bits);
        }
    }

    private final String name;
    private final DType dtype;
    /** The format as the file names it. */
    private final String format;
    private final long[] shape;
    private final long size;
    private final Content bytes;
    private final long from;
    private final long length;

    private Tensor(String name, DType dtype, String format, long[] shape, Content bytes, long from, long length) {
        this.name = name;
        this.dtype = dtype;
        this.format = format;
        this.shape = shape.clone();
        this.size = Arrays.stream(shape).reduce(1, Math::multiplyExact);
        this.bytes = bytes;
        this.from = from;
        this.length = length;
    }

    Tensor(String name, DType dtype, long[] shape, Content bytes, long from) {
        this(name, dtype, dtype.name(), shape, bytes, from,
                Math.multiplyExact(Arrays.stream(shape).reduce(1, Math::multiplyExact), dtype.bytes()));
    }

    /** One whose format is not known here: so many bytes that are copied and not read. */
    static Tensor unread(String name, String format, long[] shape, Bytes bytes, long from, long length) {
        return new Tensor(name, DType.OTHER, format, shape, bytes, from, length);
    }

    /** An F32 tensor of these numbers. */
    public static Tensor of(String name, float[] values, long... shape) {
        ByteBuffer b = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        b.asFloatBuffer().put(values);
        return new Tensor(name, DType.F32, shape, Bytes.of(b.array()), 0).filled(values.length);
    }

    /** An F64 tensor of these numbers. */
    public static Tensor of(String name, double[] values, long... shape) {
        ByteBuffer b = ByteBuffer.allocate(Math.multiplyExact(values.length, Double.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        b.asDoubleBuffer().put(values);
        return new Tensor(name, DType.F64, shape, Bytes.of(b.array()), 0).filled(values.length);
    }

    /** An I64 tensor of these numbers. */
    public static Tensor of(String name, long[] values, long... shape) {
        ByteBuffer b = ByteBuffer.allocate(Math.multiplyExact(values.length, Long.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        b.asLongBuffer().put(values);
        return new Tensor(name, DType.I64, shape, Bytes.of(b.array()), 0).filled(values.length);
    }

    /**
     * A tensor of these numbers, rounded to the nearest of a floating format that they are stored in.
     *
     * @throws BadRequest when they are not as many as the sizes say
     */
    public static Tensor of(String name, DType dtype, float[] values, long... shape) {
        if (dtype != DType.BF16 && dtype != DType.F16) {
            return of(name, values, shape);
        }
        ByteBuffer b = ByteBuffer.allocate(Math.multiplyExact(values.length, Short.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        for (float v : values) {
            b.putShort(dtype == DType.BF16 ? Rounding.bf16(v) : Rounding.f16(v));
        }
        return new Tensor(name, dtype, shape, Bytes.of(b.array()), 0).filled(values.length);
    }

    /** The same as F32, converted as it is read. */
    public Tensor widened() {
        return dtype == DType.F32 ? this : mapped(v -> v);
    }

    private Tensor filled(long numbers) {
        if (numbers != size) {
            throw new BadRequest("", said() + " has " + numbers + " numbers, its shape " + Arrays.toString(shape) + " needs " + size);
        }
        return this;
    }

    /** Its name in the checkpoint. */
    public String name() {
        return name;
    }

    /** How its numbers are stored. */
    public DType dtype() {
        return dtype;
    }

    /** The same as its file names it, also where that is {@link DType#OTHER} here. */
    public String format() {
        return format;
    }

    /** Sizes, outermost first; empty for a single number. */
    public long[] shape() {
        return shape.clone();
    }

    /** Number of numbers. */
    public long size() {
        return size;
    }

    /** The same numbers under another name. */
    public Tensor named(String other) {
        return new Tensor(other, dtype, format, shape, bytes, from, length);
    }

    /**
     * The same numbers with other sizes.
     *
     * @throws BadRequest when these ask for another count of numbers
     */
    public Tensor shaped(long... sizes) {
        return new Tensor(name, dtype, sizes, bytes, from).filled(size);
    }

    /**
     * The same rows, parts of the outermost size, in another order: row r is what was row {@code order[r]}.
     *
     * @throws BadRequest when there are not as many rows
     */
    public Tensor rows(int[] order) {
        if (shape.length == 0 || shape[0] != order.length) {
            throw new BadRequest("", "'" + name + "' has the shape " + Arrays.toString(shape) + ", not " + order.length + " rows");
        }
        return new Tensor(name, dtype, shape, bytes.rows(from, size / Math.max(1, order.length) * dtype.bytes(), order.clone()), 0);
    }

    /**
     * [rows, columns] as [columns, rows]; all of it is read when a part of it is.
     *
     * @throws BadRequest when it has not two dimensions
     */
    public Tensor transposed() {
        if (shape.length != 2) {
            throw new BadRequest("", "'" + name + "' has the shape " + Arrays.toString(shape) + ", not two dimensions");
        }
        return new Tensor(name, dtype, new long[] {shape[1], shape[0]}, new Transposed(this), 0);
    }

    private record Transposed(Tensor of) implements Content {
        @Override
        public void forEach(long first, long count, int width, Consumer<ByteBuffer> reader) {
            int each = of.dtype.bytes();
            int rows = (int) of.shape[0];
            int columns = (int) of.shape[1];
            ByteBuffer stored = ByteBuffer.allocate(Math.multiplyExact(of.whole(), each));
            of.raw(0, of.size, stored::put);
            byte[] turned = new byte[(int) count];
            for (int i = 0; i < turned.length; i += each) {
                int at = (int) ((first + i) / each);
                System.arraycopy(stored.array(), (at % rows * columns + at / rows) * each, turned, i, each);
            }
            reader.accept(ByteBuffer.wrap(turned).order(ByteOrder.LITTLE_ENDIAN));
        }
    }

    /** As f32, each number put through a function when it is read. */
    public Tensor mapped(DoubleUnaryOperator function) {
        return new Tensor(name, DType.F32, shape, new Mapped(this, function), 0);
    }

    private record Mapped(Tensor of, DoubleUnaryOperator function) implements Content {
        @Override
        public void forEach(long first, long count, int width, Consumer<ByteBuffer> reader) {
            float[] some = new float[(int) Math.min(BLOCK, count / Float.BYTES)];
            for (long at = first / Float.BYTES; at < (first + count) / Float.BYTES; at += some.length) {
                int n = (int) Math.min(some.length, (first + count) / Float.BYTES - at);
                of.read(at, some, 0, n);
                ByteBuffer piece = ByteBuffer.allocate(n * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                for (int i = 0; i < n; i++) {
                    piece.putFloat((float) function.applyAsDouble(some[i]));
                }
                reader.accept(piece.flip());
            }
        }
    }

    /**
     * Copies {@code count} numbers from index {@code first} on, as f32.
     *
     * @throws BadRequest when its format is not read, or it is not so long
     */
    public void read(long first, float[] to, int at, int count) {
        requireRead();
        range(first, count);
        int[] next = {at};
        raw(first, count, b -> {
            int n = b.remaining() / dtype.bytes();
            int start = next[0];
            switch (dtype) {
                case F32 -> b.asFloatBuffer().get(to, start, n);
                case BF16, F16 -> halves(b.asShortBuffer(), to, start);
                default -> {
                    for (int i = 0; i < n; i++) {
                        to[start + i] = (float) number(b, i);
                    }
                }
            }
            next[0] += n;
        });
    }

    /** By way of an array: reading a buffer number by number is slow until it is compiled. */
    private void halves(ShortBuffer from, float[] to, int at) {
        short[] bits = new short[Math.min(BLOCK, from.remaining())];
        int next = at;
        while (from.hasRemaining()) {
            int count = Math.min(bits.length, from.remaining());
            from.get(bits, 0, count);
            for (int i = 0; i < count; i++) {
                to[next + i] = dtype == DType.BF16 ? Float.intBitsToFloat(bits[i] << 16) : half(bits[i]);
            }
            next += count;
        }
    }

    /**
     * Copies the bits of {@code count} F16 or BF16 numbers.
     *
     * @throws BadRequest when it is of another type or not so long
     */
    public void readHalf(long first, short[] to, int at, int count) {
        if (dtype != DType.F16 && dtype != DType.BF16) {
            throw new BadRequest("", said() + " is " + format + ", not F16 or BF16");
        }
        range(first, count);
        int[] next = {at};
        raw(first, count, b -> {
            int n = b.remaining() / 2;
            b.asShortBuffer().get(to, next[0], n);
            next[0] += n;
        });
    }

    /**
     * All numbers as f32; at most 2^31 - 1.
     *
     * @throws BadRequest when its format is not read, or it has more numbers than an array
     */
    public float[] floats() {
        float[] all = new float[whole()];
        read(0, all, 0, all.length);
        return all;
    }

    /**
     * All numbers as f64.
     *
     * @throws BadRequest when its format is not read, or it has more numbers than an array
     */
    public double[] doubles() {
        requireRead();
        double[] all = new double[whole()];
        int[] next = {0};
        raw(0, all.length, b -> {
            for (int i = 0; i < b.remaining() / dtype.bytes(); i++) {
                all[next[0]++] = number(b, i);
            }
        });
        return all;
    }

    /**
     * All numbers as whole numbers; only for whole-number types.
     *
     * @throws BadRequest when it is of another type or has more numbers than an array
     */
    public long[] longs() {
        requireRead();
        if (dtype.isFloating()) {
            throw new BadRequest("", said() + " is " + format + ", not a whole-number type");
        }
        long[] all = new long[whole()];
        int[] next = {0};
        raw(0, all.length, b -> {
            for (int i = 0; i < b.remaining() / dtype.bytes(); i++) {
                all[next[0]++] = dtype == DType.I64 ? b.getLong(8 * i) : (long) number(b, i);
            }
        });
        return all;
    }

    /** Stored bytes of some numbers, piece by piece. */
    private void raw(long first, long count, Consumer<ByteBuffer> reader) {
        bytes.forEach(from + first * dtype.bytes(), count * dtype.bytes(), dtype.bytes(), reader);
    }

    /** All of its stored bytes, piece by piece, in any format. */
    void raw(Consumer<ByteBuffer> reader) {
        bytes.forEach(from, length, 1, reader);
    }

    /** How many stored bytes it has. */
    public long bytes() {
        return length;
    }

    private void requireRead() {
        if (!dtype.isRead()) {
            throw new BadRequest("", said() + " is " + Said.of(format) + ", which is not read here; known are " + DType.known());
        }
    }

    private String said() {
        return "'" + Said.of(name) + "'";
    }

    private double number(ByteBuffer b, int i) {
        return switch (dtype) {
            case F64 -> b.getDouble(8 * i);
            case F32 -> b.getFloat(4 * i);
            case BF16 -> Float.intBitsToFloat(b.getShort(2 * i) << 16);
            case F16 -> half(b.getShort(2 * i));
            case F8_E4M3 -> E4M3[b.get(i) & 0xff];
            case F8_E5M2 -> half((short) (b.get(i) << 8));
            case I64 -> b.getLong(8 * i);
            case I32 -> b.getInt(4 * i);
            case I16 -> b.getShort(2 * i);
            case I8 -> b.get(i);
            case U64 -> unsigned(b.getLong(8 * i));
            case U32 -> b.getInt(4 * i) & 0xffffffffL;
            case U16 -> b.getShort(2 * i) & 0xffff;
            case U8, BOOL -> b.get(i) & 0xff;
            case C64, C128, OTHER -> throw new IllegalStateException();
        };
    }

    private static double unsigned(long bits) {
        return bits >= 0 ? bits : (bits >>> 1 | bits & 1) * 2.0;        // the last bit stays for rounding
    }

    /** E4M3FN: bias 7; all ones is no number, and nothing is infinite. */
    private static float e4m3(int bits) {
        int exponent = bits >> 3 & 15;
        int mantissa = bits & 7;
        float size = exponent == 0 ? mantissa * 0x1p-9f
                : exponent == 15 && mantissa == 7 ? Float.NaN : (8 + mantissa) * (float) Math.scalb(1.0, exponent - 10);
        return (bits & 0x80) == 0 ? size : -size;
    }

    /** IEEE half to float, exactly, without the intrinsic that Java has only from 20 on. */
    static float half(short bits) {
        int sign = (bits & 0x8000) << 16;
        int rest = (bits & 0x7fff) << 13;
        if ((bits & 0x7c00) == 0x7c00) {
            return Float.intBitsToFloat(sign | 0x7f800000 | (rest & 0x007fffff));
        }
        return Float.intBitsToFloat(sign | Float.floatToRawIntBits(Float.intBitsToFloat(rest) * 0x1p112f));
    }

    private int whole() {
        if (size > Integer.MAX_VALUE - 8) {
            throw new BadRequest("", said() + " has " + size + " numbers, too many for one array: read it in parts");
        }
        return (int) size;
    }

    private void range(long first, int count) {
        if (first < 0 || count < 0 || first + count > size) {
            throw new BadRequest("", said() + " has " + size + " numbers; asked for " + count + " from " + first + " on");
        }
    }

    @Override
    public String toString() {
        return Said.of(name) + " " + Said.of(format) + Arrays.toString(shape);
    }
}
