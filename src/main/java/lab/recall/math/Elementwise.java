package lab.recall.math;

/** Sums and products of rows; the compiler vectorises these loops by itself. */
public final class Elementwise {
    private Elementwise() {
    }

    /** {@code to += from}. */
    public static void add(float[] from, int fromAt, float[] to, int toAt, int count) {
        for (int i = 0; i < count; i++) {
            to[toAt + i] += from[fromAt + i];
        }
    }

    /** {@code to *= from}. */
    public static void multiply(float[] from, int fromAt, float[] to, int toAt, int count) {
        for (int i = 0; i < count; i++) {
            to[toAt + i] *= from[fromAt + i];
        }
    }

    /** Adds all rows to one sum: the gradient of a bias. */
    public static void addRows(float[] x, int at, int stride, int rows, int width, float[] sum) {
        for (int r = 0; r < rows; r++) {
            add(x, at + r * stride, sum, 0, width);
        }
    }

    /** Adds a bias to every row; none when it is null. */
    public static void addBias(float[] bias, float[] x, int at, int stride, int rows, int width) {
        if (bias == null) {
            return;
        }
        for (int r = 0; r < rows; r++) {
            add(bias, 0, x, at + r * stride, width);
        }
    }
}
