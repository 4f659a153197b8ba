package lab.recall.math;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import lab.recall.base.Unsolvable;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.DiagonalMatrix;
import org.apache.commons.math3.linear.QRDecomposition;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.linear.SingularValueDecomposition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Decompositions against those of another library, and what they must satisfy by themselves. */
class SvdTest {
    /** What an f32 number is off by, relatively. */
    private static final double F32 = Math.ulp(1f) / 2;
    private static final String[] KINDS = {"random", "rank-deficient", "clustered", "pairs", "condition-1e5", "condition-1e12", "identity",
        "diagonal", "one-number", "huge", "tiny", "zero"};

    private static float[] matrix(String kind, int n) {
        return switch (kind) {
            case "random" -> random(n);
            case "rank-deficient" -> withValues(n, k -> k < n / 3 ? 1 + k : 0);
            case "clustered" -> withValues(n, k -> k < n / 2 ? 2 : 1);
            case "pairs" -> withValues(n, k -> 1 + k / 2);
            case "condition-1e5" -> withValues(n, k -> Math.pow(10, -5.0 * k / Math.max(1, n - 1)));
            case "condition-1e12" -> withValues(n, k -> Math.pow(10, -12.0 * k / Math.max(1, n - 1)));
            case "identity" -> withDiagonal(n, k -> 1);
            case "diagonal" -> withDiagonal(n, k -> (k % 2 == 0 ? 1 : -1) * (1 + (k * 7) % n));
            case "one-number" -> withDiagonal(n, k -> k == n / 2 ? 3 : 0);
            case "huge" -> scaled(random(n), 1e30f);
            case "tiny" -> scaled(random(n), 1e-36f);
            default -> new float[n * n];
        };
    }

    private static float[] random(int n) {
        Random random = new Random(n);
        float[] m = new float[n * n];
        for (int i = 0; i < m.length; i++) {
            m[i] = (float) random.nextGaussian();
        }
        return m;
    }

    private static float[] scaled(float[] m, float by) {
        for (int i = 0; i < m.length; i++) {
            m[i] *= by;
        }
        return m;
    }

    private static float[] withDiagonal(int n, IntToDoubleFunction value) {
        float[] m = new float[n * n];
        for (int i = 0; i < n; i++) {
            m[i * n + i] = (float) value.applyAsDouble(i);
        }
        return m;
    }

    private static float[] withValues(int n, IntToDoubleFunction value) {
        double[] s = new double[n];
        Arrays.setAll(s, value);
        RealMatrix left = new QRDecomposition(real(random(n), n)).getQ();
        RealMatrix right = new QRDecomposition(real(random(n), n).transpose()).getQ();
        RealMatrix all = left.multiply(new DiagonalMatrix(s)).multiply(right);
        float[] m = new float[n * n];
        for (int i = 0; i < m.length; i++) {
            m[i] = (float) all.getEntry(i / n, i % n);
        }
        return m;
    }

    private static RealMatrix real(float[] m, int n) {
        double[][] rows = new double[m.length / n][n];
        for (int i = 0; i < m.length; i++) {
            rows[i / n][i % n] = m[i];
        }
        return new Array2DRowRealMatrix(rows, false);
    }

