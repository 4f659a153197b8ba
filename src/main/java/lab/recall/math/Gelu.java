package lab.recall.math;

import jdk.incubator.vector.FloatVector;

/**
 * GELU in its exact form: x (1 + erf(x / sqrt 2)) / 2.
 *
 * <pre>{@code
 * Gelu.forward(mlp, 0, rows * hidden, mlp, 0);
 * }</pre>
 *
 * erfc by a Chebyshev fit of its logarithm, 1.2e-7 of the value everywhere. Source: Hendrycks and Gimpel, arXiv 1606.08415, section 2.
 */
public final class Gelu {
    private static final float HALF_ROOT = 0.70710678f;
    private static final float[] ERFC = {0.17087277f, -0.82215223f, 1.48851587f, -1.13520398f, 0.27886807f, -0.18628806f, 0.09678418f,
        0.37409196f, 1.00002368f, -1.26551223f};

    private Gelu() {
    }

    /** {@code out = gelu(x)}; out may be x. */
    public static void forward(float[] x, int xAt, int count, float[] out, int outAt) {
        int i = Simd.available() ? Lanes.gelu(x, xAt, count, out, outAt) : 0;
        for (; i < count; i++) {
            out[outAt + i] = of(x[xAt + i]);
        }
    }

    /** {@code dX = dOut gelu'(x)}, written: the derivative is Phi(x) + x phi(x). */
    public static void backward(float[] x, int xAt, int count, float[] dOut, int dOutAt, float[] dX, int dXAt) {
        int i = Simd.available() ? Lanes.backward(x, xAt, count, dOut, dOutAt, dX, dXAt) : 0;
        for (; i < count; i++) {
            float v = x[xAt + i];
            float c = complement(Math.abs(v) * HALF_ROOT);
            float phi = 0.39894228f * Exp.exp(-0.5f * v * v);
            dX[dXAt + i] = dOut[dOutAt + i] * Math.fma(v, phi, v < 0 ? 0.5f * c : 1f - 0.5f * c);
        }
    }

    private static float of(float x) {
        float c = complement(Math.abs(x) * HALF_ROOT);
        return x * (x < 0 ? 0.5f * c : 1f - 0.5f * c);
    }

    /** erfc(z) for z of 0 or more. */
    private static float complement(float z) {
        float t = 1f / Math.fma(0.5f, z, 1f);
        float p = ERFC[0];
        for (int k = 1; k < ERFC.length; k++) {
            p = Math.fma(p, t, ERFC[k]);
        }
        return t * Exp.exp(Math.fma(-z, z, p));
    }

    private static final class Lanes {
        static int gelu(float[] x, int xAt, int count, float[] out, int outAt) {
            int i = 0;
            for (; i <= count - VectorMath.LANES.length(); i += VectorMath.LANES.length()) {
                FloatVector v = FloatVector.fromArray(VectorMath.LANES, x, xAt + i);
                v.mul(normal(v)).intoArray(out, outAt + i);
            }
            return i;
        }

        static int backward(float[] x, int xAt, int count, float[] dOut, int dOutAt, float[] dX, int dXAt) {
            int i = 0;
            for (; i <= count - VectorMath.LANES.length(); i += VectorMath.LANES.length()) {
                FloatVector v = FloatVector.fromArray(VectorMath.LANES, x, xAt + i);
                FloatVector phi = VectorMath.exp(v.mul(-0.5f).mul(v)).mul(0.39894228f);
                FloatVector.fromArray(VectorMath.LANES, dOut, dOutAt + i).mul(v.fma(phi, normal(v))).intoArray(dX, dXAt + i);
            }
            return i;
        }

        /** The distribution function of the standard normal. */
        private static FloatVector normal(FloatVector v) {
            FloatVector z = v.abs().mul(HALF_ROOT);
            FloatVector one = FloatVector.broadcast(VectorMath.LANES, 1f);
            FloatVector t = one.div(z.fma(FloatVector.broadcast(VectorMath.LANES, 0.5f), one));
            FloatVector p = FloatVector.broadcast(VectorMath.LANES, ERFC[0]);
            for (int k = 1; k < ERFC.length; k++) {
                p = p.fma(t, FloatVector.broadcast(VectorMath.LANES, ERFC[k]));
            }
            FloatVector c = t.mul(VectorMath.exp(z.neg().fma(z, p))).mul(0.5f);
            return one.sub(c).blend(c, v.lt(0f));
        }
    }
}
