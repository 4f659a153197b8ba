package lab.recall.math;

import java.util.function.IntToDoubleFunction;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
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
        return Simd.available() ? Lanes.of(x, at, width) : ordered(width, i -> x[at + i]);
    }

    /** Σ (x - mean)². */
    static double squares(float[] x, int at, int width, double mean) {
        return Simd.available() ? Lanes.squares(x, at, width, mean) : ordered(width, i -> (x[at + i] - mean) * (x[at + i] - mean));
    }

    /** Σ a b. */
    static double products(float[] a, int aAt, float[] b, int bAt, int width) {
        return Simd.available() ? Lanes.products(a, aAt, b, bAt, width) : ordered(width, i -> (double) a[aAt + i] * b[bAt + i]);
    }

    /** Σ a b (x - mean). */
    static double products(float[] a, int aAt, float[] b, int bAt, float[] x, int xAt, double mean, int width) {
        return Simd.available() ? Lanes.products(a, aAt, b, bAt, x, xAt, mean, width)
                : ordered(width, i -> (double) a[aAt + i] * b[bAt + i] * (x[xAt + i] - mean));
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

    /** All running sums in one vector of 512 bits or two of 256; loaded only where the Vector API is. */
    private static final class Lanes {
        private static final VectorSpecies<Double> D = DoubleVector.SPECIES_PREFERRED;
        private static final VectorSpecies<Float> F = VectorSpecies.of(float.class, VectorShape.forBitSize(32 * D.length()));
        private static final boolean ONE = D.length() == CHAINS;
        private static final VectorShuffle<Double> NEXT = VectorShuffle.fromOp(D, i -> i ^ 1);
        private static final VectorShuffle<Double> NEXT_PAIR = VectorShuffle.fromOp(D, i -> i ^ 2);
        private static final VectorShuffle<Double> NEXT_FOUR = VectorShuffle.fromOp(D, i -> (i ^ 4) % D.length());

        private static DoubleVector load(float[] x, int at) {
            return (DoubleVector) FloatVector.fromArray(F, x, at).convertShape(VectorOperators.F2D, D, 0);
        }

        private static double fold(DoubleVector low, DoubleVector high) {
            return ONE ? sum(low) : sum(low) + sum(high);
        }

        /** Neighbours first, then pairs, then fours; by shuffles, since taking lanes out one by one costs more than the sum of a short row. */
        private static double sum(DoubleVector v) {
            DoubleVector pairs = v.add(v.rearrange(NEXT));
            DoubleVector fours = pairs.add(pairs.rearrange(NEXT_PAIR));
            return (ONE ? fours.add(fours.rearrange(NEXT_FOUR)) : fours).lane(0);
        }

        static double of(float[] x, int at, int width) {
            DoubleVector low = DoubleVector.zero(D);
            DoubleVector high = DoubleVector.zero(D);
            int i = 0;
            for (; i <= width - CHAINS; i += CHAINS) {
                low = low.add(load(x, at + i));
                if (!ONE) {
                    high = high.add(load(x, at + i + CHAINS / 2));
                }
            }
            double rest = 0;
            for (; i < width; i++) {
                rest += x[at + i];
            }
            return fold(low, high) + rest;
        }

        static double squares(float[] x, int at, int width, double mean) {
            DoubleVector low = DoubleVector.zero(D);
            DoubleVector high = DoubleVector.zero(D);
            int i = 0;
            for (; i <= width - CHAINS; i += CHAINS) {
                DoubleVector v = load(x, at + i).sub(mean);
                low = low.add(v.mul(v));
                if (!ONE) {
                    v = load(x, at + i + CHAINS / 2).sub(mean);
                    high = high.add(v.mul(v));
                }
            }
            double rest = 0;
            for (; i < width; i++) {
                rest += (x[at + i] - mean) * (x[at + i] - mean);
            }
            return fold(low, high) + rest;
        }

        static double products(float[] a, int aAt, float[] b, int bAt, int width) {
            DoubleVector low = DoubleVector.zero(D);
            DoubleVector high = DoubleVector.zero(D);
            int i = 0;
            for (; i <= width - CHAINS; i += CHAINS) {
                low = low.add(load(a, aAt + i).mul(load(b, bAt + i)));
                if (!ONE) {
                    high = high.add(load(a, aAt + i + CHAINS / 2).mul(load(b, bAt + i + CHAINS / 2)));
                }
            }
            double rest = 0;
            for (; i < width; i++) {
                rest += (double) a[aAt + i] * b[bAt + i];
            }
            return fold(low, high) + rest;
        }

        static double products(float[] a, int aAt, float[] b, int bAt, float[] x, int xAt, double mean, int width) {
            DoubleVector low = DoubleVector.zero(D);
            DoubleVector high = DoubleVector.zero(D);
            int i = 0;
            for (; i <= width - CHAINS; i += CHAINS) {
                low = low.add(load(a, aAt + i).mul(load(b, bAt + i)).mul(load(x, xAt + i).sub(mean)));
                if (!ONE) {
                    int j = i + CHAINS / 2;
                    high = high.add(load(a, aAt + j).mul(load(b, bAt + j)).mul(load(x, xAt + j).sub(mean)));
                }
            }
            double rest = 0;
            for (; i < width; i++) {
                rest += (double) a[aAt + i] * b[bAt + i] * (x[xAt + i] - mean);
            }
            return fold(low, high) + rest;
        }
    }
}
