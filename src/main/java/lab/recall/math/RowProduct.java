package lab.recall.math;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** One row times a matrix that is used once, as attention has them: not worth packing. */
final class RowProduct {
    private RowProduct() {
    }

    /** out[j] = sum over i of a[i] m[i][j]; each out[j] is one chain of fused multiply-adds in the order of i. */
    static void of(float[] a, int aAt, int count, float[] m, int mAt, int mStride, float[] out, int outAt, int width) {
        int j = Simd.available() ? Lanes.of(a, aAt, count, m, mAt, mStride, out, outAt, width) : 0;
        for (; j < width; j++) {
            float sum = 0f;
            for (int i = 0; i < count; i++) {
                sum = Math.fma(a[aAt + i], m[mAt + i * mStride + j], sum);
            }
            out[outAt + j] = sum;
        }
    }

    private static final class Lanes {
        private static final VectorSpecies<Float> S = VectorMath.LANES;
        private static final int N = S.length();

        static int of(float[] a, int aAt, int count, float[] m, int mAt, int mStride, float[] out, int outAt, int width) {
            int j = 0;
            for (; j <= width - 4 * N; j += 4 * N) {
                four(a, aAt, count, m, mAt + j, mStride, out, outAt + j);
            }
            for (; j <= width - N; j += N) {
                one(a, aAt, count, m, mAt + j, mStride, out, outAt + j);
            }
            if (j < width && width >= N) {          // the last vector overlaps the one before: the same numbers again
                one(a, aAt, count, m, mAt + width - N, mStride, out, outAt + width - N);
                return width;
            }
            return j;
        }

        private static void four(float[] a, int aAt, int count, float[] m, int mAt, int mStride, float[] out, int outAt) {
            FloatVector s0 = FloatVector.zero(S);
            FloatVector s1 = FloatVector.zero(S);
            FloatVector s2 = FloatVector.zero(S);
            FloatVector s3 = FloatVector.zero(S);
            for (int i = 0; i < count; i++) {
                FloatVector x = FloatVector.broadcast(S, a[aAt + i]);
                int row = mAt + i * mStride;
                s0 = x.fma(FloatVector.fromArray(S, m, row), s0);
                s1 = x.fma(FloatVector.fromArray(S, m, row + N), s1);
                s2 = x.fma(FloatVector.fromArray(S, m, row + 2 * N), s2);
                s3 = x.fma(FloatVector.fromArray(S, m, row + 3 * N), s3);
            }
            s0.intoArray(out, outAt);
            s1.intoArray(out, outAt + N);
            s2.intoArray(out, outAt + 2 * N);
            s3.intoArray(out, outAt + 3 * N);
        }

        private static void one(float[] a, int aAt, int count, float[] m, int mAt, int mStride, float[] out, int outAt) {
            FloatVector sum = FloatVector.zero(S);
            for (int i = 0; i < count; i++) {
                sum = FloatVector.broadcast(S, a[aAt + i]).fma(FloatVector.fromArray(S, m, mAt + i * mStride), sum);
            }
            sum.intoArray(out, outAt);
        }
    }
}
