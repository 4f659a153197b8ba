package lab.recall.math;

import jdk.incubator.vector.FloatVector;

/** Sums and products of rows. */
public final class Elementwise {
    private Elementwise() {
    }

    /** {@code to += from}. */
    public static void add(float[] from, int fromAt, float[] to, int toAt, int count) {
        int i = Simd.available() ? Lanes.add(from, fromAt, to, toAt, count) : 0;
        for (; i < count; i++) {
            to[toAt + i] += from[fromAt + i];
        }
    }

    /** {@code to *= from}. */
    public static void multiply(float[] from, int fromAt, float[] to, int toAt, int count) {
        int i = Simd.available() ? Lanes.multiply(from, fromAt, to, toAt, count) : 0;
        for (; i < count; i++) {
            to[toAt + i] *= from[fromAt + i];
        }
    }

    /** {@code x *= factor}. */
    static void scale(float factor, float[] x, int at, int count) {
        int i = Simd.available() ? Lanes.scale(factor, x, at, count) : 0;
        for (; i < count; i++) {
            x[at + i] *= factor;
        }
    }

    /** Adds all rows to one sum: the gradient of a bias. */
    public static void addRows(float[] x, int at, int stride, int rows, int width, float[] sum) {
        for (int r = 0; r < rows; r++) {
            add(x, at + r * stride, sum, 0, width);
        }
    }

    /** The compilers vectorise such loops by themselves, but lose as much time as a short row takes around them. */
    private static final class Lanes {
        static int add(float[] from, int fromAt, float[] to, int toAt, int count) {
            int i = 0;
            for (; i <= count - VectorMath.COUNT; i += VectorMath.COUNT) {
                FloatVector.fromArray(VectorMath.LANES, to, toAt + i).add(FloatVector.fromArray(VectorMath.LANES, from, fromAt + i))
                        .intoArray(to, toAt + i);
            }
            return i;
        }

        static int multiply(float[] from, int fromAt, float[] to, int toAt, int count) {
            int i = 0;
            for (; i <= count - VectorMath.COUNT; i += VectorMath.COUNT) {
                FloatVector.fromArray(VectorMath.LANES, to, toAt + i).mul(FloatVector.fromArray(VectorMath.LANES, from, fromAt + i))
                        .intoArray(to, toAt + i);
            }
            return i;
        }

        static int scale(float factor, float[] x, int at, int count) {
            int i = 0;
            for (; i <= count - VectorMath.COUNT; i += VectorMath.COUNT) {
                FloatVector.fromArray(VectorMath.LANES, x, at + i).mul(factor).intoArray(x, at + i);
            }
            return i;
        }
    }
}
