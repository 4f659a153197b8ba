package lab.recall.math;

import java.util.Arrays;
import lab.recall.base.BadRequest;
import lab.recall.base.Unsolvable;

/**
 * Singular value decomposition of a square matrix, M = Σ s_k u_k v_k', largest first: all values, and as many vectors as are asked for.
 *
 * <pre>{@code
 * Svd svd = Svd.of(w, n, 64);
 * svd.lowRank(8)                                             // the nearest matrix of rank 8, [n, n]
 * svd.inverse(8)                                             // its pseudo-inverse
 * }</pre>
 *
 * Found as eigenvectors of M'M in f64 ({@link SymmetricEigen}): for f32 numbers as exact as M's own decomposition, since what the product
 * loses, 1e-16 of (s_0 / s_k)², stays below what vectors lose as f32, 6e-8 of s_0 / s_k, wherever s_k is more than noise. The numbers
 * depend neither on threads nor on lanes. Takes about (24 n² + 16 n vectors) bytes while it works, 200 MB for n = 2560 and 312 vectors, and
 * keeps 8 n vectors.
 *
 * @param n      rows and columns
 * @param values s, [n]
 * @param left   u_k in row k, [vectors, n]; zeros where s_k is noise
 * @param right  v_k in row k, [vectors, n]
 */
public record Svd(int n, double[] values, float[] left, float[] right) {
    /** What a matrix of f32 numbers cannot tell from 0, as a share of the largest singular value. */
    private static final double NOTHING = 1e-6;

    /**
     * Of a row-major matrix, with all vectors.
     *
     * @throws Unsolvable when the matrix is not finite
     */
    public static Svd of(float[] matrix, int n) {
        return of(matrix, n, n);
    }

    /**
     * With the vectors of the largest values, 0 to n of them: enough for ranks up to that number.
     *
     * @throws Unsolvable when the matrix is not finite
     */
    public static Svd of(float[] matrix, int n, int vectors) {
        SymmetricEigen eigen = SymmetricEigen.of(gram(matrix, n), n, vectors);
        double[] values = Arrays.stream(eigen.values()).map(s -> Math.sqrt(Math.max(0, s))).toArray();
        float[] left = new float[vectors * n];
        float[] right = new float[vectors * n];
        double[] v = eigen.vectors();
        int stride = Doubles.padded(vectors);
        int block = Doubles.BLOCK;
        Parallel.ranges(n, block, (from, to) -> {
            double[] images = new double[block * stride];
            double[] some = new double[block * block];
            for (int c = 0; c < n; c += block) {
                int depth = Math.min(block, n - c);
                for (int r = from; r < to; r++) {
                    for (int k = 0; k < depth; k++) {
                        some[k * block + r - from] = matrix[r * n + c + k];
                    }
                }
                Doubles.outer(some, 0, block, v, c * stride, stride, depth, to - from, Doubles.width(vectors), images, 0, stride);
            }
            for (int k = 0; k < vectors; k++) {
                for (int r = from; r < to; r++) {
                    right[k * n + r] = (float) v[r * stride + k];
                    left[k * n + r] = values[k] > NOTHING * values[0] ? (float) (images[(r - from) * stride + k] / values[k]) : 0f;
                }
            }
        });
        return new Svd(n, values, left, right);
    }

    /** M'M, in {@link SymmetricEigen#room}. */
    private static double[] gram(float[] m, int n) {
        int stride = Doubles.padded(n);
        int width = Doubles.width(n);
        int block = Doubles.BLOCK;
        double[] gram = SymmetricEigen.room(n, n);
        double[] rows = new double[block * stride];
        for (int first = 0; first < n; first += block) {
            int depth = Math.min(block, n - first);
            for (int k = 0; k < depth; k++) {
                for (int i = 0; i < n; i++) {
                    float value = m[(first + k) * n + i];
                    if (!Float.isFinite(value)) {
                        throw new Unsolvable("singular values", "the matrix holds " + value + " in row " + (first + k)
                                + ", column " + i);
                    }
                    rows[k * stride + i] = value;
                }
            }
            Parallel.ranges(n, block, (i, to) -> {              // from the diagonal on
                int from = i / Doubles.WIDTH * Doubles.WIDTH;
                Doubles.outer(rows, i, stride, rows, from, stride, depth, to - i, width - from, gram, i * stride + from, stride);
            });
        }
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < i; j++) {
                gram[i * stride + j] = gram[j * stride + i];
            }
        }
        return gram;
    }

    /** How many singular values are more than noise. */
    public int rank() {
        return (int) Arrays.stream(values).filter(s -> s > NOTHING * values[0]).count();
    }

    /**
     * The nearest matrix of a rank.
     *
     * @throws BadRequest when not so many vectors were found
     */
    public float[] lowRank(int rank) {
        return sum(rank, left, right, false);
    }

    /** The pseudo-inverse of the nearest matrix of a rank; what is noise stays 0. */
    public float[] inverse(int rank) {
        return sum(Math.min(rank, rank()), right, left, true);
    }

    private float[] sum(int rank, float[] of, float[] by, boolean inverted) {
        if (rank * n > left.length) {
            throw new BadRequest("rank", rank + ", expected at most the " + left.length / n + " vectors that were found");
        }
        int stride = Doubles.padded(n);
        int block = Doubles.BLOCK;
        double[] rows = new double[rank * stride];
        for (int k = 0; k < rank; k++) {
            for (int c = 0; c < n; c++) {
                rows[k * stride + c] = by[k * n + c];
            }
        }
        float[] all = new float[n * n];
        Parallel.ranges(n, block, (from, to) -> {
            double[] shares = new double[rank * block];
            for (int k = 0; k < rank; k++) {
                double s = inverted ? 1 / values[k] : values[k];
                for (int r = from; r < to; r++) {
                    shares[k * block + r - from] = s * of[k * n + r];
                }
            }
            double[] sums = new double[block * stride];
            Doubles.outer(shares, 0, block, rows, 0, stride, rank, to - from, Doubles.width(n), sums, 0, stride);
            for (int r = from; r < to; r++) {
                for (int c = 0; c < n; c++) {
                    all[r * n + c] = (float) sums[(r - from) * stride + c];
                }
            }
        });
        return all;
    }
}
