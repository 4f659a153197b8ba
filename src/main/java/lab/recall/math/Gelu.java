package lab.recall.math;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * GELU in its exact form: x Φ(x), Φ(x) = (1 + erf(x / sqrt 2)) / 2.
 *
 * <pre>{@code
 * Gelu.forward(mlp, 0, rows * hidden, mlp, 0);
 * }</pre>
 *
 * Φ(-|x|) = e t p(t) with e = exp(-x² / 2), which the density needs too, t = 1 / (1 + |x| / sqrt 8) and a polynomial that is 1.4e-7 of the
 * value off at most. Source: Hendrycks and Gimpel, arXiv 1606.08415, section 2.
 */
public final class Gelu {
    private static final float ROOT_EIGHTH = 0.35355338f;
    private static final float DENSITY = 0.39894228f;
    /** p: a minimax fit of exp(z²) erfc(z) / (2 t), z = |x| / sqrt 2, for |x| from 0 to 15; e is 0 behind that. */
    private static final float P0 = -0.029611973f;
    private static final float P1 = 0.1426661f;
    private static final float P2 = -0.2443851f;
    private static final float P3 = 0.13993317f;
    private static final float P4 = -0.013933479f;
    private static final float P5 = 0.10160642f;
    private static final float P6 = 0.12148532f;
    private static final float P7 = 0.14119682f;
    private static final float P8 = 0.14104268f;

    private static final int ONE = Float.floatToRawIntBits(1f);

    private Gelu() {
    }

    /** {@code out = gelu(x) = max(x, 0) - |x| Φ(-|x|)}; out may be x. */
    public static void forward(float[] x, int xAt, int count, float[] out, int outAt) {
        int i = Simd.available() ? Lanes.run(x, xAt, count, null, 0, out, outAt) : 0;
        for (; i < count; i++) {
            float v = x[xAt + i];
            out[outAt + i] = Math.fma(-Math.abs(v), tail(Math.abs(v), Exp.exp(-0.5f * v * v)), Math.max(v, 0f));
        }
    }

    /** {@code dX = dOut gelu'(x)}, written: the derivative is Phi(x) + x phi(x). */
    public static void backward(float[] x, int xAt, int count, float[] dOut, int dOutAt, float[] dX, int dXAt) {
        int i = Simd.available() ? Lanes.run(x, xAt, count, dOut, dOutAt, dX, dXAt) : 0;
        for (; i < count; i++) {
            float v = x[xAt + i];
            float e = Exp.exp(-0.5f * v * v);
            float c = tail(Math.abs(v), e);
            dX[dXAt + i] = dOut[dOutAt + i] * Math.fma(v, DENSITY * e, v < 0 ? c : 1f - c);
        }
    }

    /** Φ(-size) from exp(-size² / 2). */
    private static float tail(float size, float e) {
        float t = 1f / Math.fma(size, ROOT_EIGHTH, 1f);
        float p = Math.fma(P0, t, P1);
        p = Math.fma(p, t, P2);
        p = Math.fma(p, t, P3);
        p = Math.fma(p, t, P4);
        p = Math.fma(p, t, P5);
        p = Math.fma(p, t, P6);
        p = Math.fma(p, t, P7);
        p = Math.fma(p, t, P8);
        return t * p * e;
    }

    /** The vector form, both ways in one loop. */
    private static final class Lanes {
        private static final VectorSpecies<Float> S = VectorMath.LANES;

        /** @param dOut null: out is gelu(x); else dOut gelu'(x) */
        static int run(float[] x, int xAt, int count, float[] dOut, int dOutAt, float[] out, int outAt) {
            float[] exp = VectorMath.work();
            int i = 0;
            for (int n; (n = VectorMath.block(i, count)) > 0; i += n) {
                for (int k = 0; k < n; k += VectorMath.COUNT) {
                    FloatVector v = FloatVector.fromArray(S, x, xAt + i + k);
                    v.mul(-0.5f).mul(v).intoArray(exp, k);
                }
                VectorMath.exp(exp, 0, n, exp, 0);
                block(exp, x, xAt + i, n, dOut, dOutAt + i, out, outAt + i);
            }
            return i;
        }

        private static void block(float[] exp, float[] x, int xAt, int count, float[] dOut, int dOutAt, float[] out, int outAt) {
            FloatVector one = FloatVector.broadcast(S, 1f);
            for (int i = 0; i < count; i += VectorMath.COUNT) {
                FloatVector v = FloatVector.fromArray(S, x, xAt + i);
                FloatVector size = v.abs();
                FloatVector e = FloatVector.fromArray(S, exp, i);
                FloatVector t = one.div(size.fma(FloatVector.broadcast(S, ROOT_EIGHTH), one));
                FloatVector p = t.fma(FloatVector.broadcast(S, P0), FloatVector.broadcast(S, P1));
                p = p.fma(t, FloatVector.broadcast(S, P2));
                p = p.fma(t, FloatVector.broadcast(S, P3));
                p = p.fma(t, FloatVector.broadcast(S, P4));
                p = p.fma(t, FloatVector.broadcast(S, P5));
                p = p.fma(t, FloatVector.broadcast(S, P6));
                p = p.fma(t, FloatVector.broadcast(S, P7));
                p = p.fma(t, FloatVector.broadcast(S, P8));
                FloatVector tail = t.mul(p).mul(e);

                if (dOut == null) {
                    size.neg().fma(tail, v.max(0f)).intoArray(out, outAt + i);
                    continue;
                }
                // 1 for v >= 0, else 0, from the sign bit: |step - tail| is 1 - tail or tail, and no mask is made
                FloatVector step = v.reinterpretAsInts().lanewise(VectorOperators.ASHR, 31).not().and(ONE).reinterpretAsFloats();
                FloatVector slope = v.fma(e.mul(DENSITY), step.sub(tail).abs());
                FloatVector.fromArray(S, dOut, dOutAt + i).mul(slope).intoArray(out, outAt + i);
            }
        }
    }
}
