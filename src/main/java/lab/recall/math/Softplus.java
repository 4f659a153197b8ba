package lab.recall.math;

import jdk.incubator.vector.FloatVector;

/**
 * Softplus: log(1 + exp(x)), in place.
 *
 * <pre>{@code
 * Softplus.forward(delta, 0, rows, inner);                  // delta = softplus(delta)
 * }</pre>
 *
 * Written as max(x, 0) + log1p(e) with e = exp(-|x|), and log1p(e) = 2 artanh(e / (2 + e)): at most a few ulp everywhere. Its derivative is
 * {@link Sigmoid}.
 */
public final class Softplus {
    private static final float[] ARTANH = {1f / 15, 1f / 13, 1f / 11, 1f / 9, 1f / 7, 1f / 5, 1f / 3};

    private Softplus() {
    }

    /** {@code x = softplus(x)}; contiguous rows. */
    public static void forward(float[] x, int at, int rows, int width) {
        Parallel.rows(rows, width, (first, end) -> {
            int from = at + first * width;
            int count = (end - first) * width;
            int i = Simd.available() ? Lanes.softplus(x, from, count) : 0;
            for (; i < count; i++) {
                x[from + i] = of(x[from + i]);
            }
        });
    }

    private static float of(float x) {
        float e = Exp.exp(-Math.abs(x));
        float z = e / (2f + e);
        float w = z * z;
        float p = ARTANH[0];
        for (int k = 1; k < ARTANH.length; k++) {
            p = Math.fma(p, w, ARTANH[k]);
        }
        p = Math.fma(p, w, 1f);
        return Math.max(x, 0f) + 2f * z * p;
    }

    private static final class Lanes {
        static int softplus(float[] x, int at, int count) {
            float[] work = VectorMath.work();
            int i = 0;
            for (int n; (n = VectorMath.block(i, count)) > 0; i += n) {
                VectorMath.expOfMinusSize(x, at + i, n, work, 0);
                block(x, at + i, n, work);
            }
            return i;
        }

        private static void block(float[] x, int at, int count, float[] exp) {
            for (int i = 0; i < count; i += VectorMath.COUNT) {
                FloatVector v = FloatVector.fromArray(VectorMath.LANES, x, at + i);
                FloatVector e = FloatVector.fromArray(VectorMath.LANES, exp, i);
                FloatVector z = e.div(e.add(2f));
                FloatVector w = z.mul(z);
                FloatVector p = w.fma(FloatVector.broadcast(VectorMath.LANES, ARTANH[0]),
                        FloatVector.broadcast(VectorMath.LANES, ARTANH[1]));
                p = p.fma(w, FloatVector.broadcast(VectorMath.LANES, ARTANH[2]));
                p = p.fma(w, FloatVector.broadcast(VectorMath.LANES, ARTANH[3]));
                p = p.fma(w, FloatVector.broadcast(VectorMath.LANES, ARTANH[4]));
                p = p.fma(w, FloatVector.broadcast(VectorMath.LANES, ARTANH[5]));
                p = p.fma(w, FloatVector.broadcast(VectorMath.LANES, ARTANH[6]));
                p = p.fma(w, FloatVector.broadcast(VectorMath.LANES, 1f));
                v.blend(0f, v.lt(0f)).add(z.mul(2f).mul(p)).intoArray(x, at + i);
            }
        }
    }
}
