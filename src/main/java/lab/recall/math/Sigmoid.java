package lab.recall.math;

/** The logistic function 1 / (1 + exp(-x)): the derivative of {@link Softplus}. */
public final class Sigmoid {
    private Sigmoid() {
    }

    /** In place. */
    public static void forward(float[] x, int at, int count) {
        for (int i = at; i < at + count; i++) {
            x[i] = Exp.sigmoid(x[i]);
        }
    }
}
