package lab.recall.math;

import static jdk.incubator.vector.VectorOperators.F2D;

import java.util.function.IntToDoubleFunction;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sums over a row of f32 numbers, taken in f64: eight running sums, each of every eighth term, then the terms that are left over. The order
 * depends on the width alone.
 */
final class Sums {
    private static final int CHAINS = 8;

    private Sums() {
    }

    /** Σ x. */
    static double of(float[] x, int at, int width) {
        return usesLanes(width) ? Lanes.of(x, at, width) : ordered(width, i -> x[at + i]);
    }

    /** Σ (x - mean)². */
    static double squares(float[] x, int at, int width, double mean) {
        return usesLanes(width) ? Lanes.squares(x, at, width, mean) : ordered(width, i -> (x[at + i] - mean) * (x[at + i] - mean));
    }

    /** Σ a b. */
    static double products(float[] a, int aAt, float[] b, int bAt, int width) {
        return usesLanes(width) ? Lanes.products(a, aAt, b, bAt, width) : ordered(width, i -> (double) a[aAt + i] * b[bAt + i]);
    }

    /** Σ a b (x - mean). */
    static double products(float[] a, int aAt, float[] b, int bAt, float[] x, int xAt, double mean, int width) {
        return usesLanes(width) ? Lanes.products(a, aAt, b, bAt, x, xAt, mean, width)
                : ordered(width, i -> (double) a[aAt + i] * b[bAt + i] * (x[xAt + i] - mean));
    }

    /** A row shorter than one step of the vector form would be read past its end. */
    private static boolean usesLanes(int width) {
        return Simd.available() && width >= Lanes.STEP;
    }

    private static double ordered(int width, IntToDoubleFunction term) {
        int whole = width - width % CHAINS;
        double rest = 0;
        for (int i = whole; i < width; i++) {
            rest += term.applyAsDouble(i);
        }
        double[] s = new double[CHAINS];
        for (int i = 0; i < whole; i++) {
            s[i % CHAINS] += term.applyAsDouble(i);
        }
        return fold(s) + rest;
    }

    private static double fold(double[] s) {
        return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
    }

    /**
     * The running sums in f64 vectors of the preferred shape: one of 512 bits, two of 256 or four of 128. f32 numbers are loaded in that
     * shape too and widened half by half: with a second shape of float vectors in the process Java 17 has to guess the class of a vector
     * wherever it compiles a kernel anew, and then puts vectors on the heap. No method of ours takes or gives a vector: inside a caller
     * that is large already the compilers would call it, and put the running sums on the heap at every step. Loaded only where the Vector
     * API is.
     */
    private static final class Lanes {
        private static final VectorSpecies<Float> F = VectorMath.LANES;
        private static final VectorSpecies<Double> D = DoubleVector.SPECIES_PREFERRED;
        private static final boolean ONE = D.length() == CHAINS;
        private static final boolean FOUR = D.length() == CHAINS / 4;
        /** Terms of one round. */
        static final int STEP = ONE ? 2 * CHAINS : CHAINS;
        /** Where a row's running sums are added up. */
        private static final ThreadLocal<double[]> CHAIN = ThreadLocal.withInitial(() -> new double[CHAINS]);

        static double of(float[] x, int at, int width) {
            DoubleVector s0 = DoubleVector.zero(D);
            DoubleVector s1 = s0;
            DoubleVector s2 = s0;
            DoubleVector s3 = s0;
            int i = 0;
            for (; i <= width - STEP; i += STEP) {
                FloatVector v = FloatVector.fromArray(F, x, at + i);
                s0 = s0.add(v.convertShape(F2D, D, 0));
                if (ONE) {
                    s0 = s0.add(v.convertShape(F2D, D, 1));
                    continue;
                }
                s1 = s1.add(v.convertShape(F2D, D, 1));
                if (FOUR) {
                    v = FloatVector.fromArray(F, x, at + i + CHAINS / 2);
                    s2 = s2.add(v.convertShape(F2D, D, 0));
                    s3 = s3.add(v.convertShape(F2D, D, 1));
                }
            }
            if (ONE && i <= width - CHAINS) {           // eight more: the upper half of the vector that ends with them
                FloatVector v = FloatVector.fromArray(F, x, at + i - CHAINS);
                s0 = s0.add(v.convertShape(F2D, D, 1));
                i += CHAINS;
            }
            double rest = 0;
            for (; i < width; i++) {
                rest += x[at + i];
            }
            double[] s = CHAIN.get();
            s0.intoArray(s, 0);
            if (!ONE) {
                s1.intoArray(s, D.length());
            }
            if (FOUR) {
                s2.intoArray(s, 2 * D.length());
                s3.intoArray(s, 3 * D.length());
            }
            return fold(s) + rest;
        }

