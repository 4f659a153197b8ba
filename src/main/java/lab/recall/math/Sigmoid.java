package lab.recall.math;

/** The logistic function 1 / (1 + exp(-x)): the derivative of {@link Softplus}. */
public final class Sigmoid {
    private Sigmoid() {
    }

    /** In place. */
    public static void forward(float[] x, int at, int count) {
        int i = Simd.available() ? Lanes.sigmoid(x, at, count) : 0;
        for (; i < count; i++) {
            x[at + i] = Exp.sigmoid(x[at + i]);
        }
    }

    private static final class Lanes {
        static int sigmoid(float[] x, int at, int count) {
            float[] work = VectorMath.work();
            int i = 0;
            for (int n; (n = VectorMath.block(i, count)) > 0; i += n) {
                VectorMath.sigmoid(x, at + i, n, work, 0);
                System.arraycopy(work, 0, x, at + i, n);
            }
            return i;
        }
    }
}
