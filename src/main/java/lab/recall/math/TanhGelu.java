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
            FloatVector slope = FloatVector.broadcast(VectorMath.LANES, SLOPE);
            int i = 0;
            for (; i <= count - VectorMath.COUNT; i += VectorMath.COUNT) {
                FloatVector v = FloatVector.fromArray(VectorMath.LANES, x, xAt + i);
                FloatVector u = v.mul(v).fma(FloatVector.broadcast(VectorMath.LANES, CUBE), slope).mul(v);
                v.mul(VectorMath.sigmoid(u)).intoArray(out, outAt + i);
            }
            return i;
        }

        static int backward(float[] x, int xAt, int count, float[] dOut, int dOutAt, float[] dX, int dXAt) {
            FloatVector one = FloatVector.broadcast(VectorMath.LANES, 1f);
            FloatVector slope = FloatVector.broadcast(VectorMath.LANES, SLOPE);
            int i = 0;
            for (; i <= count - VectorMath.COUNT; i += VectorMath.COUNT) {
                FloatVector v = FloatVector.fromArray(VectorMath.LANES, x, xAt + i);
                FloatVector square = v.mul(v);
                FloatVector s = VectorMath.sigmoid(square.fma(FloatVector.broadcast(VectorMath.LANES, CUBE), slope).mul(v));
                FloatVector steep = square.fma(FloatVector.broadcast(VectorMath.LANES, 3f * CUBE), slope).mul(v);
                FloatVector.fromArray(VectorMath.LANES, dOut, dOutAt + i).mul(steep.mul(s).fma(one.sub(s), s)).intoArray(dX, dXAt + i);
            }
            return i;
        }
    }
}
