package lab.recall.math;

import java.util.Arrays;

/**
 * Products of matrices that are used once, as attention and the gradients of weights have them: not worth packing.
 *
 * <pre>{@code
 * MatMul.multiply(a, 0, depth, rows, depth, m, 0, width, c, 0, width, width);    // c = a m
 * MatMul.outer(a, 0, rows, m, 0, width, depth, rows, width, c, 0, width);        // c = a' m
 * MatMul.addOuter(dY, 0, outputs, x, 0, inputs, rows, outputs, inputs, dW);      // dW += dY' x
 * }</pre>
 *
 * Each element is one chain of fused multiply-adds in the order of the summed index, so the result depends neither on threads nor on lanes.
 */
public final class MatMul {
    /** Columns of a that one thread takes at a time. */
    private static final int RANGE = 24;
    private static final long SPLIT = 200_000;

    private MatMul() {
    }

    /** c[r, j] = sum over k of a[r, k] m[k, j]; all with row strides. In the calling thread. */
    static void multiply(float[] a, int aAt, int aStride, int rows, int depth, float[] m, int mAt, int mStride, float[] c, int cAt, int cStride, int width) {
        if (Simd.available()) {
            Tiles.multiply(a, aAt, aStride, rows, depth, m, mAt, mStride, c, cAt, cStride, width);
            return;
        }
        for (int r = 0; r < rows; r++) {
            chains(a, aAt + r * aStride, 1, depth, m, mAt, mStride, c, cAt + r * cStride, 0, width, false);
        }
    }

    /** c[i, j] = sum over rows of a[r, i] b[r, j]; all with row strides. In the calling thread. */
    static void outer(float[] a, int aAt, int aStride, float[] b, int bAt, int bStride, int rows, int m, int n, float[] c, int cAt, int cStride) {
        outer(a, aAt, aStride, b, bAt, bStride, rows, m, n, c, cAt, cStride, false);
    }

    /** c[m, n] += sum over rows of a[r, m] b[r, n]; a and b have row strides, c is contiguous. */
    public static void addOuter(float[] a, int aAt, int aStride, float[] b, int bAt, int bStride, int rows, int m, int n, float[] c) {
        Parallel.ranges(m, (long) rows * m * n < SPLIT ? m : RANGE,
                (from, to) -> outer(a, aAt + from, aStride, b, bAt, bStride, rows, to - from, n, c, from * n, n, true));
    }

    private static void outer(float[] a, int aAt, int aStride, float[] b, int bAt, int bStride, int rows, int m, int n, float[] c, int cAt, int cStride,
            boolean resume) {
        if (Simd.available()) {
            Tiles.outer(a, aAt, aStride, b, bAt, bStride, rows, m, n, c, cAt, cStride, resume);
            return;
        }
        for (int i = 0; i < m; i++) {
            chains(a, aAt + i, aStride, rows, b, bAt, bStride, c, cAt + i * cStride, 0, n, resume);
        }
    }

    /** One row of c, columns {@code from .. to}. */
    private static void chains(float[] a, int aAt, int aStep, int depth, float[] m, int mAt, int mStride, float[] c, int cAt, int from, int to, boolean resume) {
        if (!resume) {
            Arrays.fill(c, cAt + from, cAt + to, 0f);
        }
        for (int k = 0; k < depth; k++) {
            float x = a[aAt + k * aStep];
            for (int j = from; j < to; j++) {
                c[cAt + j] = Math.fma(x, m[mAt + k * mStride + j], c[cAt + j]);
            }
        }
    }

    /** Register tiles over both operands where they lie; loaded only where the Vector API is. */
    private static final class Tiles {
        private static final int LANES = Panels.LANES;
        private static final int VECTORS = Panels.VECTORS;
        private static final int TILE_ROWS = Panels.TILE_ROWS;
        private static final Scratch EDGE = new Scratch();

        static void multiply(float[] a, int aAt, int aStride, int rows, int depth, float[] m, int mAt, int mStride, float[] c, int cAt, int cStride, int width) {
            for (int r = 0; r < rows; r += TILE_ROWS) {
                int count = Math.min(TILE_ROWS, rows - r);
                int x = aAt + r * aStride;
                int y = cAt + r * cStride;
                for (int j = 0, vectors; j <= width - LANES; j += vectors * LANES) {
                    vectors = vectors(width - j);
                    switch (vectors) {
                        case 4 -> RowTilex4.run(count, a, x, aStride, m, mAt + j, mStride, depth, c, y + j, cStride, false);
                        case 2 -> RowTilex2.run(count, a, x, aStride, m, mAt + j, mStride, depth, c, y + j, cStride, false);
                        default -> RowTilex1.run(count, a, x, aStride, m, mAt + j, mStride, depth, c, y + j, cStride, false);
                    }
                }
                int rest = width % LANES;
                if (rest > 0 && width > LANES) {        // the last vector overlaps the one before: the same numbers again
                    int j = width - LANES;
                    RowTilex1.run(count, a, x, aStride, m, mAt + j, mStride, depth, c, y + j, cStride, false);
                } else if (rest > 0) {
                    for (int i = 0; i < count; i++) {
                        chains(a, x + i * aStride, 1, depth, m, mAt, mStride, c, y + i * cStride, 0, width, false);
                    }
                }
            }
        }

        static void outer(float[] a, int aAt, int aStride, float[] b, int bAt, int bStride, int rows, int m, int n, float[] c, int cAt, int cStride,
                boolean resume) {
            for (int i = 0; i < m; i += TILE_ROWS) {
                int count = Math.min(TILE_ROWS, m - i);
                int y = cAt + i * cStride;
                for (int j = 0, vectors; j <= n - LANES; j += vectors * LANES) {
                    vectors = vectors(n - j);
                    switch (vectors) {
                        case 4 -> ColumnTilex4.run(count, a, aAt + i, aStride, b, bAt + j, bStride, rows, c, y + j, cStride, resume);
                        case 2 -> ColumnTilex2.run(count, a, aAt + i, aStride, b, bAt + j, bStride, rows, c, y + j, cStride, resume);
                        default -> ColumnTilex1.run(count, a, aAt + i, aStride, b, bAt + j, bStride, rows, c, y + j, cStride, resume);
                    }
                }
                int rest = n % LANES;
                if (rest > 0 && n > LANES) {
                    edge(count, rest, a, aAt + i, aStride, b, bAt + n - LANES, bStride, rows, c, y + n - LANES, cStride, resume);
                } else if (rest > 0) {
                    for (int k = 0; k < count; k++) {
                        chains(a, aAt + i + k, aStride, rows, b, bAt, bStride, c, y + k * cStride, 0, n, resume);
                    }
                }
            }
        }

        private static int vectors(int columns) {
            return columns >= VECTORS * LANES ? VECTORS : columns >= 2 * LANES ? 2 : 1;
        }

        /** The last {@code rest} columns by a vector that overlaps the one before, whose columns are done. */
        private static void edge(int count, int rest, float[] a, int aAt, int aStride, float[] b, int bAt, int bStride, int rows, float[] c, int cAt,
                int cStride, boolean resume) {
            float[] tile = EDGE.floats(TILE_ROWS * LANES);
            for (int k = 0; k < count; k++) {
                System.arraycopy(c, cAt + k * cStride, tile, k * LANES, LANES);
            }
            ColumnTilex1.run(count, a, aAt, aStride, b, bAt, bStride, rows, tile, 0, LANES, resume);
            for (int k = 0; k < count; k++) {
                System.arraycopy(tile, k * LANES + LANES - rest, c, cAt + k * cStride + LANES - rest, rest);
            }
        }
    }
}
