package lab.recall.math;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** {@code out[i, r] = x[r, i]}: the products of attention need keys with their tokens side by side. */
final class Transpose {
    private Transpose() {
    }

    /**
     * @param x   {@code rows} rows of {@code width}, row stride {@code stride}; not read when there are none
     * @param out receives {@code width} rows of {@code rows}, row stride {@code outStride}
     */
    static void of(float[] x, int at, int stride, int rows, int width, float[] out, int outAt, int outStride) {
        int r = Simd.available() ? Lanes.of(x, at, stride, rows, width, out, outAt, outStride) : 0;
        for (; r < rows; r++) {
            for (int i = 0; i < width; i++) {
                out[outAt + i * outStride + r] = x[at + r * stride + i];
            }
        }
    }

    /**
     * The same for half-size numbers, which become f32: {@code rows} rows of a vector of ints. Int i holds the number of row i of out in
     * its low half, that of row {@link VectorMath#COUNT} + i in its high half.
     */
    static void ofHalves(PackedMatrix.Storage storage, int[] x, int at, int stride, int rows, float[] out, int outAt, int outStride) {
        int r = VectorMath.COUNT == 8 && Simd.available() ? Halves.of(storage, x, at, stride, rows, out, outAt, outStride) : 0;
        for (; r < rows; r++) {
            for (int i = 0; i < VectorMath.COUNT; i++) {
                int pair = x[at + r * stride + i];
                out[outAt + i * outStride + r] = PackedMatrix.widen(storage, pair & 0xffff);
                out[outAt + (VectorMath.COUNT + i) * outStride + r] = PackedMatrix.widen(storage, pair >>> 16);
            }
        }
    }

    private static final class Lanes {
        private static final VectorSpecies<Float> S = VectorMath.LANES;
        private static final VectorMask<Float> LANE1 = lane(1);
        private static final VectorMask<Float> LANE2 = lane(2);
        private static final VectorMask<Float> LANE3 = lane(3);
        private static final VectorMask<Float> LANE4 = lane(4);
        private static final VectorMask<Float> LANE5 = lane(5);
        private static final VectorMask<Float> LANE6 = lane(6);
        private static final VectorMask<Float> LANE7 = lane(7);

        private static VectorMask<Float> lane(int number) {
            boolean[] all = new boolean[VectorMath.COUNT];
            all[number % VectorMath.COUNT] = true;
            return VectorMask.fromArray(S, all, 0);
        }

        static int of(float[] x, int at, int stride, int rows, int width, float[] out, int outAt, int outStride) {
            int r = 0;
            if (VectorMath.COUNT == 8) {
                for (; r <= rows - 8; r += 8) {
                    eight(x, at + r * stride, stride, width, out, outAt + r, outStride);
                }
                return r;
            }
            int[] map = new int[VectorMath.COUNT];
            for (int lane = 0; lane < map.length; lane++) {
                map[lane] = lane * stride;
            }
            for (; r <= rows - VectorMath.COUNT; r += VectorMath.COUNT) {
                for (int i = 0; i < width; i++) {
                    FloatVector.fromArray(S, x, at + r * stride + i, map, 0).intoArray(out, outAt + i * outStride + r);
                }
            }
            return r;
        }

        /**
         * Quicker than a gather: each row is loaded from where its number comes to its lane, which is never before the first row or behind
         * the last.
         */
        private static void eight(float[] x, int at, int stride, int width, float[] out, int outAt, int outStride) {
            int at1 = at + stride - 1;
            int at2 = at + 2 * stride - 2;
            int at3 = at + 3 * stride - 3;
            int at4 = at + 4 * stride - 4;
            int at5 = at + 5 * stride - 5;
            int at6 = at + 6 * stride - 6;
            int at7 = at + 7 * stride - 7;
            for (int i = 0; i < width; i++) {
                FloatVector.fromArray(S, x, at + i).blend(FloatVector.fromArray(S, x, at1 + i), LANE1)
                        .blend(FloatVector.fromArray(S, x, at2 + i), LANE2).blend(FloatVector.fromArray(S, x, at3 + i), LANE3)
                        .blend(FloatVector.fromArray(S, x, at4 + i), LANE4).blend(FloatVector.fromArray(S, x, at5 + i), LANE5)
                        .blend(FloatVector.fromArray(S, x, at6 + i), LANE6).blend(FloatVector.fromArray(S, x, at7 + i), LANE7)
                        .intoArray(out, outAt + i * outStride);
            }
        }
    }

