package lab.recall.math;

/**
 * Root-mean-square norm: x / sqrt(mean(x²) + eps) · weight, row by row.
 *
 * <pre>{@code
 * RmsNorm.forward(h, 0, rows, d, weight, 1e-5f, normed, 0);
 * }</pre>
 *
 * Sums are taken in f64. Source: Zhang and Sennrich, arXiv 1910.07467.
 */
public final class RmsNorm {
    private RmsNorm() {
    }

    /** Rows are contiguous; out may not be x. */
    public static void forward(float[] x, int xAt, int rows, int width, float[] weight, float eps, float[] out, int outAt) {
        for (int r = 0; r < rows; r++) {
            int from = xAt + r * width;
            int to = outAt + r * width;
            float scale = (float) scale(x, from, width, eps);
            for (int i = 0; i < width; i++) {
                out[to + i] = x[from + i] * scale * weight[i];
            }
        }
    }

    /** dX is added to, and so is dWeight unless it is null: dX += s (dOut w) - s³ x mean(dOut w x). */
    public static void backward(float[] x, int xAt, int rows, int width, float[] weight, float eps, float[] dOut, int dOutAt,
            float[] dX, int dXAt, float[] dWeight) {
        for (int r = 0; r < rows; r++) {
            int from = xAt + r * width;
            int in = dOutAt + r * width;
            int to = dXAt + r * width;
            double scale = scale(x, from, width, eps);
            double dot0 = 0;
            double dot1 = 0;
            int k = 0;
            for (; k < width - 1; k += 2) {
                dot0 += (double) dOut[in + k] * weight[k] * x[from + k];
                dot1 += (double) dOut[in + k + 1] * weight[k + 1] * x[from + k + 1];
            }
            if (k < width) {
                dot0 += (double) dOut[in + k] * weight[k] * x[from + k];
            }
            float s = (float) scale;
            float back = (float) ((dot0 + dot1) / width * scale * scale * scale);
            for (int i = 0; i < width; i++) {
                dX[to + i] += dOut[in + i] * weight[i] * s - x[from + i] * back;
            }
            if (dWeight != null) {
                for (int i = 0; i < width; i++) {
                    dWeight[i] += dOut[in + i] * x[from + i] * s;
                }
            }
        }
    }

    private static double scale(float[] x, int at, int width, float eps) {
        double a = 0;
        double b = 0;
        int i = 0;
        for (; i < width - 1; i += 2) {
            a += (double) x[at + i] * x[at + i];
            b += (double) x[at + i + 1] * x[at + i + 1];
        }
        if (i < width) {
            a += (double) x[at + i] * x[at + i];
        }
        return 1 / Math.sqrt((a + b) / width + eps);
    }
}
