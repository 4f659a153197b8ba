package lab.recall.math;

import jdk.incubator.vector.FloatVector;

/**
 * GELU by the tangent form: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x³))) / 2.
 *
 * <pre>{@code
 * TanhGelu.forward(mlp, 0, rows * hidden, mlp, 0);
 * }</pre>
 *
 * Computed as x sigmoid(2 sqrt(2 / pi) (x + 0.044715 x³)), which is the same. Source: Hendrycks and Gimpel, arXiv 1606.08415, section 2.
 */
public final class TanhGelu {
    private static final float SLOPE = 1.5957691f;
    private static final float CUBE = 0.044715f * SLOPE;

    private TanhGelu() {
    }

    /** {@code out = gelu(x)}; out may be x. */
    public static void forward(float[] x, int xAt, int count, float[] out, int outAt) {
        int i = Simd.available() ? Lanes.forward(x, xAt, count, out, outAt) : 0;
        for (; i < count; i++) {
            float v = x[xAt + i];
            out[outAt + i] = v * Exp.sigmoid(Math.fma(v * v, CUBE, SLOPE) * v);
        }
    }

    /** {@code dX = dOut gelu'(x)}, written. */
    public static void backward(float[] x, int xAt, int count, float[] dOut, int dOutAt, float[] dX, int dXAt) {
        int i = Simd.available() ? Lanes.backward(x, xAt, count, dOut, dOutAt, dX, dXAt) : 0;
        for (; i < count; i++) {
            float v = x[xAt + i];
            float square = v * v;
            float s = Exp.sigmoid(Math.fma(square, CUBE, SLOPE) * v);
            float slope = Math.fma(square, 3f * CUBE, SLOPE) * v;
            dX[dXAt + i] = dOut[dOutAt + i] * Math.fma(slope * s, 1f - s, s);
        }
    }

    /** The vector form; a class of its own, so that it is loaded only where it can be used. */
    private static final class Lanes {
        static int forward(float[] x, int xAt, int count, float[] out, int outAt) {
            float[] work = VectorMath.work();
            int i = 0;
            for (int n; (n = VectorMath.block(i, count)) > 0; i += n) {
                sigmoid(x, xAt + i, n, work);
                for (int k = 0; k < n; k += VectorMath.COUNT) {
                    FloatVector.fromArray(VectorMath.LANES, x, xAt + i + k).mul(FloatVector.fromArray(VectorMath.LANES, work, k))
                            .intoArray(out, outAt + i + k);
                }
            }
            return i;
        }

        static int backward(float[] x, int xAt, int count, float[] dOut, int dOutAt, float[] dX, int dXAt) {
            FloatVector one = FloatVector.broadcast(VectorMath.LANES, 1f);
            FloatVector slope = FloatVector.broadcast(VectorMath.LANES, SLOPE);
            FloatVector cube = FloatVector.broadcast(VectorMath.LANES, 3f * CUBE);
            float[] work = VectorMath.work();
            int i = 0;
            for (int n; (n = VectorMath.block(i, count)) > 0; i += n) {
                sigmoid(x, xAt + i, n, work);
                for (int k = 0; k < n; k += VectorMath.COUNT) {
                    FloatVector v = FloatVector.fromArray(VectorMath.LANES, x, xAt + i + k);
                    FloatVector s = FloatVector.fromArray(VectorMath.LANES, work, k);
                    FloatVector steep = v.mul(v).fma(cube, slope).mul(v);
                    FloatVector.fromArray(VectorMath.LANES, dOut, dOutAt + i + k).mul(steep.mul(s).fma(one.sub(s), s))
                            .intoArray(dX, dXAt + i + k);
                }
            }
            return i;
        }

        /** The first half of {@code work}: sigmoid of what x is multiplied by, from the second. */
        private static void sigmoid(float[] x, int at, int count, float[] work) {
            FloatVector slope = FloatVector.broadcast(VectorMath.LANES, SLOPE);
            for (int k = 0; k < count; k += VectorMath.COUNT) {
                FloatVector v = FloatVector.fromArray(VectorMath.LANES, x, at + k);
                v.mul(v).fma(FloatVector.broadcast(VectorMath.LANES, CUBE), slope).mul(v).intoArray(work, VectorMath.BLOCK + k);
            }
            VectorMath.sigmoid(work, VectorMath.BLOCK, count, work, 0);
        }
    }
}