    /** As {@link Lanes#eight} does it, for vectors of 8. */
    private static final class Halves {
        private static final VectorSpecies<Integer> S = IntVector.SPECIES_PREFERRED;
        private static final VectorMask<Integer> LANE1 = Lanes.LANE1.cast(S);
        private static final VectorMask<Integer> LANE2 = Lanes.LANE2.cast(S);
        private static final VectorMask<Integer> LANE3 = Lanes.LANE3.cast(S);
        private static final VectorMask<Integer> LANE4 = Lanes.LANE4.cast(S);
        private static final VectorMask<Integer> LANE5 = Lanes.LANE5.cast(S);
        private static final VectorMask<Integer> LANE6 = Lanes.LANE6.cast(S);
        private static final VectorMask<Integer> LANE7 = Lanes.LANE7.cast(S);

        static int of(PackedMatrix.Storage storage, int[] x, int at, int stride, int rows, float[] out, int outAt, int outStride) {
            int r = 0;
            for (; r <= rows - 8; r += 8) {
                if (storage == PackedMatrix.Storage.BF16) {
                    bf16(x, at + r * stride, stride, out, outAt + r, outStride);
                } else {
                    f16(x, at + r * stride, stride, out, outAt + r, outStride);
                }
            }
            return r;
        }

        private static void bf16(int[] x, int at, int stride, float[] out, int outAt, int outStride) {
            int at1 = at + stride - 1;
            int at2 = at + 2 * stride - 2;
            int at3 = at + 3 * stride - 3;
            int at4 = at + 4 * stride - 4;
            int at5 = at + 5 * stride - 5;
            int at6 = at + 6 * stride - 6;
            int at7 = at + 7 * stride - 7;
            for (int i = 0; i < 8; i++) {
                IntVector pairs = IntVector.fromArray(S, x, at + i).blend(IntVector.fromArray(S, x, at1 + i), LANE1)
                        .blend(IntVector.fromArray(S, x, at2 + i), LANE2).blend(IntVector.fromArray(S, x, at3 + i), LANE3)
                        .blend(IntVector.fromArray(S, x, at4 + i), LANE4).blend(IntVector.fromArray(S, x, at5 + i), LANE5)
                        .blend(IntVector.fromArray(S, x, at6 + i), LANE6).blend(IntVector.fromArray(S, x, at7 + i), LANE7);
                pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(out, outAt + i * outStride);
                pairs.and(0xffff0000).reinterpretAsFloats().intoArray(out, outAt + (8 + i) * outStride);
            }
        }

        /** Sign to bit 31, exponent and fraction to bits 13..27; the exponent is then 112 too small. */
        private static void f16(int[] x, int at, int stride, float[] out, int outAt, int outStride) {
            int at1 = at + stride - 1;
            int at2 = at + 2 * stride - 2;
            int at3 = at + 3 * stride - 3;
            int at4 = at + 4 * stride - 4;
            int at5 = at + 5 * stride - 5;
            int at6 = at + 6 * stride - 6;
            int at7 = at + 7 * stride - 7;
            for (int i = 0; i < 8; i++) {
                IntVector pairs = IntVector.fromArray(S, x, at + i).blend(IntVector.fromArray(S, x, at1 + i), LANE1)
                        .blend(IntVector.fromArray(S, x, at2 + i), LANE2).blend(IntVector.fromArray(S, x, at3 + i), LANE3)
                        .blend(IntVector.fromArray(S, x, at4 + i), LANE4).blend(IntVector.fromArray(S, x, at5 + i), LANE5)
                        .blend(IntVector.fromArray(S, x, at6 + i), LANE6).blend(IntVector.fromArray(S, x, at7 + i), LANE7);
                pairs.and(0x8000).lanewise(VectorOperators.LSHL, 16).or(pairs.and(0x7fff).lanewise(VectorOperators.LSHL, 13))
                        .reinterpretAsFloats().mul(0x1p112f).intoArray(out, outAt + i * outStride);
                pairs.and(0x80000000).or(pairs.and(0x7fff0000).lanewise(VectorOperators.LSHR, 3))
                        .reinterpretAsFloats().mul(0x1p112f).intoArray(out, outAt + (8 + i) * outStride);
            }
        }
    }
}
