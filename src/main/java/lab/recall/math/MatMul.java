package lab.recall.math;

import java.util.Arrays;

/**
 * Products of matrices that are not worth keeping packed, as attention and the gradients of weights have them.
 *
 * <pre>{@code
 * MatMul.addOuter(dY, 0, outputs, x, 0, inputs, rows, outputs, inputs, dW);      // dW += dY' x
 *
 * float[] right = new float[MatMul.rightSize(depth, width)];
 * MatMul.packRight(m, 0, width, 0, depth, depth, width, right, 0);
 * MatMul.multiply(a, 0, depth, rows, depth, right, 0, depth, width, c, 0, width); // c = a m, m packed once for many a
 * }</pre>
 *
 * Each element is one chain of fused multiply-adds in the order of the summed index, so the result depends neither on threads nor on lanes.
 */
public final class MatMul {
    /** Columns of a that one thread takes at a time. */
    private static final int RANGE = 24;
    private static final long SPLIT = 200_000;
    private static final Scratch RIGHT = new Scratch();

    private MatMul() {
    }

    /** How many numbers a packed right-hand matrix has. */
    static int rightSize(int depth, int width) {
        return Simd.present() ? Tiles.panelled(width, depth) : depth * width;
    }

    /** Packs rows {@code first .. first + rows} of a right-hand matrix [depth, width] from rows with a stride. */
    static void packRight(float[] m, int at, int stride, int first, int rows, int depth, int width, float[] right, int rightAt) {
        if (Simd.present()) {
            Tiles.packPanels(m, at, stride, first, rows, depth, width, right, rightAt);
            return;
        }
        for (int k = 0; k < rows; k++) {
            System.arraycopy(m, at + k * stride, right, rightAt + (first + k) * width, width);
        }
    }

    /**
     * Packs columns {@code first .. first + columns} of a right-hand matrix [depth, width], each from {@code depth} numbers in a row of m.
     */
    static void packRightColumns(float[] m, int at, int stride, int first, int columns, int depth, int width, float[] right, int rightAt) {
        if (Simd.present()) {
            Tiles.packPanelColumns(m, at, stride, first, columns, depth, width, right, rightAt);
            return;
        }
        for (int c = 0; c < columns; c++) {
            for (int k = 0; k < depth; k++) {
                right[rightAt + k * width + first + c] = m[at + c * stride + k];
            }
        }
    }

    /**
     * c[r, j] = sum over k of a[r, k] m[k, j] for the first {@code depth} rows and {@code columns} columns of a packed m. In the calling
     * thread.
     *
     * @param rightDepth, width of m as it was packed
     */
    static void multiply(float[] a, int aAt, int aStride, int rows, int depth,
            float[] right, int rightAt, int rightDepth, int width, int columns, float[] c, int cAt, int cStride) {
        if (Simd.available()) {
            Packed.multiply(a, aAt, aStride, rows, depth, right, rightAt, rightDepth, width, columns, c, cAt, cStride);
            return;
        }
        for (int r = 0; r < rows; r++) {
            panels(a, aAt + r * aStride, 1, depth, right, rightAt, 0, rightDepth, width, columns, c, cAt + r * cStride, false);
        }
    }

    /** c[m, n] += sum over rows of a[r, m] b[r, n]; a and b have row strides, c is contiguous. */
    public static void addOuter(float[] a, int aAt, int aStride, float[] b, int bAt, int bStride, int rows, int m, int n, float[] c) {
        float[] right = RIGHT.floats(rightSize(rows, n));
        packRight(b, bAt, bStride, 0, rows, rows, n, right, 0);
        Parallel.ranges(m, (long) rows * m * n < SPLIT ? m : RANGE,
                (from, to) -> outer(a, aAt + from, aStride, to - from, rows, right, 0, 0, rows, n, c, from * n, n, true));
    }

