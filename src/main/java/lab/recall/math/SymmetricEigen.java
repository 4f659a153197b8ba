package lab.recall.math;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * All eigenvalues and some eigenvectors of a symmetric matrix, in f64: Householder's reduction to a tridiagonal matrix, panels of columns
 * at a time, and the implicit QL method, whose rotations are kept and applied in reverse order to the columns of the identity that are
 * asked for. Vectors are orthogonal to rounding, however close values lie. Source: Golub and Van Loan, Matrix Computations, sections 5.1.7
 * and 8.3; Dongarra, Hammarling and Sorensen, LAPACK working note 2.
 *
 * @param values  largest first, [n]
 * @param vectors the vector of value k in column k, rows of {@link Doubles#padded} (count)
 */
record SymmetricEigen(double[] values, double[] vectors) {
    /** Columns that are reduced before the matrix takes their updates. */
    private static final int PANEL = 32;
    /** Products of fewer multiplications are not worth a second thread. */
    private static final long SPLIT = 200_000;
    /** Far more than the two that an eigenvalue takes. */
    private static final int MOST_SWEEPS = 60;
    private static final double EPSILON = Math.ulp(1.0);

    /** Room for a matrix: rows of {@link Doubles#padded} (n). */
    static double[] room(int rows, int n) {
        return new double[Math.multiplyExact(rows + Doubles.TILE_ROWS, Doubles.padded(n))];
    }

    /** Of a matrix in {@link #room}, which is overwritten. */
    static SymmetricEigen of(double[] a, int n, int count) {
        double[] d = new double[n];
        double[] e = new double[n];
        double[] taus = new double[n];
        tridiagonal(a, n, d, e, taus);
        List<Sweep> sweeps = new ArrayList<>();
        diagonal(d, e, count > 0 ? sweeps : null);
        int[] order = IntStream.range(0, n).boxed().sorted(Comparator.comparingDouble(k -> -d[k])).mapToInt(k -> k).toArray();
        double[] values = Arrays.stream(order).mapToDouble(k -> d[k]).toArray();
        double[] z = rotated(sweeps, order, n, count);
        sweeps.clear();
        reflect(a, taus, z, n, count);
        return new SymmetricEigen(values, z);
    }

    /** a becomes H T H', H = H_0 H_1 ..: the vector of reflector k in row k from column k + 1 on, zeros before it. */
    private static void tridiagonal(double[] a, int n, double[] d, double[] e, double[] taus) {
        int stride = Doubles.padded(n);
        int width = Doubles.width(n);
        int across = Doubles.width(2 * PANEL);
        double[] x = new double[2 * PANEL * stride];            // v_0, w_0, v_1, w_1 ..
        double[] y = new double[2 * PANEL * stride];            // -w_0, -v_0 ..: the panel's update is a + x' y
        double[] columns = new double[n * across];              // y'
        double[] shares = new double[across];
        for (int first = 0; first < n - 1; first += PANEL) {
            int end = Math.min(n - 1, first + PANEL);
            Arrays.fill(x, 0);
            Arrays.fill(y, 0);
            Arrays.fill(columns, 0);
            for (int k = first; k < end; k++) {
                int pairs = 2 * (k - first);
                int row = k * stride;
                int from = k / Doubles.WIDTH * Doubles.WIDTH;
                for (int q = 0; q < pairs; q++) {
                    shares[q] = x[q * stride + k];
                }
                Doubles.combine(shares, 0, y, from, stride, pairs, a, row + from, width - from);
                d[k] = a[row + k];
                Arrays.fill(a, row, row + k + 1, 0);
                e[k] = reflector(a, row + k + 1, n - k - 1, taus, k);
                if (taus[k] == 0) {
                    continue;
                }
                int w = (pairs + 1) * stride;
                image(a, row, k + 1, n, x, w);
                Arrays.fill(shares, 0);
                Doubles.combine(a, row + k + 1, columns, (k + 1) * across, across, n - k - 1, shares, 0, Doubles.width(pairs));
                int begin = (k + 1) / Doubles.WIDTH * Doubles.WIDTH;
                Doubles.combine(shares, 0, x, begin, stride, pairs, x, w + begin, width - begin);
                Arrays.fill(x, w + begin, w + k + 1, 0);
                double along = 0;
                for (int j = k + 1; j < n; j++) {
                    x[w + j] *= taus[k];
                    along += x[w + j] * a[row + j];
                }
                for (int j = k + 1; j < n; j++) {
                    double v = a[row + j];
                    double u = x[w + j] - taus[k] / 2 * along * v;
                    x[w - stride + j] = v;
                    x[w + j] = u;
                    y[w - stride + j] = -u;
                    y[w + j] = -v;
                    columns[j * across + pairs] = -u;
                    columns[j * across + pairs + 1] = -v;
                }
            }
            int from = end / Doubles.WIDTH * Doubles.WIDTH;
            int depth = 2 * (end - first);
            Parallel.ranges(n - end, Doubles.BLOCK, (r, to) -> Doubles.outer(x, end + r, stride, y, from, stride,
                    depth, to - r, width - from, a, (end + r) * stride + from, stride));
        }
        d[n - 1] = a[(n - 1) * stride + n - 1];
    }

    /** Puts v of I - tau v v' in the place of the numbers that it makes zeros of, all but the first, which is returned. */
    private static double reflector(double[] v, int at, int count, double[] taus, int k) {
        double rest = 0;
        for (int j = 1; j < count; j++) {
            rest += v[at + j] * v[at + j];
        }
        double first = v[at];
        if (rest == 0) {
            Arrays.fill(v, at, at + count, 0);
            taus[k] = 0;
            return first;
        }
        double length = Math.sqrt(first * first + rest);
        double left = first > 0 ? -length : length;
        taus[k] = (left - first) / left;
        v[at] = 1;
        for (int j = 1; j < count; j++) {
            v[at + j] /= first - left;
        }
        return left;
    }

    /** w = the matrix from row and column {@code begin} on times the vector in a row of it. */
    private static void image(double[] a, int row, int begin, int n, double[] x, int w) {
        int stride = Doubles.padded(n);
        int from = begin / Doubles.WIDTH * Doubles.WIDTH;
        int blocks = (Doubles.width(n) - from) / Doubles.WIDTH;
        int parts = (long) (n - begin) * (n - begin) < SPLIT ? 1 : Parallel.threads();
        Parallel.ranges(blocks, (blocks + parts - 1) / parts, (b, to) -> {
            int at = from + b * Doubles.WIDTH;
            Doubles.combine(a, row + begin, a, begin * stride + at, stride, n - begin, x, w + at, (to - b) * Doubles.WIDTH);
        });
    }

    /** Rotations of neighbours from {@code first} on: c and s of each. The method made them from the last to the first. */
    private record Sweep(int first, double[] turns) {
    }

    /** d becomes the eigenvalues, by sweeps that are kept unless null is given. */
    private static void diagonal(double[] d, double[] e, List<Sweep> sweeps) {
        int n = d.length;
        double norm = IntStream.range(0, n).mapToDouble(k -> Math.abs(d[k]) + Math.abs(e[k])).max().orElse(0);
        double nothing = EPSILON * norm;                        // the rounding of large values keeps what is smaller from settling
        for (int l = 0; l < n; l++) {
            for (int sweep = 0;; sweep++) {
                int m = l;
                while (m < n - 1 && Math.abs(e[m]) > nothing) {
                    m++;
                }
                if (m == l) {
                    break;
                }
                if (sweep == MOST_SWEEPS) {
                    throw new ArithmeticException("no eigenvalue " + l + " of " + n + " after " + sweep + " sweeps");
                }
                sweep(d, e, l, m, sweeps);
            }
        }
    }

    private static void sweep(double[] d, double[] e, int l, int m, List<Sweep> sweeps) {
        double[] turns = new double[2 * (m - l)];
        double g = (d[l + 1] - d[l]) / (2 * e[l]);
        double r = Math.sqrt(g * g + 1);
        g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r));
        double c = 1;
        double s = 1;
        double p = 0;
        int i = m - 1;
        for (; i >= l; i--) {
            double f = s * e[i];
            double b = c * e[i];
            r = Math.sqrt(f * f + g * g);
            e[i + 1] = r;
            if (r == 0) {                                       // below what numbers can tell from 0: the matrix falls apart here
                d[i + 1] -= p;
                break;
            }
            s = f / r;
            c = g / r;
            g = d[i + 1] - p;
            r = (d[i] - g) * s + 2 * c * b;
            p = s * r;
            d[i + 1] = g + p;
            g = c * r - b;
            turns[2 * (i - l)] = c;
            turns[2 * (i - l) + 1] = s;
        }
        if (i < l) {
            d[l] -= p;
            e[l] = g;
        }
        e[m] = 0;
        if (sweeps != null && i < m - 1) {
            sweeps.add(new Sweep(i + 1, i < l ? turns : Arrays.copyOfRange(turns, 2 * (i + 1 - l), turns.length)));
        }
    }

    /** The tridiagonal matrix's vectors: the last rotation first, applied to columns of the identity. */
    private static double[] rotated(List<Sweep> sweeps, int[] order, int n, int count) {
        int stride = Doubles.padded(count);
        double[] z = room(n, count);
        Parallel.forEach(Doubles.width(count) / Doubles.WIDTH, panel -> {
            double[] some = new double[n * Doubles.WIDTH];      // side by side: a panel stays in the second-level cache
            int first = panel * Doubles.WIDTH;
            for (int k = first; k < Math.min(count, first + Doubles.WIDTH); k++) {
                some[order[k] * Doubles.WIDTH + k - first] = 1;
            }
            for (int i = sweeps.size() - 1; i >= 0; i--) {
                Doubles.rotate(sweeps.get(i).turns, sweeps.get(i).first, some);
            }
            for (int i = 0; i < n; i++) {
                System.arraycopy(some, i * Doubles.WIDTH, z, i * stride + first, Doubles.WIDTH);
            }
        });
        return z;
    }

    /** z = H z, reflectors in blocks: H_k .. H_(k + b - 1) = I - V T V' (Schreiber and Van Loan's compact form). */
    private static void reflect(double[] a, double[] taus, double[] z, int n, int count) {
        int stride = Doubles.padded(n);
        int zStride = Doubles.padded(count);
        int block = Doubles.BLOCK;
        int across = Doubles.width(block);
        for (int last = (n - 2) / block * block; last >= 0 && count > 0; last -= block) {
            int first = last;
            int b = Math.min(block, n - 1 - first);
            int from = first + 1;
            double[] columns = new double[(n - from) * across];         // V
            for (int p = 0; p < b; p++) {
                for (int i = from + p; i < n; i++) {
                    columns[(i - from) * across + p] = a[(first + p) * stride + i];
                }
            }
            double[] t = minusT(columns, across, n - from, b, taus, first);
            Parallel.ranges(Doubles.width(count), across, (j, to) -> {
                double[] shares = new double[block * across];
                Doubles.outer(columns, 0, across, z, from * zStride + j, zStride, n - from, b, to - j, shares, 0, across);
                double[] sums = new double[block * across];
                for (int p = 0; p < b; p++) {
                    Doubles.combine(t, p * block, shares, 0, across, b, sums, p * across, to - j);
                }
                Doubles.outer(a, first * stride + from, stride, sums, 0, across, b, n - from, to - j, z, from * zStride + j, zStride);
            });
        }
    }

    /** -T of a block, [b, BLOCK]. */
    private static double[] minusT(double[] columns, int across, int depth, int b, double[] taus, int first) {
        int block = Doubles.BLOCK;
        double[] products = new double[block * across];
        Doubles.outer(columns, 0, across, columns, 0, across, depth, b, across, products, 0, across);
        double[] t = new double[block * block];
        for (int q = 0; q < b; q++) {
            double tau = taus[first + q];
            t[q * block + q] = -tau;
            for (int p = 0; p < q; p++) {
                double sum = 0;
                for (int k = p; k < q; k++) {
                    sum += t[p * block + k] * products[k * across + q];
                }
                t[p * block + q] = -tau * sum;
            }
        }
        return t;
    }
}
