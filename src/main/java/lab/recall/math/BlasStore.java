package lab.recall.math;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * Weights for the BLAS that ND4J brings, where the Vector API is absent. Half-size weights are widened a block of outputs at a time.
 *
 * <p>Only {@code openblas_nolapack} may be touched: its sibling {@code openblas} would load a second library with clashing symbols.
 */
final class BlasStore implements PackedMatrix.Store {
    private static final int BLOCK = 1024;

    private final int outputs;
    private final int inputs;
    private final PackedMatrix.Storage storage;
    private final FloatPointer floats;
    private final short[] halves;

    private BlasStore(int outputs, int inputs, PackedMatrix.Storage storage, FloatPointer floats, short[] halves) {
        this.outputs = outputs;
        this.inputs = inputs;
        this.storage = storage;
        this.floats = floats;
        this.halves = halves;
    }

    static BlasStore f32(int outputs, int inputs, PackedMatrix.Rows rows) {
        FloatPointer all = new FloatPointer((long) outputs * inputs);
        float[] row = new float[inputs];
        for (int o = 0; o < outputs; o++) {
            rows.copyRow(o, row, 0);
            all.position((long) o * inputs).put(row);
        }
        return new BlasStore(outputs, inputs, PackedMatrix.Storage.F32, all.position(0), null);
    }

    static BlasStore half(PackedMatrix.Storage storage, int outputs, int inputs, PackedMatrix.HalfRows rows) {
        short[] all = new short[Math.multiplyExact(outputs, inputs)];
        short[] row = new short[inputs];
        for (int o = 0; o < outputs; o++) {
            rows.copyRow(o, row, 0);
            PackedMatrix.requireFinite(storage, row, 0, inputs, o);
            System.arraycopy(row, 0, all, o * inputs, inputs);
        }
        return new BlasStore(outputs, inputs, storage, null, all);
    }

    @Override
    public void copyRow(int row, float[] to, int at) {
        if (floats != null) {
            new FloatPointer(floats).position((long) row * inputs).get(to, at, inputs);
            return;
        }
        for (int k = 0; k < inputs; k++) {
            to[at + k] = PackedMatrix.widen(storage, halves[row * inputs + k] & 0xffff);
        }
    }

    @Override
    public void set(float[] weights, int[] order) {
        for (int o = 0; o < outputs; o++) {
            new FloatPointer(floats).position((long) o * inputs).put(weights, (order == null ? o : order[o]) * inputs, inputs);
        }
    }

    @Override
    public PackedMatrix.Store transposed() {
        return new Transposed(this);
    }

    @Override
    public void multiply(float[] x, int xAt, int xStride, int rows, float[] bias, boolean add, float[] y, int yAt, int yStride) {
        multiply(x, xAt, xStride, rows, bias, add, y, yAt, yStride, false);
    }

    /** y = x W', or with {@code turned} y = x W. */
    private void multiply(float[] x, int xAt, int xStride, int rows, float[] bias, boolean add, float[] y, int yAt, int yStride,
            boolean turned) {
        int depth = turned ? outputs : inputs;
        int width = turned ? inputs : outputs;
        float[] row = new float[width];
        try (FloatPointer in = new FloatPointer((long) rows * depth); FloatPointer out = new FloatPointer((long) rows * width)) {
            for (int r = 0; r < rows; r++) {
                in.position((long) r * depth).put(x, xAt + r * xStride, depth);
            }
            in.position(0);
            if (floats != null) {
                product(rows, 0, outputs, in, floats, out, turned);
            } else {
                float[] wide = new float[Math.min(BLOCK, outputs) * inputs];
                try (FloatPointer weights = new FloatPointer(wide.length)) {
                    for (int o = 0; o < outputs; o += BLOCK) {
                        int count = Math.min(BLOCK, outputs - o);
                        for (int i = 0; i < count; i++) {
                            copyRow(o + i, wide, i * inputs);
                        }
                        weights.put(wide, 0, count * inputs);
                        product(rows, o, count, in, weights, out, turned);
                    }
                }
            }
            for (int r = 0; r < rows; r++) {
                out.position((long) r * width).get(row, 0, width);
                if (bias != null) {
                    Elementwise.add(bias, 0, row, 0, width);
                }
                if (add) {
                    Elementwise.add(row, 0, y, yAt + r * yStride, width);
                } else {
                    System.arraycopy(row, 0, y, yAt + r * yStride, width);
                }
            }
        }
    }

    /** With some of the outputs, whose weights these are. */
    private void product(int rows, int first, int count, FloatPointer in, FloatPointer weights, FloatPointer out, boolean turned) {
        if (turned) {
            openblas_nolapack.cblas_sgemm(openblas_nolapack.CblasRowMajor, openblas_nolapack.CblasNoTrans, openblas_nolapack.CblasNoTrans,
                    rows, inputs, count, 1f, in.position(first), outputs, weights, inputs, first == 0 ? 0f : 1f, out.position(0), inputs);
        } else {
            openblas_nolapack.cblas_sgemm(openblas_nolapack.CblasRowMajor, openblas_nolapack.CblasNoTrans, openblas_nolapack.CblasTrans,
                    rows, count, inputs, 1f, in.position(0), inputs, weights, inputs, 0f, out.position(first), outputs);
        }
    }

    /** Products with W. */
    private record Transposed(BlasStore weights) implements PackedMatrix.Store {
        @Override
        public void multiply(float[] x, int xAt, int xStride, int rows, float[] bias, boolean add, float[] y, int yAt, int yStride) {
            weights.multiply(x, xAt, xStride, rows, bias, add, y, yAt, yStride, true);
        }

        @Override
        public void copyRow(int row, float[] to, int at) {
            float[] output = new float[weights.inputs];
            for (int o = 0; o < weights.outputs; o++) {
                weights.copyRow(o, output, 0);
                to[at + o] = output[row];
            }
        }

        @Override
        public void set(float[] other, int[] order) {
            throw new IllegalStateException("the weights are those of another matrix, which is set");
        }

        @Override
        public PackedMatrix.Store transposed() {
            return weights;
        }
    }
}
