package lab.recall.math;

import jdk.incubator.vector.FloatVector;

/**
 * SiLU: x sigmoid(x).
 *
 * <pre>{@code
 * Silu.forward(z, inner, 2 * inner, rows, inner, gate, 0);  // second half of each row of z
 * }</pre>
 *
 * Source: Hendrycks and Gimpel, arXiv 1606.08415.
 */
public final class Silu {
    private Silu() {
    }

    /** {@code out = x sigmoid(x)}; x has a row stride, out is contiguous and may be x itself. */
    public static void forward(float[] x, int xAt, int xStride, int rows, int width, float[] out, int outAt) {
        Parallel.rows(rows, width, (first, end) -> {
            for (int r = first; r < end; r++) {
                int from = xAt + r * xStride;
                int to = outAt + r * width;
                int i = Simd.available() ? Lanes.silu(x, from, width, out, to) : 0;
                for (; i < width; i++) {
                    out[to + i] = of(x[from + i]);
                }
            }
        });
    }

    /** {@code dX = dOut silu'(x)}, written; dX has the stride of x. */
    public static void backward(float[] x, int xAt, int xStride, int rows, int width, float[] dOut, int dOutAt, float[] dX, int dXAt,
            int dXStride) {
        for (int r = 0; r < rows; r++) {
            int from = xAt + r * xStride;
            int in = dOutAt + r * width;
            int to = dXAt + r * dXStride;
            int i = Simd.available() ? Lanes.backward(x, from, width, dOut, in, dX, to) : 0;
            for (; i < width; i++) {
                float v = x[from + i];
                float s = Exp.sigmoid(v);
                dX[to + i] = dOut[in + i] * Math.fma(v * s, 1f - s, s);
            }
        }
    }

    static float of(float x) {
        return x * Exp.sigmoid(x);
    }

    /** The vector form; a class of its own, so that it is loaded only where it can be used. */
    private static final class Lanes {
        static int silu(float[] x, int from, int width, float[] out, int to) {
            float[] s = VectorMath.work();
            int i = 0;
            for (int n; (n = VectorMath.block(i, width)) > 0; i += n) {
                VectorMath.sigmoid(x, from + i, n, s, 0);
                for (int k = 0; k < n; k += VectorMath.COUNT) {
                    FloatVector.fromArray(VectorMath.LANES, x, from + i + k).mul(FloatVector.fromArray(VectorMath.LANES, s, k))
                            .intoArray(out, to + i + k);
                }
            }
            return i;
        }

        static int backward(float[] x, int from, int width, float[] dOut, int in, float[] dX, int to) {
            FloatVector one = FloatVector.broadcast(VectorMath.LANES, 1f);
            float[] work = VectorMath.work();
            int i = 0;
            for (int n; (n = VectorMath.block(i, width)) > 0; i += n) {
                VectorMath.sigmoid(x, from + i, n, work, 0);
                for (int k = 0; k < n; k += VectorMath.COUNT) {
                    FloatVector s = FloatVector.fromArray(VectorMath.LANES, work, k);
                    FloatVector slope = FloatVector.fromArray(VectorMath.LANES, x, from + i + k).mul(s).fma(one.sub(s), s);
                    FloatVector.fromArray(VectorMath.LANES, dOut, in + i + k).mul(slope).intoArray(dX, to + i + k);
                }
            }
            return i;
        }
    }
}
