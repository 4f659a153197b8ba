package lab.recall.math;

import jdk.incubator.vector.FloatVector;

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
            int i = 0;
            for (; i <= count - VectorMath.COUNT; i += VectorMath.COUNT) {
                VectorMath.sigmoid(FloatVector.fromArray(VectorMath.LANES, x, at + i)).intoArray(x, at + i);
            }
            return i;
        }
    }
}