    /**
     * c[i, j] = sum over k of a[k, i] m[first + k, j], for {@code depth} rows of a packed m. In the calling thread.
     *
     * @param resume whether the sums are added to what c holds
     */
    static void outer(float[] a, int aAt, int aStride, int m, int depth,
            float[] right, int rightAt, int first, int rightDepth, int width, float[] c, int cAt, int cStride, boolean resume) {
        if (Simd.available()) {
            Packed.outer(a, aAt, aStride, m, depth, right, rightAt, first, rightDepth, width, c, cAt, cStride, resume);
            return;
        }
        for (int i = 0; i < m; i++) {
            panels(a, aAt + i, aStride, depth, right, rightAt, first, rightDepth, width, width, c, cAt + i * cStride, resume);
        }
    }

    /** One row of c in scalars, from a right-hand matrix as it was packed. */
    private static void panels(float[] a, int aAt, int aStep, int depth,
            float[] right, int rightAt, int first, int rightDepth, int width, int columns, float[] c, int cAt, boolean resume) {
        if (!Simd.present()) {
            chains(a, aAt, aStep, depth, right, rightAt + first * width, width, c, cAt, columns, resume);
            return;
        }
        for (int j = 0; j < columns; j += Tiles.WIDE) {
            int wide = Tiles.vectors(Math.min(Tiles.WIDE, width - j)) * Tiles.LANES;
            chains(a, aAt, aStep, depth, right, rightAt + j * rightDepth + first * wide, wide,
                    c, cAt + j, Math.min(Tiles.WIDE, columns - j), resume);
        }
    }

    /** Some columns of a row of c. */
    private static void chains(float[] a, int aAt, int aStep, int depth, float[] m, int mAt, int mStride,
            float[] c, int cAt, int columns, boolean resume) {
        if (!resume) {
            Arrays.fill(c, cAt, cAt + columns, 0f);
        }
        for (int k = 0; k < depth; k++) {
            float x = a[aAt + k * aStep];
            for (int j = 0; j < columns; j++) {
                c[cAt + j] = Math.fma(x, m[mAt + k * mStride + j], c[cAt + j]);
            }
        }
    }

    /** By register tiles; loaded only where the Vector API is. */
    private static final class Packed {
        private static final Scratch LEFT = new Scratch();
        private static final Scratch ACCUMULATORS = new Scratch();

        static void multiply(float[] a, int aAt, int aStride, int rows, int depth, float[] right, int rightAt, int rightDepth, int width,
                int columns, float[] c, int cAt, int cStride) {
            float[] x = LEFT.floats(Tiles.packedSize(rows, depth));
            Tiles.packRows(a, aAt, aStride, rows, depth, x, 0);
            product(x, rows, depth, right, rightAt, 0, rightDepth, width, columns, c, cAt, cStride, false);
        }

        static void outer(float[] a, int aAt, int aStride, int m, int depth,
                float[] right, int rightAt, int first, int rightDepth, int width, float[] c, int cAt, int cStride, boolean resume) {
            float[] x = LEFT.floats(Tiles.packedSize(m, depth));
            Tiles.packColumns(a, aAt, aStride, m, depth, x, 0);
            product(x, m, depth, right, rightAt, first, rightDepth, width, width, c, cAt, cStride, resume);
        }

        private static void product(float[] x, int rows, int depth, float[] right, int rightAt, int first, int rightDepth, int width,
                int columns, float[] c, int cAt, int cStride, boolean resume) {
            float[] acc = ACCUMULATORS.floats(Tiles.padded(rows) * Tiles.WIDE);
            for (int j = 0; j < columns; j += Tiles.WIDE) {
                int count = Math.min(Tiles.WIDE, columns - j);
                int vectors = Tiles.vectors(Math.min(Tiles.WIDE, width - j));
                int wide = vectors * Tiles.LANES;
                if (resume) {
                    Tiles.load(acc, 0, wide, rows, count, c, cAt + j, cStride);
                }
                Tiles.panel(PackedMatrix.Storage.F32, vectors, right, null, rightAt + j * rightDepth + first * wide,
                        x, 0, rows, depth, acc, 0, resume);
                Tiles.store(acc, 0, wide, rows, count, null, 0, false, c, cAt + j, cStride);
            }
        }
    }
}