        static double squares(float[] x, int at, int width, double mean) {
            DoubleVector means = DoubleVector.broadcast(D, mean);
            DoubleVector t;
            DoubleVector s0 = DoubleVector.zero(D);
            DoubleVector s1 = s0;
            DoubleVector s2 = s0;
            DoubleVector s3 = s0;
            int i = 0;
            for (; i <= width - STEP; i += STEP) {
                FloatVector v = FloatVector.fromArray(F, x, at + i);
                t = ((DoubleVector) v.convertShape(F2D, D, 0)).sub(means);
                s0 = s0.add(t.mul(t));
                if (ONE) {
                    t = ((DoubleVector) v.convertShape(F2D, D, 1)).sub(means);
                    s0 = s0.add(t.mul(t));
                    continue;
                }
                t = ((DoubleVector) v.convertShape(F2D, D, 1)).sub(means);
                s1 = s1.add(t.mul(t));
                if (FOUR) {
                    v = FloatVector.fromArray(F, x, at + i + CHAINS / 2);
                    t = ((DoubleVector) v.convertShape(F2D, D, 0)).sub(means);
                    s2 = s2.add(t.mul(t));
                    t = ((DoubleVector) v.convertShape(F2D, D, 1)).sub(means);
                    s3 = s3.add(t.mul(t));
                }
            }
            if (ONE && i <= width - CHAINS) {           // eight more: the upper half of the vector that ends with them
                FloatVector v = FloatVector.fromArray(F, x, at + i - CHAINS);
                t = ((DoubleVector) v.convertShape(F2D, D, 1)).sub(means);
                s0 = s0.add(t.mul(t));
                i += CHAINS;
            }
            double rest = 0;
            for (; i < width; i++) {
                rest += (x[at + i] - mean) * (x[at + i] - mean);
            }
            double[] s = CHAIN.get();
            s0.intoArray(s, 0);
            if (!ONE) {
                s1.intoArray(s, D.length());
            }
            if (FOUR) {
                s2.intoArray(s, 2 * D.length());
                s3.intoArray(s, 3 * D.length());
            }
            return fold(s) + rest;
        }

        static double products(float[] a, int aAt, float[] b, int bAt, int width) {
            DoubleVector s0 = DoubleVector.zero(D);
            DoubleVector s1 = s0;
            DoubleVector s2 = s0;
            DoubleVector s3 = s0;
            int i = 0;
            for (; i <= width - STEP; i += STEP) {
                FloatVector u = FloatVector.fromArray(F, a, aAt + i);
                FloatVector v = FloatVector.fromArray(F, b, bAt + i);
                s0 = s0.add(((DoubleVector) u.convertShape(F2D, D, 0)).mul(v.convertShape(F2D, D, 0)));
                if (ONE) {
                    s0 = s0.add(((DoubleVector) u.convertShape(F2D, D, 1)).mul(v.convertShape(F2D, D, 1)));
                    continue;
                }
                s1 = s1.add(((DoubleVector) u.convertShape(F2D, D, 1)).mul(v.convertShape(F2D, D, 1)));
                if (FOUR) {
                    u = FloatVector.fromArray(F, a, aAt + i + CHAINS / 2);
                    v = FloatVector.fromArray(F, b, bAt + i + CHAINS / 2);
                    s2 = s2.add(((DoubleVector) u.convertShape(F2D, D, 0)).mul(v.convertShape(F2D, D, 0)));
                    s3 = s3.add(((DoubleVector) u.convertShape(F2D, D, 1)).mul(v.convertShape(F2D, D, 1)));
                }
            }
            if (ONE && i <= width - CHAINS) {           // eight more: the upper half of the vector that ends with them
                FloatVector u = FloatVector.fromArray(F, a, aAt + i - CHAINS);
                FloatVector v = FloatVector.fromArray(F, b, bAt + i - CHAINS);
                s0 = s0.add(((DoubleVector) u.convertShape(F2D, D, 1)).mul(v.convertShape(F2D, D, 1)));
                i += CHAINS;
            }
            double rest = 0;
            for (; i < width; i++) {
                rest += (double) a[aAt + i] * b[bAt + i];
            }
            double[] s = CHAIN.get();
            s0.intoArray(s, 0);
            if (!ONE) {
                s1.intoArray(s, D.length());
            }
            if (FOUR) {
                s2.intoArray(s, 2 * D.length());
                s3.intoArray(s, 3 * D.length());
            }
            return fold(s) + rest;
        }

