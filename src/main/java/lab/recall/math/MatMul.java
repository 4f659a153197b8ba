package lab.recall.math;

/**
 * Sums of outer products, for the gradients of weights.
 *
 * <pre>{@code
 * MatMul.addOuter(dY, 0, outputs, x, 0, inputs, rows, outputs, inputs, dW);      // dW += dY' x
 * }</pre>
 *
 * Rows are added in order, four at a time, so the result does not depend on threads.
 */
public final class MatMul {
    private static final int RANGE = 16;
    private static final long SPLIT = 200_000;

    private MatMul() {
    }

    /** c[m, n] += sum over rows of a[r, m] b[r, n]; a and b have row strides, c is contiguous. */
    public static void addOuter(float[] a, int aAt, int aStride, float[] b, int bAt, int bStride, int rows, int m, int n, float[] c) {
        int range = (long) rows * m * n < SPLIT ? m : RANGE;
        Parallel.forEach((m + range - 1) / range, item -> {
            for (int i = item * range; i < Math.min(m, (item + 1) * range); i++) {
                int r = 0;
                for (; r <= rows - 4; r += 4) {
                    int from = aAt + r * aStride + i;
                    addFour(a[from], a[from + aStride], a[from + 2 * aStride], a[from + 3 * aStride], b, bAt + r * bStride, bStride, c, i * n, n);
                }
                for (; r < rows; r++) {
                    addOne(a[aAt + r * aStride + i], b, bAt + r * bStride, c, i * n, n);
                }
            }
        });
    }

    private static void addFour(float a0, float a1, float a2, float a3, float[] b, int b0, int stride, float[] c, int cAt, int n) {
        int b1 = b0 + stride;
        int b2 = b1 + stride;
        int b3 = b2 + stride;
        for (int j = 0; j < n; j++) {
            c[cAt + j] = Math.fma(a3, b[b3 + j], Math.fma(a2, b[b2 + j], Math.fma(a1, b[b1 + j], Math.fma(a0, b[b0 + j], c[cAt + j]))));
        }
    }

    private static void addOne(float a, float[] b, int bAt, float[] c, int cAt, int n) {
        for (int j = 0; j < n; j++) {
            c[cAt + j] = Math.fma(a, b[bAt + j], c[cAt + j]);
        }
    }
}
