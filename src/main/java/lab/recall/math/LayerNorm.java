package lab.recall.math;

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
            for (int i = 0; i < width; i++) {
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
            double sum = 0;
            double dot = 0;
            for (int i = 0; i < width; i++) {
                double g = (double) dOut[in + i] * weight[i];
                sum += g;
                dot += g * (x[from + i] - mean) * scale;
            }
            sum /= width;
            dot /= width;
            for (int i = 0; i < width; i++) {
                double normed = (x[from + i] - mean) * scale;
                dX[to + i] += (float) (scale * ((double) dOut[in + i] * weight[i] - sum - normed * dot));
                if (dWeight != null) {
                    dWeight[i] += (float) (dOut[in + i] * normed);
                    dBias[i] += dOut[in + i];
                }
            }
        }
    }

    private static double mean(float[] x, int at, int width) {
        double sum = 0;
        for (int i = 0; i < width; i++) {
            sum += x[at + i];
        }
        return sum / width;
    }

    private static double scale(float[] x, int at, int width, double mean, float eps) {
        double sum = 0;
        for (int i = 0; i < width; i++) {
            double v = x[at + i] - mean;
            sum += v * v;
        }
        return 1 / Math.sqrt(sum / width + eps);
    }
}