        static double products(float[] a, int aAt, float[] b, int bAt, float[] x, int xAt, double mean, int width) {
            DoubleVector means = DoubleVector.broadcast(D, mean);
            DoubleVector t;
            DoubleVector s0 = DoubleVector.zero(D);
            DoubleVector s1 = s0;
            DoubleVector s2 = s0;
            DoubleVector s3 = s0;
            int i = 0;
            for (; i <= width - STEP; i += STEP) {
                FloatVector u = FloatVector.fromArray(F, a, aAt + i);
                FloatVector v = FloatVector.fromArray(F, b, bAt + i);
                FloatVector w = FloatVector.fromArray(F, x, xAt + i);
                t = ((DoubleVector) w.convertShape(F2D, D, 0)).sub(means);
                s0 = s0.add(((DoubleVector) u.convertShape(F2D, D, 0)).mul(v.convertShape(F2D, D, 0)).mul(t));
                if (ONE) {
                    t = ((DoubleVector) w.convertShape(F2D, D, 1)).sub(means);
                    s0 = s0.add(((DoubleVector) u.convertShape(F2D, D, 1)).mul(v.convertShape(F2D, D, 1)).mul(t));
                    continue;
                }
                t = ((DoubleVector) w.convertShape(F2D, D, 1)).sub(means);
                s1 = s1.add(((DoubleVector) u.convertShape(F2D, D, 1)).mul(v.convertShape(F2D, D, 1)).mul(t));
                if (FOUR) {
                    u = FloatVector.fromArray(F, a, aAt + i + CHAINS / 2);
                    v = FloatVector.fromArray(F, b, bAt + i + CHAINS / 2);
                    w = FloatVector.fromArray(F, x, xAt + i + CHAINS / 2);
                    t = ((DoubleVector) w.convertShape(F2D, D, 0)).sub(means);
                    s2 = s2.add(((DoubleVector) u.convertShape(F2D, D, 0)).mul(v.convertShape(F2D, D, 0)).mul(t));
                    t = ((DoubleVector) w.convertShape(F2D, D, 1)).sub(means);
                    s3 = s3.add(((DoubleVector) u.convertShape(F2D, D, 1)).mul(v.convertShape(F2D, D, 1)).mul(t));
                }
            }
            if (ONE && i <= width - CHAINS) {           // eight more: the upper half of the vector that ends with them
                FloatVector u = FloatVector.fromArray(F, a, aAt + i - CHAINS);
                FloatVector v = FloatVector.fromArray(F, b, bAt + i - CHAINS);
                FloatVector w = FloatVector.fromArray(F, x, xAt + i - CHAINS);
                t = ((DoubleVector) w.convertShape(F2D, D, 1)).sub(means);
                s0 = s0.add(((DoubleVector) u.convertShape(F2D, D, 1)).mul(v.convertShape(F2D, D, 1)).mul(t));
                i += CHAINS;
            }
            double rest = 0;
            for (; i < width; i++) {
                rest += (double) a[aAt + i] * b[bAt + i] * (x[xAt + i] - mean);
            }
            double[] s = CHAIN.get();
            s0.intoArray(s, 0);
            if (!ONE) {
                s1.intoArray(s, D.length());
            }
            if (FOUR) {
                s2.intoArray(s, 2 * D.length());
                s3.intoArray(s, 3 * D.length());
            }
            return fold(s) + rest;
        }
    }
}
