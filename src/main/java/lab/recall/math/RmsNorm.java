package lab.recall.math;

import jdk.incubator.vector.FloatVector;

/**
 * Root-mean-square norm: x / sqrt(mean(x²) + eps) · weight, row by row.
 *
 * <pre>{@code
 * RmsNorm.forward(h, 0, rows, d, weight, 1e-5f, normed, 0);
 * RmsNorm.forward(y, 0, rows, groups, inner / groups, weight, 1e-5f, normed, 0);   // each row's groups by themselves
 * RmsNorm.unit(low, 0, stride, rows, rank, 1e-6f);                                 // without a weight, in place
 * }</pre>
 *
 * Sums are taken in f64. Source: Zhang and Sennrich, arXiv 1910.07467.
 */
public final class RmsNorm {
    private RmsNorm() {
    }

    /** Rows are contiguous; out may not be x. */
    public static void forward(float[] x, int xAt, int rows, int width, float[] weight, float eps, float[] out, int outAt) {
        forward(x, xAt, rows, 1, width, weight, eps, out, outAt);
    }

    /** Of rows of groups, each normed by itself: x, out [rows, groups, width], weight [groups, width]. */
    public static void forward(float[] x, int xAt, int rows, int groups, int width, float[] weight, float eps, float[] out, int outAt) {
        for (int r = 0; r < rows * groups; r++) {
            int from = xAt + r * width;
            int to = outAt + r * width;
            int w = r % groups * width;
            float scale = (float) scale(x, from, width, eps);
            int i = Simd.available() ? Lanes.forward(x, from, width, scale, weight, w, out, to) : 0;
            for (; i < width; i++) {
                out[to + i] = x[from + i] * scale * weight[w + i];
            }
        }
    }

    /** {@code x = x / sqrt(mean(x²) + eps)}, in place and without a weight; rows have a stride. */
    public static void unit(float[] x, int at, int stride, int rows, int width, float eps) {
        for (int r = 0; r < rows; r++) {
            int from = at + r * stride;
            float scale = (float) scale(x, from, width, eps);
            for (int i = 0; i < width; i++) {
                x[from + i] *= scale;
            }
        }
    }

    /** Gradients of {@link #unit}'s output become those of its input x, in place; both have the stride. */
    public static void unitBackward(float[] x, int xAt, int stride, int rows, int width, float eps, float[] grad, int gradAt) {
        for (int r = 0; r < rows; r++) {
            int from = xAt + r * stride;
            int to = gradAt + r * stride;
            double scale = scale(x, from, width, eps);
            float s = (float) scale;
            float back = (float) (Sums.products(grad, to, x, from, width) / width * scale * scale * scale);
            for (int i = 0; i < width; i++) {
                grad[to + i] = grad[to + i] * s - x[from + i] * back;
            }
        }
    }

    /** dX is added to, and so is dWeight unless it is null: dX += s (dOut w) - s³ x mean(dOut w x). */
    public static void backward(float[] x, int xAt, int rows, int width, float[] weight, float eps, float[] dOut, int dOutAt,
            float[] dX, int dXAt, float[] dWeight) {
        backward(x, xAt, rows, 1, width, weight, eps, dOut, dOutAt, dX, dXAt, dWeight);
    }

    /** The same of rows of groups. */
    public static void backward(float[] x, int xAt, int rows, int groups, int width, float[] weight, float eps, float[] dOut, int dOutAt,
            float[] dX, int dXAt, float[] dWeight) {
        for (int r = 0; r < rows * groups; r++) {
            int w = r % groups * width;
            int from = xAt + r * width;
            int in = dOutAt + r * width;
            int to = dXAt + r * width;
            double scale = scale(x, from, width, eps);
            double dot = Sums.products(dOut, in, weight, w, x, from, 0, width);
            float s = (float) scale;
            float back = (float) (dot / width * scale * scale * scale);
            int i = Simd.available() ? Lanes.backward(x, from, width, s, weight, w, back, dOut, in, dX, to, dWeight) : 0;
            for (; i < width; i++) {
                dX[to + i] += dOut[in + i] * weight[w + i] * s - x[from + i] * back;
                if (dWeight != null) {
                    dWeight[w + i] += dOut[in + i] * x[from + i] * s;
                }
            }
        }
    }

    private static double scale(float[] x, int at, int width, float eps) {
        return 1 / Math.sqrt(Sums.squares(x, at, width, 0) / width + eps);
    }

    private static final class Lanes {
        static int forward(float[] x, int from, int width, float scale, float[] weight, int w, float[] out, int to) {
            int i = 0;
            for (; i <= width - VectorMath.COUNT; i += VectorMath.COUNT) {
                FloatVector v = FloatVector.fromArray(VectorMath.LANES, x, from + i);
                v.mul(scale).mul(FloatVector.fromArray(VectorMath.LANES, weight, w + i)).intoArray(out, to + i);
            }
            return i;
        }

        static int backward(float[] x, int from, int width, float s, float[] weight, int w, float back,
                float[] dOut, int in, float[] dX, int to, float[] dWeight) {
            int i = 0;
            for (; i <= width - VectorMath.COUNT; i += VectorMath.COUNT) {
                FloatVector g = FloatVector.fromArray(VectorMath.LANES, dOut, in + i);
                FloatVector v = FloatVector.fromArray(VectorMath.LANES, x, from + i);
                FloatVector change = g.mul(FloatVector.fromArray(VectorMath.LANES, weight, w + i)).mul(s).sub(v.mul(back));
                FloatVector.fromArray(VectorMath.LANES, dX, to + i).add(change).intoArray(dX, to + i);
                if (dWeight != null) {
                    FloatVector.fromArray(VectorMath.LANES, dWeight, w + i).add(g.mul(v).mul(s)).intoArray(dWeight, w + i);
                }
            }
            return i;
        }
    }
}
