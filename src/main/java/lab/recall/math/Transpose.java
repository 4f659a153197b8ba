package lab.recall.math;

import jdk.incubator.vector.FloatVector;

/** {@code out[i, r] = x[r, i]} by gathers: the products of attention need keys with their tokens side by side. */
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

    private static final class Lanes {
        static int of(float[] x, int at, int stride, int rows, int width, float[] out, int outAt, int outStride) {
            int[] map = new int[VectorMath.COUNT];
            for (int r = 0; r < map.length; r++) {
                map[r] = r * stride;
            }
            int r = 0;
            for (; r <= rows - VectorMath.COUNT; r += VectorMath.COUNT) {
                for (int i = 0; i < width; i++) {
                    FloatVector.fromArray(VectorMath.LANES, x, at + r * stride + i, map, 0).intoArray(out, outAt + i * outStride + r);
                }
            }
            return r;
        }
    }
}