    private static double largest(RealMatrix m) {
        return Arrays.stream(m.getData()).flatMapToDouble(Arrays::stream).map(Math::abs).max().orElse(0);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 33, 34, 70, 131})
    void valuesAndVectorsAreThoseOfTheMatrix(int n) {
        for (String kind : KINDS) {
            String what = kind + " " + n;
            float[] m = matrix(kind, n);
            RealMatrix a = real(m, n);
            Svd svd = Svd.of(m, n);
            double[] expected = new SingularValueDecomposition(a).getSingularValues();
            double most = expected[0];
            for (int k = 0; k < n; k++) {
                // squares, since M'M is what is decomposed
                assertEquals(expected[k] * expected[k], svd.values()[k] * svd.values()[k], 1e-13 * most * most, what + ", value " + k);
                assertTrue(k == 0 || svd.values()[k] <= svd.values()[k - 1], what);
            }
            RealMatrix v = real(svd.right(), n);
            RealMatrix u = real(svd.left(), n);
            assertEquals(0, largest(v.multiply(v.transpose()).subtract(unit(n, n))), 8 * F32, what + ", v'v");
            int sure = (int) Arrays.stream(svd.values()).filter(s -> s > 1e-3 * most).count();
            RealMatrix products = u.multiply(u.transpose());
            if (sure > 0) {
                RealMatrix block = products.getSubMatrix(0, sure - 1, 0, sure - 1);
                assertEquals(0, largest(block.subtract(unit(sure, sure))), 8 * F32, what + ", u'u");
            }
            for (int k = 0; k < n; k++) {
                boolean noise = k >= svd.rank();
                double[] image = a.operate(v.getRow(k));
                double[] back = a.transpose().operate(u.getRow(k));
                for (int i = 0; i < n; i++) {
                    double s = noise ? 0 : svd.values()[k];
                    assertEquals(s * svd.left()[k * n + i], image[i], (noise ? 1.1e-6 : 4 * F32) * most, what + ", M v = s u");
                    assertEquals(s * svd.right()[k * n + i], back[i], 4 * F32 * most, what + ", M'u = s v");
                }
            }
            assertArrayEquals(m, svd.lowRank(n), (float) (2.2e-6 * most), what + ", M");
        }
    }

    private static RealMatrix unit(int n, int ones) {
        RealMatrix unit = new Array2DRowRealMatrix(n, n);
        for (int i = 0; i < ones; i++) {
            unit.setEntry(i, i, 1);
        }
        return unit;
    }

    @Test
    void ranksAreCounted() {
        assertEquals(60, Svd.of(matrix("random", 60), 60).rank());
        assertEquals(20, Svd.of(matrix("rank-deficient", 60), 60).rank());
        assertEquals(60, Svd.of(matrix("condition-1e5", 60), 60).rank());
        assertEquals(1, Svd.of(matrix("one-number", 60), 60).rank());
        assertEquals(0, Svd.of(matrix("zero", 60), 60).rank());
        assertArrayEquals(new float[3600], Svd.of(matrix("zero", 60), 60).inverse(60));
    }

    /** What is left of a matrix beside its nearest one of a rank are the other values. */
    @ParameterizedTest
    @CsvSource({"random,50,1", "random,50,17", "random,50,50", "pairs,40,11", "rank-deficient,45,9"})
    void lowRankIsTheNearest(String kind, int n, int rank) {
        float[] m = matrix(kind, n);
        double[] s = new SingularValueDecomposition(real(m, n)).getSingularValues();
        double rest = Math.sqrt(Arrays.stream(s).skip(rank).map(x -> x * x).sum());
        assertEquals(rest, real(m, n).subtract(real(Svd.of(m, n, rank).lowRank(rank), n)).getFrobeniusNorm(), 1e-5 * s[0]);
    }

    /** Moore and Penrose's four conditions. */
    @ParameterizedTest
    @CsvSource({"random,50,1", "random,50,17", "clustered,66,33", "clustered,66,66", "rank-deficient,45,15", "rank-deficient,45,45",
        "condition-1e5,64,40", "huge,30,10", "zero,10,10"})
    void inverseIsThePseudoInverseOfLowRank(String kind, int n, int rank) {
        Svd svd = Svd.of(matrix(kind, n), n, rank);
        int real = Math.min(rank, svd.rank());
        double condition = real == 0 ? 1 : svd.values()[0] / svd.values()[real - 1];
        RealMatrix a = real(svd.lowRank(real), n);
        RealMatrix p = real(svd.inverse(rank), n);
        double near = 16 * F32 * condition;
        assertEquals(0, largest(a.multiply(p).multiply(a).subtract(a)), near * largest(a));
        assertEquals(0, largest(p.multiply(a).multiply(p).subtract(p)), near * largest(p));
        assertEquals(0, largest(a.multiply(p).subtract(a.multiply(p).transpose())), near);
        assertEquals(0, largest(p.multiply(a).subtract(p.multiply(a).transpose())), near);
    }

    /** Fewer vectors are the first of all of them, to the bit; the values are all there. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 16, 63, 100})
    void fewerVectorsAreTheFirst(int vectors) {
        int n = 100;
        float[] m = matrix("random", n);
        Svd all = Svd.of(m, n);
        Svd some = Svd.of(m, n, vectors);
        assertArrayEquals(all.values(), some.values());
        assertArrayEquals(Arrays.copyOf(all.left(), vectors * n), some.left());
        assertArrayEquals(Arrays.copyOf(all.right(), vectors * n), some.right());
        assertThrows(IllegalArgumentException.class, () -> some.lowRank(vectors + 1));
    }

    /** Whatever the threads, the lanes and the Java: the hash was the same on 128, 256 and 512 bits, and without vectors. */
    @Test
    void theSameBitsEverywhere() {
        int n = 300;
        float[] m = matrix("random", n);
        int threads = Parallel.threads();
        try {
            for (int t = 1; t <= 3; t++) {
                Parallel.setThreads(t);
                Svd svd = Svd.of(m, n, 90);
                int hash = 31 * (31 * Arrays.hashCode(svd.values()) + Arrays.hashCode(svd.left())) + Arrays.hashCode(svd.right());
                hash = 31 * (31 * hash + Arrays.hashCode(svd.lowRank(40))) + Arrays.hashCode(svd.inverse(40));
                assertEquals(-1724307439, hash, t + " threads");
            }
        } finally {
            Parallel.setThreads(threads);
        }
    }

    /** All that is allocated, what is soon free included: a few matrices, and no vector of the kernels, which would make it gigabytes. */
    @Test
    void allocatesAFewMatrices() {
        int n = 400;
        int vectors = 50;
        float[] m = matrix("random", n);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int before = Parallel.threads();
        long least = Long.MAX_VALUE;
        try {
            Parallel.setThreads(1);
            for (int i = 0; i < 100 && least >= 64L * n * n; i++) {     // the first ones run before the kernels are compiled
                long start = threads.getCurrentThreadAllocatedBytes();
                Svd.of(m, n, vectors);
                least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - start);
            }
        } finally {
            Parallel.setThreads(before);
        }
        assertTrue(least < 64L * n * n, least + " bytes");
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void whatIsNotANumberIsRefused(float value) {
        float[] m = matrix("random", 40);
        m[40 * 7 + 3] = value;
        Unsolvable e = assertThrows(Unsolvable.class, () -> Svd.of(m, 40));
        assertEquals("singular values: the matrix holds " + value + " in row 7, column 3", e.getMessage());
    }
}
