package lab.recall.math;

/**
 * The Cholesky factor of a symmetric positive definite matrix, in f64, and systems solved with it.
 *
 * <pre>{@code
 * Cholesky c = Cholesky.of(rows);                            // the upper triangle, row by row; refuses a singular one
 * double[] x = c.solve(b);                                   // matrix x = b
 * }</pre>
 *
 * A = R' R with R upper triangular (Golub and Van Loan, Matrix Computations, section 4.2). Rows are split over threads; each number is
 * computed in one order, so the factor does not depend on them.
 */
public final class Cholesky {
    /** Pivots that are eliminated together, so that each row is read once for all of them. */
    private static final int BLOCK = 32;
    /** A pivot below this share of its diagonal entry is rounding noise. */
    private static final double NOISE = 1e-13;

    /** Row i from its diagonal on. */
    private final double[][] rows;

    private Cholesky(double[][] rows) {
        this.rows = rows;
    }

    /**
     * One that is not positive definite gets an {@link ArithmeticException}.
     *
     * @param upper row i from its diagonal on, n - i numbers; overwritten with the factor
     */
    public static Cholesky of(double[][] upper) {
        double[][] r = upper;
        int n = r.length;
        double[] diagonal = new double[n];
        for (int i = 0; i < n; i++) {
            diagonal[i] = r[i][0];
        }
        for (int first = 0; first < n; first += BLOCK) {
            int end = Math.min(n, first + BLOCK);
            for (int k = first; k < end; k++) {
                if (!(r[k][0] > NOISE * diagonal[k])) {
                    throw new ArithmeticException("singular: pivot " + k + " of " + n + " is " + r[k][0]);
                }
                double root = Math.sqrt(r[k][0]);
                for (int j = 0; j < n - k; j++) {
                    r[k][j] /= root;
                }
                for (int i = k + 1; i < end; i++) {
                    subtract(r[k], i - k, r[i]);
                }
            }
            int begin = first;
            Parallel.forEach(n - end, item -> {
                int i = end + item;
                for (int k = begin; k < end; k++) {
                    subtract(r[k], i - k, r[i]);
                }
            });
        }
        return new Cholesky(r);
    }

    private static void subtract(double[] pivot, int from, double[] row) {
        double f = pivot[from];
        for (int j = 0; j < row.length; j++) {
            row[j] -= f * pivot[from + j];
        }
    }

    /** x with A x = b. */
    public double[] solve(double[] b) {
        int n = rows.length;
        double[] x = b.clone();
        for (int k = 0; k < n; k++) {                   // R' y = b
            x[k] /= rows[k][0];
            for (int j = k + 1; j < n; j++) {
                x[j] -= rows[k][j - k] * x[k];
            }
        }
        for (int k = n - 1; k >= 0; k--) {              // R x = y
            double sum = x[k];
            for (int j = k + 1; j < n; j++) {
                sum -= rows[k][j - k] * x[j];
            }
            x[k] = sum / rows[k][0];
        }
        return x;
    }
}
