package lab.recall.math;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products and rotations of f64 rows. Every number is one chain of fused multiply-adds in a stated order, so that no result depends on
 * tiles, lanes or threads. Rows have a stride of {@link #padded} numbers, and widths are whole {@link #WIDTH}s: what lies beyond the matrix
 * is zeros.
 */
final class Doubles {
    /** What widths are a multiple of. */
    static final int WIDTH = Simd.present() ? Lanes.VECTORS * Lanes.COUNT : 8;
    /** Rows of a tile: outer products write whole ones. */
    static final int TILE_ROWS = 4;
    /** Numbers to a side of the blocks that products are split into, for the caches and the threads. */
    static final int BLOCK = 64;

    private Doubles() {
    }

    /** A row's length, a whole number of widths. */
    static int width(int n) {
        return (n + WIDTH - 1) / WIDTH * WIDTH;
    }

    /** A row's stride: one width more, since rows a power of 2 apart meet in the same lines of a cache. */
    static int padded(int n) {
        return width(n) + WIDTH;
    }

    /** c[i, j] += sum over k of x[k, i] y[k, j], k in order; rows of c in whole tiles. In the calling thread. */
    static void outer(double[] x, int xAt, int xStride, double[] y, int yAt, int yStride,
            int depth, int rows, int width, double[] c, int cAt, int cStride) {
        for (int first = 0; first < rows; first += BLOCK) {
            int to = Math.min(rows, first + BLOCK);
            for (int k = 0; k < depth; k += BLOCK) {
                int count = Math.min(BLOCK, depth - k);
                int xk = xAt + k * xStride;
                int yk = yAt + k * yStride;
                for (int j = 0; j < width; j += WIDTH / 2) {
                    for (int i = first; i < to; i += TILE_ROWS) {
                        if (Simd.available()) {
                            Lanes.tile(x, xk + i, xStride, y, yk + j, yStride, count, c, cAt + i * cStride + j, cStride);
                        } else {
                            tile(x, xk + i, xStride, y, yk + j, yStride, count, c, cAt + i * cStride + j, cStride);
                        }
                    }
                }
            }
        }
    }

    private static void tile(double[] x, int xAt, int xStride, double[] y, int yAt, int yStride, int depth, double[] c, int cAt,
            int cStride) {
        for (int i = 0; i < TILE_ROWS; i++) {
            for (int k = 0; k < depth; k++) {
                double f = x[xAt + k * xStride + i];
                for (int j = 0; j < WIDTH / 2; j++) {
                    c[cAt + i * cStride + j] = Math.fma(f, y[yAt + k * yStride + j], c[cAt + i * cStride + j]);
                }
            }
        }
    }

    /** y[j] += sum over i of share[i] rows[i, j], i in order. In the calling thread. */
    static void combine(double[] share, int shareAt, double[] rows, int at, int stride, int count, double[] y, int yAt, int width) {
        if (Simd.available()) {
            int i = 0;
            for (; i <= count - 4; i += 4) {
                Lanes.combine4(share, shareAt + i, rows, at + i * stride, stride, y, yAt, width);
            }
            for (; i < count; i++) {
                Lanes.combine1(share[shareAt + i], rows, at + i * stride, y, yAt, width);
            }
            return;
        }
        for (int i = 0; i < count; i++) {
            double f = share[shareAt + i];
            for (int j = 0; j < width; j++) {
                y[yAt + j] = Math.fma(f, rows[at + i * stride + j], y[yAt + j]);
            }
        }
    }

    /**
     * Rotates neighbouring rows of {@link #WIDTH} numbers each: rows i and i + 1 become c i + s (i + 1) and c (i + 1) - s i, for i =
     * {@code first} and on.
     *
     * @param turns c and s of each rotation
     */
    static void rotate(double[] turns, int first, double[] rows) {
        int at = first * WIDTH;
        if (Simd.available()) {
            Lanes.rotate(turns, rows, at);
            return;
        }
        for (int t = 0; t < turns.length; t += 2, at += WIDTH) {
            double c = turns[t];
            double s = turns[t + 1];
            for (int j = at; j < at + WIDTH; j++) {
                double x = rows[j];
                double y = rows[j + WIDTH];
                rows[j] = Math.fma(y, s, x * c);
                rows[j + WIDTH] = Math.fma(y, c, x * -s);
            }
        }
    }

    /** Loaded only where the Vector API is. */
    private static final class Lanes {
        private static final VectorSpecies<Double> D = DoubleVector.SPECIES_PREFERRED;
        static final int COUNT = D.length();
        static final int VECTORS = 4;

        static void tile(double[] x, int xAt, int xStride, double[] y, int yAt, int yStride, int depth, double[] c, int cAt, int cStride) {
            DoubleVector c00 = DoubleVector.fromArray(D, c, cAt);
            DoubleVector c01 = DoubleVector.fromArray(D, c, cAt + COUNT);
            DoubleVector c10 = DoubleVector.fromArray(D, c, cAt + cStride);
            DoubleVector c11 = DoubleVector.fromArray(D, c, cAt + cStride + COUNT);
            DoubleVector c20 = DoubleVector.fromArray(D, c, cAt + 2 * cStride);
            DoubleVector c21 = DoubleVector.fromArray(D, c, cAt + 2 * cStride + COUNT);
            DoubleVector c30 = DoubleVector.fromArray(D, c, cAt + 3 * cStride);
            DoubleVector c31 = DoubleVector.fromArray(D, c, cAt + 3 * cStride + COUNT);
            for (int k = 0; k < depth; k++) {
                DoubleVector y0 = DoubleVector.fromArray(D, y, yAt + k * yStride);
                DoubleVector y1 = DoubleVector.fromArray(D, y, yAt + k * yStride + COUNT);
                DoubleVector x0 = DoubleVector.broadcast(D, x[xAt + k * xStride]);
                c00 = x0.fma(y0, c00);
                c01 = x0.fma(y1, c01);
                DoubleVector x1 = DoubleVector.broadcast(D, x[xAt + k * xStride + 1]);
                c10 = x1.fma(y0, c10);
                c11 = x1.fma(y1, c11);
                DoubleVector x2 = DoubleVector.broadcast(D, x[xAt + k * xStride + 2]);
                c20 = x2.fma(y0, c20);
                c21 = x2.fma(y1, c21);
                DoubleVector x3 = DoubleVector.broadcast(D, x[xAt + k * xStride + 3]);
                c30 = x3.fma(y0, c30);
                c31 = x3.fma(y1, c31);
            }
            c00.intoArray(c, cAt);
            c01.intoArray(c, cAt + COUNT);
            c10.intoArray(c, cAt + cStride);
            c11.intoArray(c, cAt + cStride + COUNT);
            c20.intoArray(c, cAt + 2 * cStride);
            c21.intoArray(c, cAt + 2 * cStride + COUNT);
            c30.intoArray(c, cAt + 3 * cStride);
            c31.intoArray(c, cAt + 3 * cStride + COUNT);
        }

        /** Four rows at a time: with eight Java 17 puts the sums on the heap. */
        static void combine4(double[] share, int shareAt, double[] rows, int at, int stride, double[] y, int yAt, int width) {
            DoubleVector f0 = DoubleVector.broadcast(D, share[shareAt]);
            DoubleVector f1 = DoubleVector.broadcast(D, share[shareAt + 1]);
            DoubleVector f2 = DoubleVector.broadcast(D, share[shareAt + 2]);
            DoubleVector f3 = DoubleVector.broadcast(D, share[shareAt + 3]);
            for (int j = 0; j < width; j += COUNT) {
                DoubleVector sum = f0.fma(DoubleVector.fromArray(D, rows, at + j), DoubleVector.fromArray(D, y, yAt + j));
                sum = f1.fma(DoubleVector.fromArray(D, rows, at + stride + j), sum);
                sum = f2.fma(DoubleVector.fromArray(D, rows, at + 2 * stride + j), sum);
                f3.fma(DoubleVector.fromArray(D, rows, at + 3 * stride + j), sum).intoArray(y, yAt + j);
            }
        }

        static void combine1(double share, double[] rows, int at, double[] y, int yAt, int width) {
            DoubleVector f = DoubleVector.broadcast(D, share);
            for (int j = 0; j < width; j += COUNT) {
                f.fma(DoubleVector.fromArray(D, rows, at + j), DoubleVector.fromArray(D, y, yAt + j)).intoArray(y, yAt + j);
            }
        }

        static void rotate(double[] turns, double[] rows, int at) {
            DoubleVector x0 = DoubleVector.fromArray(D, rows, at);
            DoubleVector x1 = DoubleVector.fromArray(D, rows, at + COUNT);
            DoubleVector x2 = DoubleVector.fromArray(D, rows, at + 2 * COUNT);
            DoubleVector x3 = DoubleVector.fromArray(D, rows, at + 3 * COUNT);
            int i = at;
            for (int t = 0; t < turns.length; t += 2, i += VECTORS * COUNT) {
                DoubleVector c = DoubleVector.broadcast(D, turns[t]);
                DoubleVector s = DoubleVector.broadcast(D, turns[t + 1]);
                DoubleVector minus = DoubleVector.broadcast(D, -turns[t + 1]);
                DoubleVector y0 = DoubleVector.fromArray(D, rows, i + VECTORS * COUNT);
                y0.fma(s, x0.mul(c)).intoArray(rows, i);
                x0 = y0.fma(c, x0.mul(minus));
                DoubleVector y1 = DoubleVector.fromArray(D, rows, i + (VECTORS + 1) * COUNT);
                y1.fma(s, x1.mul(c)).intoArray(rows, i + COUNT);
                x1 = y1.fma(c, x1.mul(minus));
                DoubleVector y2 = DoubleVector.fromArray(D, rows, i + (VECTORS + 2) * COUNT);
                y2.fma(s, x2.mul(c)).intoArray(rows, i + 2 * COUNT);
                x2 = y2.fma(c, x2.mul(minus));
                DoubleVector y3 = DoubleVector.fromArray(D, rows, i + (VECTORS + 3) * COUNT);
                y3.fma(s, x3.mul(c)).intoArray(rows, i + 3 * COUNT);
                x3 = y3.fma(c, x3.mul(minus));
            }
            x0.intoArray(rows, i);
            x1.intoArray(rows, i + COUNT);
            x2.intoArray(rows, i + 2 * COUNT);
            x3.intoArray(rows, i + 3 * COUNT);
        }
    }
}
