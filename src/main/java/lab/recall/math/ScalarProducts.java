package lab.recall.math;

/** A panel's columns in scalars, each element the chain that {@link Tiles} would give it: for a process that has not compiled those yet. */
final class ScalarProducts {
    private ScalarProducts() {
    }

    /** y[r, j] = sum over k of x[r, k] w[k, j]; all with row strides. */
    static void panel(float[] x, int xAt, int xStride, int rows, int depth, float[] w, int wAt, int wStride, int columns,
            float[] y, int yStride) {
        int r = 0;
        for (; r <= rows - 4; r += 4) {
            int from = xAt + r * xStride;
            int to = r * yStride;
            int j = 0;
            for (; j <= columns - 2; j += 2) {
                fourRows(x, from, xStride, depth, w, wAt + j, wStride, y, to + j, yStride);
            }
            for (int i = 0; i < 4 && j < columns; i++) {
                y[to + i * yStride + j] = chain(x, from + i * xStride, depth, w, wAt + j, wStride);
            }
        }
        for (; r < rows; r++) {
            int from = xAt + r * xStride;
            int to = r * yStride;
            int j = 0;
            for (; j <= columns - 8; j += 8) {
                eightColumns(x, from, depth, w, wAt + j, wStride, y, to + j);
            }
            for (; j < columns; j++) {
                y[to + j] = chain(x, from, depth, w, wAt + j, wStride);
            }
        }
    }

    private static void fourRows(float[] x, int x0, int xStride, int depth, float[] w, int wAt, int wStride,
            float[] y, int yAt, int yStride) {
        int x1 = x0 + xStride;
        int x2 = x1 + xStride;
        int x3 = x2 + xStride;
        float c00 = 0f;
        float c01 = 0f;
        float c10 = 0f;
        float c11 = 0f;
        float c20 = 0f;
        float c21 = 0f;
        float c30 = 0f;
        float c31 = 0f;
        for (int k = 0; k < depth; k++) {
            float w0 = w[wAt + k * wStride];
            float w1 = w[wAt + k * wStride + 1];
            c00 = Math.fma(x[x0 + k], w0, c00);
            c01 = Math.fma(x[x0 + k], w1, c01);
            c10 = Math.fma(x[x1 + k], w0, c10);
            c11 = Math.fma(x[x1 + k], w1, c11);
            c20 = Math.fma(x[x2 + k], w0, c20);
            c21 = Math.fma(x[x2 + k], w1, c21);
            c30 = Math.fma(x[x3 + k], w0, c30);
            c31 = Math.fma(x[x3 + k], w1, c31);
        }
        y[yAt] = c00;
        y[yAt + 1] = c01;
        y[yAt + yStride] = c10;
        y[yAt + yStride + 1] = c11;
        y[yAt + 2 * yStride] = c20;
        y[yAt + 2 * yStride + 1] = c21;
        y[yAt + 3 * yStride] = c30;
        y[yAt + 3 * yStride + 1] = c31;
    }

    private static void eightColumns(float[] x, int xAt, int depth, float[] w, int wAt, int wStride, float[] y, int yAt) {
        float c0 = 0f;
        float c1 = 0f;
        float c2 = 0f;
        float c3 = 0f;
        float c4 = 0f;
        float c5 = 0f;
        float c6 = 0f;
        float c7 = 0f;
        for (int k = 0; k < depth; k++) {
            float v = x[xAt + k];
            int at = wAt + k * wStride;
            c0 = Math.fma(v, w[at], c0);
            c1 = Math.fma(v, w[at + 1], c1);
            c2 = Math.fma(v, w[at + 2], c2);
            c3 = Math.fma(v, w[at + 3], c3);
            c4 = Math.fma(v, w[at + 4], c4);
            c5 = Math.fma(v, w[at + 5], c5);
            c6 = Math.fma(v, w[at + 6], c6);
            c7 = Math.fma(v, w[at + 7], c7);
        }
        y[yAt] = c0;
        y[yAt + 1] = c1;
        y[yAt + 2] = c2;
        y[yAt + 3] = c3;
        y[yAt + 4] = c4;
        y[yAt + 5] = c5;
        y[yAt + 6] = c6;
        y[yAt + 7] = c7;
    }

    private static float chain(float[] x, int xAt, int depth, float[] w, int wAt, int wStride) {
        float c = 0f;
        for (int k = 0; k < depth; k++) {
            c = Math.fma(x[xAt + k], w[wAt + k * wStride], c);
        }
        return c;
    }
}
