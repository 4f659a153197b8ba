package lab.recall.math;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Functions of {@link Exp} on whole vectors of an array; loaded only where the Vector API is.
 *
 * <p>No method of ours takes or gives a vector: where the compilers do not inline it, which depends on what else they have compiled, each
 * vector that passes goes to the heap. So functions pass numbers through a few lines of first-level cache, {@link #BLOCK} at a time.
 */
final class VectorMath {
    static final VectorSpecies<Float> LANES = FloatVector.SPECIES_PREFERRED;

    static final int COUNT = LANES.length();

    /** Numbers that a kernel hands to a function at once, at most: whole vectors. */
    static final int BLOCK = 16 * COUNT;

    private static final int SIGN = 1 << 31;
    private static final Scratch WORK = new Scratch();

    private VectorMath() {
    }

    /** Two blocks of the calling thread's. */
    static float[] work() {
        return WORK.floats(2 * BLOCK);
    }

    /** How many numbers the block at i has, of {@code count}, of which only whole vectors are taken. */
    static int block(int i, int count) {
        return Math.min(BLOCK, count - count % COUNT - i);
    }

    /** {@code out = exp(x)}; out may be x. All counts are multiples of {@link #COUNT}. */
    static void exp(float[] x, int at, int count, float[] out, int outAt) {
        exp(0, x, at, count, out, outAt);
    }

    /** {@code out = exp(-|x|)}. */
    static void expOfMinusSize(float[] x, int at, int count, float[] out, int outAt) {
        exp(SIGN, x, at, count, out, outAt);
    }

    private static void exp(int sign, float[] x, int at, int count, float[] out, int outAt) {
        for (int i = 0; i < count; i += COUNT) {
            FloatVector value = FloatVector.fromArray(LANES, x, at + i).reinterpretAsInts().or(sign).reinterpretAsFloats();
            // compared, not max and min: their rules for NaN and -0 cost several instructions; what lies below LOWEST is 0 in the end
            FloatVector v = value.blend(Exp.HIGHEST, value.compare(VectorOperators.GT, Exp.HIGHEST));
            FloatVector f = v.fma(FloatVector.broadcast(LANES, Exp.LOG2_E), FloatVector.broadcast(LANES, Exp.ROUND));
            FloatVector n = f.sub(Exp.ROUND);
            FloatVector r = n.fma(FloatVector.broadcast(LANES, -Exp.LN2_HIGH), v);
            r = n.fma(FloatVector.broadcast(LANES, -Exp.LN2_LOW), r);
            FloatVector p = r.fma(FloatVector.broadcast(LANES, Exp.P0), FloatVector.broadcast(LANES, Exp.P1));
            p = p.fma(r, FloatVector.broadcast(LANES, Exp.P2));
            p = p.fma(r, FloatVector.broadcast(LANES, Exp.P3));
            p = p.fma(r, FloatVector.broadcast(LANES, Exp.P4));
            p = p.fma(r, FloatVector.broadcast(LANES, Exp.P5));
            p = p.fma(r.mul(r), r).add(1f);
            IntVector power = f.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
            FloatVector e = p.reinterpretAsInts().add(power).reinterpretAsFloats();
            e.blend(0f, value.lt(Exp.LOWEST)).intoArray(out, outAt + i);
        }
    }

    /** {@code x = 2^x}, see {@link Exp#exp2}. */
    static void exp2(float[] x, int at, int count) {
        for (int i = 0; i < count; i += COUNT) {
            FloatVector v = FloatVector.fromArray(LANES, x, at + i);
            FloatVector f = v.add(Exp.ROUND);
            FloatVector r = v.sub(f.sub(Exp.ROUND));
            FloatVector square = r.mul(r);
            FloatVector p = r.fma(FloatVector.broadcast(LANES, Exp.C6), FloatVector.broadcast(LANES, Exp.C5));
            p = p.fma(square, r.fma(FloatVector.broadcast(LANES, Exp.C4), FloatVector.broadcast(LANES, Exp.C3)));
            p = p.fma(square, r.fma(FloatVector.broadcast(LANES, Exp.C2), FloatVector.broadcast(LANES, Exp.C1)));
            p = p.fma(r, FloatVector.broadcast(LANES, 1f));
            IntVector power = f.reinterpretAsInts().max(Exp.LEAST_POWER).lanewise(VectorOperators.LSHL, 23);
            p.reinterpretAsInts().add(power).reinterpretAsFloats().intoArray(x, at + i);
        }
    }

    /** {@code out = 1 / (1 + exp(-x))}; out is not x. */
    static void sigmoid(float[] x, int at, int count, float[] out, int outAt) {
        expOfMinusSize(x, at, count, out, outAt);
        for (int i = 0; i < count; i += COUNT) {
            FloatVector e = FloatVector.fromArray(LANES, out, outAt + i);
            FloatVector s = FloatVector.broadcast(LANES, 1f).div(e.add(1f));
            s.blend(e.mul(s), FloatVector.fromArray(LANES, x, at + i).lt(0f)).intoArray(out, outAt + i);
        }
    }
}
