package lab.recall.math;

import jdk.incubator.vector.FloatVector;

/**
 * Layer norm: (x - mean) / sqrt(variance + eps) · weight + bias, row by row.
 *
 * <pre>{@code
 * LayerNorm.forward(h, 0, rows, d, weight, bias, 1e-5f, ln1, 0);
 * }</pre>
 *
 * Sums are taken in f64. Source: Ba et al., arXiv 1607.06450.
 */
public final class LayerNorm {
    private LayerNorm() {
    }

    /** Rows are contiguous; out may not be x. */
    public static void forward(float[] x, int xAt, int rows, int width, float[] weight, float[] bias, float eps, float[] out, int outAt) {
        for (int r = 0; r < rows; r++) {
            int from = xAt + r * width;
            int to = outAt + r * width;
            double mean = mean(x, from, width);
            float m = (float) mean;
            float s = (float) scale(x, from, width, mean, eps);
            int i = Simd.available() ? Lanes.forward(x, from, width, m, s, weight, bias, out, to) : 0;
            for (; i < width; i++) {
                out[to + i] = (x[from + i] - m) * s * weight[i] + bias[i];
            }
        }
    }

    /** dX is added to, and so are dWeight and dBias unless they are null. */
    public static void backward(float[] x, int xAt, int rows, int width, float[] weight, float eps, float[] dOut, int dOutAt,
            float[] dX, int dXAt, float[] dWeight, float[] dBias) {
        for (int r = 0; r < rows; r++) {
            int from = xAt + r * width;
            int in = dOutAt + r * width;
            int to = dXAt + r * width;
            double mean = mean(x, from, width);
            double scale = scale(x, from, width, mean, eps);
            double total = Sums.products(dOut, in, weight, 0, width);
            float m = (float) mean;
            float s = (float) scale;
            float sum = (float) (total / width);
            float dot = (float) (Sums.products(dOut, in, weight, 0, x, from, mean, width) * scale / width);
            int i = Simd.available() ? Lanes.backward(x, from, width, m, s, weight, sum, dot, dOut, in, dX, to, dWeight, dBias) : 0;
            for (; i < width; i++) {
                dX[to + i] += s * (dOut[in + i] * weight[i] - sum - (x[from + i] - m) * s * dot);
                if (dWeight != null) {
                    dWeight[i] += dOut[in + i] * ((x[from + i] - m) * s);
                    dBias[i] += dOut[in + i];
                }
            }
        }
    }

    private static double mean(float[] x, int at, int width) {
        return Sums.of(x, at, width) / width;
    }

    private static double scale(float[] x, int at, int width, double mean, float eps) {
        return 1 / Math.sqrt(Sums.squares(x, at, width, mean) / width + eps);
    }

    private static final class Lanes {
        static int forward(float[] x, int from, int width, float m, float s, float[] weight, float[] bias, float[] out, int to) {
            int i = 0;
            for (; i <= width - VectorMath.COUNT; i += VectorMath.COUNT) {
                FloatVector normed = FloatVector.fromArray(VectorMath.LANES, x, from + i).sub(m).mul(s);
                normed.mul(FloatVector.fromArray(VectorMath.LANES, weight, i))
                        .add(FloatVector.fromArray(VectorMath.LANES, bias, i)).intoArray(out, to + i);
            }
            return i;
        }

        static int backward(float[] x, int from, int width, float m, float s, float[] weight, float sum, float dot, float[] dOut, int in,
                float[] dX, int to, float[] dWeight, float[] dBias) {
            int i = 0;
            for (; i <= width - VectorMath.COUNT; i += VectorMath.COUNT) {
                FloatVector g = FloatVector.fromArray(VectorMath.LANES, dOut, in + i);
                FloatVector normed = FloatVector.fromArray(VectorMath.LANES, x, from + i).sub(m).mul(s);
                FloatVector change = g.mul(FloatVector.fromArray(VectorMath.LANES, weight, i)).sub(sum).sub(normed.mul(dot)).mul(s);
                FloatVector.fromArray(VectorMath.LANES, dX, to + i).add(change).intoArray(dX, to + i);
                if (dWeight != null) {
                    FloatVector.fromArray(VectorMath.LANES, dWeight, i).add(g.mul(normed)).intoArray(dWeight, i);
                    FloatVector.fromArray(VectorMath.LANES, dBias, i).add(g).intoArray(dBias, i);
                }
            }
            return i;
        }
    }
}
