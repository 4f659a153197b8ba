package lab.recall.math;

import java.util.function.IntToDoubleFunction;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
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
        return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7])) + rest;
    }

    /**
     * The running sums in f64 vectors of the preferred shape: one of 512 bits, two of 256 or four of 128. f32 numbers are loaded in that shape
     * too and widened half by half: with a second shape of float vectors in the process Java 17 has to guess the class of a vector wherever it
     * compiles a kernel anew, and then puts vectors on the heap. Loaded only where the Vector API is.
     */
    private static final class Lanes {
        private static final VectorSpecies<Float> F = VectorMath.LANES;
        private static final VectorSpecies<Double> D = DoubleVector.SPECIES_PREFERRED;
        private static final boolean ONE = D.length() == CHAINS;
        private static final boolean FOUR = D.length() == CHAINS / 4;
        /** Terms of one round. */
        static final int STEP = ONE ? 2 * CHAINS : CHAINS;
        private static final VectorShuffle<Double> NEXT = VectorShuffle.fromOp(D, i -> i ^ 1);
        private static final VectorShuffle<Double> NEXT_PAIR = VectorShuffle.fromOp(D, i -> (i ^ 2) % D.length());
        private static final VectorShuffle<Double> NEXT_FOUR = VectorShuffle.fromOp(D, i -> (i ^ 4) % D.length());

        private static DoubleVector low(FloatVector v) {
            return (DoubleVector) v.convertShape(VectorOperators.F2D, D, 0);
        }

        private static DoubleVector high(FloatVector v) {
            return (DoubleVector) v.convertShape(VectorOperators.F2D, D, 1);
        }

        /** Neighbours first, then pairs, then fours; by shuffles, since taking lanes out one by one costs more than the sum of a short row. */
        private static double fold(DoubleVector s0, DoubleVector s1, DoubleVector s2, DoubleVector s3) {
            if (FOUR) {
                return (neighbours(s0) + neighbours(s1)) + (neighbours(s2) + neighbours(s3));
            }
            DoubleVector pairs = s0.add(s0.rearrange(NEXT));
            DoubleVector fours = pairs.add(pairs.rearrange(NEXT_PAIR));
            if (ONE) {
                return fours.add(fours.rearrange(NEXT_FOUR)).lane(0);
            }
            pairs = s1.add(s1.rearrange(NEXT));
            return fours.lane(0) + pairs.add(pairs.rearrange(NEXT_PAIR)).lane(0);
        }

        private static double neighbours(DoubleVector v) {
            return v.add(v.rearrange(NEXT)).lane(0);
        }

        static double of(float[] x, int at, int width) {
            DoubleVector s0 = DoubleVector.zero(D);
            DoubleVector s1 = s0;
            DoubleVector s2 = s0;
            DoubleVector s3 = s0;
            int i = 0;
            for (; i <= width - STEP; i += STEP) {
                FloatVector v = FloatVector.fromArray(F, x, at + i);
                s0 = s0.add(low(v));
                if (ONE) {
                    s0 = s0.add(high(v));
                    continue;
                }
                s1 = s1.add(high(v));
                if (FOUR) {
                    v = FloatVector.fromArray(F, x, at + i + CHAINS / 2);
                    s2 = s2.add(low(v));
                    s3 = s3.add(high(v));
                }
            }
            if (ONE && i <= width - CHAINS) {           // eight more: the upper half of the vector that ends with them
                FloatVector v = FloatVector.fromArray(F, x, at + i - CHAINS);
                s0 = s0.add(high(v));
                i += CHAINS;
            }
            double rest = 0;
            for (; i < width; i++) {
                rest += x[at + i];
            }
            return fold(s0, s1, s2, s3) + rest;
        }

        static double squares(float[] x, int at, int width, double mean) {
            DoubleVector s0 = DoubleVector.zero(D);
            DoubleVector s1 = s0;
            DoubleVector s2 = s0;
            DoubleVector s3 = s0;
            int i = 0;
            for (; i <= width - STEP; i += STEP) {
                FloatVector v = FloatVector.fromArray(F, x, at + i);
                s0 = s0.add(square(low(v).sub(mean)));
                if (ONE) {
                    s0 = s0.add(square(high(v).sub(mean)));
                    continue;
                }
                s1 = s1.add(square(high(v).sub(mean)));
                if (FOUR) {
                    v = FloatVector.fromArray(F, x, at + i + CHAINS / 2);
                    s2 = s2.add(square(low(v).sub(mean)));
                    s3 = s3.add(square(high(v).sub(mean)));
                }
            }
            if (ONE && i <= width - CHAINS) {           // eight more: the upper half of the vector that ends with them
                FloatVector v = FloatVector.fromArray(F, x, at + i - CHAINS);
                s0 = s0.add(square(high(v).sub(mean)));
                i += CHAINS;
            }
            double rest = 0;
            for (; i < width; i++) {
                rest += (x[at + i] - mean) * (x[at + i] - mean);
            }
            return fold(s0, s1, s2, s3) + rest;
        }

        private static DoubleVector square(DoubleVector v) {
            return v.mul(v);
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
                s0 = s0.add(low(u).mul(low(v)));
                if (ONE) {
                    s0 = s0.add(high(u).mul(high(v)));
                    continue;
                }
                s1 = s1.add(high(u).mul(high(v)));
                if (FOUR) {
                    u = FloatVector.fromArray(F, a, aAt + i + CHAINS / 2);
                    v = FloatVector.fromArray(F, b, bAt + i + CHAINS / 2);
                    s2 = s2.add(low(u).mul(low(v)));
                    s3 = s3.add(high(u).mul(high(v)));
                }
            }
            if (ONE && i <= width - CHAINS) {           // eight more: the upper half of the vector that ends with them
                FloatVector u = FloatVector.fromArray(F, a, aAt + i - CHAINS);
                FloatVector v = FloatVector.fromArray(F, b, bAt + i - CHAINS);
                s0 = s0.add(high(u).mul(high(v)));
                i += CHAINS;
            }
            double rest = 0;
            for (; i < width; i++) {
                rest += (double) a[aAt + i] * b[bAt + i];
            }
            return fold(s0, s1, s2, s3) + rest;
        }

        static double products(float[] a, int aAt, float[] b, int bAt, float[] x, int xAt, double mean, int width) {
            DoubleVector s0 = DoubleVector.zero(D);
            DoubleVector s1 = s0;
            DoubleVector s2 = s0;
            DoubleVector s3 = s0;
            int i = 0;
            for (; i <= width - STEP; i += STEP) {
                FloatVector u = FloatVector.fromArray(F, a, aAt + i);
                FloatVector v = FloatVector.fromArray(F, b, bAt + i);
                FloatVector w = FloatVector.fromArray(F, x, xAt + i);
                s0 = s0.add(low(u).mul(low(v)).mul(low(w).sub(mean)));
                if (ONE) {
                    s0 = s0.add(high(u).mul(high(v)).mul(high(w).sub(mean)));
                    continue;
                }
                s1 = s1.add(high(u).mul(high(v)).mul(high(w).sub(mean)));
                if (FOUR) {
                    u = FloatVector.fromArray(F, a, aAt + i + CHAINS / 2);
                    v = FloatVector.fromArray(F, b, bAt + i + CHAINS / 2);
                    w = FloatVector.fromArray(F, x, xAt + i + CHAINS / 2);
                    s2 = s2.add(low(u).mul(low(v)).mul(low(w).sub(mean)));
                    s3 = s3.add(high(u).mul(high(v)).mul(high(w).sub(mean)));
                }
            }
            if (ONE && i <= width - CHAINS) {           // eight more: the upper half of the vector that ends with them
                FloatVector u = FloatVector.fromArray(F, a, aAt + i - CHAINS);
                FloatVector v = FloatVector.fromArray(F, b, bAt + i - CHAINS);
                FloatVector w = FloatVector.fromArray(F, x, xAt + i - CHAINS);
                s0 = s0.add(high(u).mul(high(v)).mul(high(w).sub(mean)));
                i += CHAINS;
            }
            double rest = 0;
            for (; i < width; i++) {
                rest += (double) a[aAt + i] * b[bAt + i] * (x[xAt + i] - mean);
            }
            return fold(s0, s1, s2, s3) + rest;
        }
    }
}
