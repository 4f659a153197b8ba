package lab.recall.math;

import java.util.function.Supplier;
import lab.recall.base.BadRequest;

/**
 * The weights of a linear map, [outputs, inputs], packed once, at their first use, for products with a few to many rows.
 *
 * <pre>{@code
 * var w = PackedMatrix.of(weights, outputs, inputs);
 * w.multiply(x, 0, inputs, rows, y, 0, outputs);            // y = x W'
 * }</pre>
 *
 * Weights stay in memory as they are stored: f32, bf16 or f16; products are f32. With the Vector API every y[r, o] is one chain of fused
 * multiply-adds over the inputs in order, whatever the rows, tiles, lanes or threads: a row's result never depends on its neighbours.
 * Without it the BLAS of ND4J computes the same up to f32 rounding. Safe for several threads as long as nobody calls {@link #set}.
 */
public final class PackedMatrix {
    /** How the weights are kept. */
    public enum Storage {
        /** 32-bit. */
        F32,
        /** bfloat16, two in an int. */
        BF16,
        /** IEEE half, two in an int. */
        F16
    }

    /** Gives f32 rows, to several threads at once. */
    public interface Rows {
        /** Writes row {@code row} to {@code to} from index {@code at}. */
        void copyRow(int row, float[] to, int at);
    }

    /** Gives rows of raw 16-bit numbers, to several threads at once. */
    public interface HalfRows {
        /** Writes row {@code row} to {@code to} from index {@code at}. */
        void copyRow(int row, short[] to, int at);
    }

    /** What holds the weights. */
    interface Store {
        /** See {@link PackedMatrix#multiply}. */
        void multiply(float[] x, int xAt, int xStride, int rows, float[] bias, boolean add, float[] y, int yAt, int yStride);

        void copyRow(int row, float[] to, int at);

        /** See {@link PackedMatrix#set}. */
        void set(float[] weights, int[] order);

        /** What multiplies with W'; it has these weights also after they were set. */
        Store transposed();
    }

    private final int outputs;
    private final int inputs;
    private final Storage storage;
    private volatile Store store;
    /** Makes the store; null once it is there, so that the rows' source can be let go. */
    private Supplier<Store> packing;
    private PackedMatrix transposed;

    private PackedMatrix(int outputs, int inputs, Storage storage, Supplier<Store> packing) {
        this.outputs = outputs;
        this.inputs = inputs;
        this.storage = storage;
        this.packing = packing;
    }

    /** Packs f32 weights when they are first used; rows must stay the same until then. */
    public static PackedMatrix pack(int outputs, int inputs, Rows rows) {
        return new PackedMatrix(outputs, inputs, Storage.F32,
                () -> Simd.present() ? Panels.f32(outputs, inputs, rows) : BlasStore.f32(outputs, inputs, rows));
    }

    /** Packs bf16 or f16 weights, which keep their size; an infinity or NaN in f16 is refused then. */
    public static PackedMatrix packHalf(Storage storage, int outputs, int inputs, HalfRows rows) {
        if (storage == Storage.F32) {
            throw new IllegalArgumentException("half-size rows cannot be stored as F32; use pack");
        }
        return new PackedMatrix(outputs, inputs, storage,
                () -> Simd.present() ? Panels.half(storage, outputs, inputs, rows) : BlasStore.half(storage, outputs, inputs, rows));
    }

    private Store store() {
        Store packed = store;
        if (packed == null) {
            synchronized (this) {
                packed = store;
                if (packed == null) {
                    packed = packing.get();
                    store = packed;
                    packing = null;
                }
            }
        }
        return packed;
    }

    /** Packs a plain row-major matrix, at once. */
    public static PackedMatrix of(float[] weights, int outputs, int inputs) {
        if (weights.length != outputs * inputs) {
            throw new IllegalArgumentException("weights: " + weights.length + " numbers, expected " + outputs + " x " + inputs);
        }
        PackedMatrix packed = pack(outputs, inputs, (row, to, at) -> System.arraycopy(weights, row * inputs, to, at, inputs));
        packed.store();
        return packed;
    }

    /** Rows of W: numbers in a row of y. */
    public int outputs() {
        return outputs;
    }

    /** Columns of W: numbers in a row of x. */
    public int inputs() {
        return inputs;
    }

    /** How the weights are kept. */
    public Storage storage() {
        return storage;
    }

    /** y = x W', for rows with strides; y may not overlap x. */
    public void multiply(float[] x, int xAt, int xStride, int rows, float[] y, int yAt, int yStride) {
        multiply(x, xAt, xStride, rows, null, y, yAt, yStride);
    }

    /** y = x W' + bias; bias may be null. */
    public void multiply(float[] x, int xAt, int xStride, int rows, float[] bias, float[] y, int yAt, int yStride) {
        if (rows > 0) {
            store().multiply(x, xAt, xStride, rows, bias, false, y, yAt, yStride);
        }
    }

    /** y += x W' + bias, the bias added to the product first; it may be null. */
    public void addProduct(float[] x, int xAt, int xStride, int rows, float[] bias, float[] y, int yAt, int yStride) {
        if (rows > 0) {
            store().multiply(x, xAt, xStride, rows, bias, true, y, yAt, yStride);
        }
    }

    /** W', for products with gradients: dx = dy W. Half-size weights are read where they lie; those of f32 are turned once and kept. */
    public synchronized PackedMatrix transposed() {
        if (transposed == null) {
            Simd.warm();                // gradients are sums by lanes, not the same bits in the scalar form
            transposed = new PackedMatrix(inputs, outputs, storage, () -> store().transposed());
        }
        return transposed;
    }

    /**
     * Puts other f32 weights in the place of its own, for training; nobody may multiply meanwhile.
     *
     * @param order the row of {@code weights} that each row takes; null for its own
     */
    public synchronized void set(float[] weights, int[] order) {
        if (storage != Storage.F32 || weights.length != outputs * inputs) {
            throw new IllegalArgumentException("weights: " + weights.length
                    + " numbers for a " + storage + " matrix of " + outputs + " x " + inputs);
        }
        store().set(weights, order);
    }

    /** One row of W in f32. */
    public void copyRow(int row, float[] to, int at) {
        store().copyRow(row, to, at);
    }

    /** A bf16 or f16 number in f32, exactly. */
    static float widen(Storage storage, int bits) {
        if (storage == Storage.BF16) {
            return Float.intBitsToFloat(bits << 16);
        }
        return Float.intBitsToFloat((bits & 0x8000) << 16 | (bits & 0x7fff) << 13) * 0x1p112f;
    }

    /** Refuses f16 infinities and NaNs, which the widening would turn into numbers. */
    static void requireFinite(Storage storage, short[] row, int at, int inputs, int number) {
        if (storage == Storage.F16) {
            for (int i = 0; i < inputs; i++) {
                if ((row[at + i] & 0x7c00) == 0x7c00) {
                    throw new BadRequest("", "row " + number + ", column " + i + " of an F16 matrix is not finite");
                }
            }
        }
    }
}
