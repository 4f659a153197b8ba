package lab.recall.math;

import jdk.incubator.vector.FloatVector;

/**
 * Sums of outer products, for the gradients of weights.
 *
 * <pre>{@code
 * MatMul.addOuter(dY, 0, outputs, x, 0, inputs, rows, outputs, inputs, dW);      // dW += dY' x
 * }</pre>
 *
 * Each element is one chain of fused multiply-adds over the rows in order, so the result depends neither on threads nor on lanes.
 */
public final class MatMul {
    /** Columns of a that one thread takes at a time. */
    private static final int RANGE = 24;
    private static final long SPLIT = 200_000;

    private MatMul() {
    }

    /** c[m, n] += sum over rows of a[r, m] b[r, n]; a and b have row strides, c is contiguous. */
    public static void addOuter(float[] a, int aAt, int aStride, float[] b, int bAt, int bStride, int rows, int m, int n, float[] c) {
        int range = (long) rows * m * n < SPLIT ? m : RANGE;
        float[] panels = Simd.available() ? Tiles.pack(b, bAt, bStride, rows, n) : null;
        Parallel.forEach((m + range - 1) / range, item -> {
            int from = item * range;
            int to = Math.min(m, from + range);
            if (panels != null) {
                Tiles.addOuter(a, aAt, aStride, panels, rows, from, to, n, c);
                return;
            }
            for (int i = from; i < to; i++) {
                for (int r = 0; r < rows; r++) {
                    addScaled(a[aAt + r * aStride + i], b, bAt + r * bStride, c, i * n, n);
                }
            }
        });
    }

    private static void addScaled(float a, float[] b, int bAt, float[] c, int cAt, int n) {
        for (int j = 0; j < n; j++) {
            c[cAt + j] = Math.fma(a, b[bAt + j], c[cAt + j]);
        }
    }

    /** The register tiles of the matrix product, with the rows as their depth; loaded only where the Vector API is. */
    private static final class Tiles {
        private static final int LANES = FloatVector.SPECIES_PREFERRED.length();
        private static final int VECTORS = LANES == 16 ? 4 : 2;
        private static final int TILE_ROWS = LANES == 16 ? 6 : 4;
        private static final int WIDE = VECTORS * LANES;
        private static final int NARROW = 2 * LANES;
        private static final Scratch PANELS = new Scratch();
        private static final Scratch SIDE = new Scratch();
        private static final Scratch EDGE = new Scratch();

        /** Panels of WIDE columns, the last one as narrow as it can be: panel, then row, then column; zeros behind the last column. */
        static float[] pack(float[] b, int bAt, int bStride, int rows, int n) {
            float[] packed = PANELS.floats(rows * (n / WIDE * WIDE + width(n % WIDE)));
            int at = 0;
            for (int first = 0; first < n; first += WIDE) {
                int width = width(Math.min(WIDE, n - first));
                int columns = Math.min(width, n - first);
                for (int r = 0; r < rows; r++) {
                    System.arraycopy(b, bAt + r * bStride + first, packed, at, columns);
                    for (int j = columns; j < width; j++) {
                        packed[at + j] = 0f;
                    }
                    at += width;
                }
            }
            return packed;
        }

        private static int width(int columns) {
            return columns == 0 ? 0 : columns <= NARROW ? NARROW : WIDE;
        }

        /** Rows {@code from .. to} of c, which are columns of a. */
        static void addOuter(float[] a, int aAt, int aStride, float[] panels, int rows, int from, int to, int n, float[] c) {
            float[] side = SIDE.floats(rows * TILE_ROWS);
            for (int i = from; i < to; i += TILE_ROWS) {
                int count = Math.min(TILE_ROWS, to - i);
                for (int r = 0; r < rows; r++) {
                    for (int k = 0; k < count; k++) {
                        side[r * count + k] = a[aAt + r * aStride + i + k];
                    }
                }
                for (int first = 0; first < n; first += WIDE) {
                    int width = width(Math.min(WIDE, n - first));
                    if (first + width <= n) {
                        run(width, count, side, panels, first * rows, rows, c, i * n + first, n);
                    } else {
                        edge(width, n - first, count, side, panels, first * rows, rows, c, i * n + first, n);
                    }
                }
            }
        }

        /** The last columns, which do not fill their vectors. */
        private static void edge(int width, int columns, int count, float[] side, float[] panels, int panelAt, int rows, float[] c, int cAt, int n) {
            float[] tile = EDGE.floats(TILE_ROWS * WIDE);
            for (int k = 0; k < count; k++) {
                System.arraycopy(c, cAt + k * n, tile, k * width, columns);
            }
            run(width, count, side, panels, panelAt, rows, tile, 0, width);
            for (int k = 0; k < count; k++) {
                System.arraycopy(tile, k * width, c, cAt + k * n, columns);
            }
        }

        private static void run(int width, int count, float[] side, float[] panels, int panelAt, int rows, float[] c, int cAt, int cStride) {
            if (width == 2 * LANES) {
                TileF32x2.run(count, side, 0, panels, panelAt, rows, c, cAt, cStride, true);
            } else {
                TileF32x4.run(count, side, 0, panels, panelAt, rows, c, cAt, cStride, true);
            }
        }
    }
}
