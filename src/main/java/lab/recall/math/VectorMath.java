package lab.recall.math;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Functions of {@link Exp} on all lanes; loaded only where the Vector API is. Vectors are loaded by fromArray itself, which the compilers
 * always inline: a small method of ours around it becomes a call, with its vectors on the heap, in a loop that already holds much code.
 */
final class VectorMath {
    static final VectorSpecies<Float> LANES = FloatVector.SPECIES_PREFERRED;

    static final int COUNT = LANES.length();

    private VectorMath() {
    }

    static FloatVector exp(FloatVector value) {
        // compared, not max and min: their rules for NaN and -0 cost several instructions; what lies below LOWEST is 0 in the end
        FloatVector x = value.blend(Exp.HIGHEST, value.compare(VectorOperators.GT, Exp.HIGHEST));
        FloatVector f = x.fma(FloatVector.broadcast(LANES, Exp.LOG2_E), FloatVector.broadcast(LANES, Exp.ROUND));
        FloatVector n = f.sub(Exp.ROUND);
        FloatVector r = n.fma(FloatVector.broadcast(LANES, -Exp.LN2_HIGH), x);
        r = n.fma(FloatVector.broadcast(LANES, -Exp.LN2_LOW), r);
        FloatVector p = r.fma(FloatVector.broadcast(LANES, Exp.P0), FloatVector.broadcast(LANES, Exp.P1));
        p = p.fma(r, FloatVector.broadcast(LANES, Exp.P2));
        p = p.fma(r, FloatVector.broadcast(LANES, Exp.P3));
        p = p.fma(r, FloatVector.broadcast(LANES, Exp.P4));
        p = p.fma(r, FloatVector.broadcast(LANES, Exp.P5));
        p = p.fma(r.mul(r), r).add(1f);
        FloatVector e = p.reinterpretAsInts().add(f.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23)).reinterpretAsFloats();
        return e.blend(0f, value.lt(Exp.LOWEST));
    }

    /** See {@link Exp#exp2}. */
    static FloatVector exp2(FloatVector v) {
        FloatVector f = v.add(Exp.ROUND);
        FloatVector r = v.sub(f.sub(Exp.ROUND));
        FloatVector square = r.mul(r);
        FloatVector p = r.fma(FloatVector.broadcast(LANES, Exp.C6), FloatVector.broadcast(LANES, Exp.C5));
        p = p.fma(square, r.fma(FloatVector.broadcast(LANES, Exp.C4), FloatVector.broadcast(LANES, Exp.C3)));
        p = p.fma(square, r.fma(FloatVector.broadcast(LANES, Exp.C2), FloatVector.broadcast(LANES, Exp.C1)));
        p = p.fma(r, FloatVector.broadcast(LANES, 1f));
        return p.reinterpretAsInts().add(f.reinterpretAsInts().max(Exp.LEAST_POWER).lanewise(VectorOperators.LSHL, 23))
                .reinterpretAsFloats();
    }

    static FloatVector sigmoid(FloatVector x) {
        FloatVector e = exp(x.abs().neg());
        FloatVector s = FloatVector.broadcast(LANES, 1f).div(e.add(1f));
        return s.blend(e.mul(s), x.lt(0f));
    }
}
