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
            PackedMatrix.requireFinite(storage, row, o);
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
    public void setRow(int row, float[] from, int at, int step) {
        float[] values = new float[inputs];
        for (int k = 0; k < inputs; k++) {
            values[k] = from[at + k * step];
        }
        new FloatPointer(floats).position((long) row * inputs).put(values);
    }

    @Override
    public void multiply(float[] x, int xAt, int xStride, int rows, float[] bias, boolean add, float[] y, int yAt, int yStride) {
        float[] row = new float[outputs];
        try (FloatPointer in = new FloatPointer((long) rows * inputs); FloatPointer out = new FloatPointer((long) rows * outputs)) {
            for (int r = 0; r < rows; r++) {
                in.position((long) r * inputs).put(x, xAt + r * xStride, inputs);
            }
            in.position(0);
            if (floats != null) {
                product(rows, outputs, in, floats, out);
            } else {
                float[] wide = new float[Math.min(BLOCK, outputs) * inputs];
                try (FloatPointer weights = new FloatPointer(wide.length)) {
                    for (int o = 0; o < outputs; o += BLOCK) {
                        int count = Math.min(BLOCK, outputs - o);
                        for (int i = 0; i < count; i++) {
                            copyRow(o + i, wide, i * inputs);
                        }
                        weights.put(wide, 0, count * inputs);
                        product(rows, count, in, weights, out.position(o));
                    }
                    out.position(0);
                }
            }
            for (int r = 0; r < rows; r++) {
                out.position((long) r * outputs).get(row, 0, outputs);
                if (bias != null) {
                    Elementwise.add(bias, 0, row, 0, outputs);
                }
                if (add) {
                    Elementwise.add(row, 0, y, yAt + r * yStride, outputs);
                } else {
                    System.arraycopy(row, 0, y, yAt + r * yStride, outputs);
                }
            }
        }
    }

    private void product(int rows, int columns, FloatPointer in, FloatPointer weights, FloatPointer out) {
        openblas_nolapack.cblas_sgemm(openblas_nolapack.CblasRowMajor, openblas_nolapack.CblasNoTrans, openblas_nolapack.CblasTrans,
                rows, columns, inputs, 1f, in, inputs, weights, inputs, 0f, out, outputs);
    }
}
