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
            // two sums each, so that the additions do not wait for one another
            double sum0 = 0;
            double sum1 = 0;
            double dot0 = 0;
            double dot1 = 0;
            int k = 0;
            for (; k < width - 1; k += 2) {
                double g0 = (double) dOut[in + k] * weight[k];
                double g1 = (double) dOut[in + k + 1] * weight[k + 1];
                sum0 += g0;
                sum1 += g1;
                dot0 += g0 * (x[from + k] - mean);
                dot1 += g1 * (x[from + k + 1] - mean);
            }
            if (k < width) {
                double g = (double) dOut[in + k] * weight[k];
                sum0 += g;
                dot0 += g * (x[from + k] - mean);
            }
            float m = (float) mean;
            float s = (float) scale;
            float sum = (float) ((sum0 + sum1) / width);
            float dot = (float) ((dot0 + dot1) * scale / width);
            for (int i = 0; i < width; i++) {
                dX[to + i] += s * (dOut[in + i] * weight[i] - sum - (x[from + i] - m) * s * dot);
            }
            if (dWeight != null) {
                for (int i = 0; i < width; i++) {
                    dWeight[i] += dOut[in + i] * ((x[from + i] - m) * s);
                }
                Elementwise.add(dOut, in, dBias, 0, width);
            }
        }
    }

    private static double mean(float[] x, int at, int width) {
        double a = 0;
        double b = 0;
        int i = 0;
        for (; i < width - 1; i += 2) {
            a += x[at + i];
            b += x[at + i + 1];
        }
        return (a + b + (i < width ? x[at + i] : 0)) / width;
    }

    private static double scale(float[] x, int at, int width, double mean, float eps) {
        double a = 0;
        double b = 0;
        int i = 0;
        for (; i < width - 1; i += 2) {
            double v = x[at + i] - mean;
            double w = x[at + i + 1] - mean;
            a += v * v;
            b += w * w;
        }
        if (i < width) {
            double v = x[at + i] - mean;
            a += v * v;
        }
        return 1 / Math.sqrt((a + b) / width + eps);
    }
}
