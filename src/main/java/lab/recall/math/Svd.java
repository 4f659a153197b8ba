package lab.recall.math;

import java.util.Arrays;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.linear.SingularValueDecomposition;

/**
 * Singular value decomposition of a square matrix, M = Σ s_k u_k v_k', largest first.
 *
 * <pre>{@code
 * Svd svd = Svd.of(w, n);
 * svd.lowRank(8)                                             // the nearest matrix of rank 8, [n, n]
 * svd.inverse(8)                                             // its pseudo-inverse
 * }</pre>
 *
 * @param n      rows and columns
 * @param values s, [n]
 * @param left   u_k in row k, [n, n]
 * @param right  v_k in row k, [n, n]
 */
public record Svd(int n, double[] values, float[] left, float[] right) {
    /** What a matrix of f32 numbers cannot tell from 0, as a share of the largest singular value. */
    private static final double NOTHING = 1e-6;

    /** Of a row-major matrix. */
    public static Svd of(float[] matrix, int n) {
        double[][] rows = new double[n][n];
        for (int r = 0; r < n; r++) {
            for (int c = 0; c < n; c++) {
                rows[r][c] = matrix[r * n + c];
            }
        }
        SingularValueDecomposition svd = new SingularValueDecomposition(new Array2DRowRealMatrix(rows, false));
        return new Svd(n, svd.getSingularValues(), flat(svd.getUT(), n), flat(svd.getVT(), n));
    }

    private static float[] flat(RealMatrix m, int n) {
        float[] flat = new float[n * n];
        for (int r = 0; r < n; r++) {
            for (int c = 0; c < n; c++) {
                flat[r * n + c] = (float) m.getEntry(r, c);
            }
        }
        return flat;
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
