package lab.recall.math;

import jdk.incubator.vector.FloatVector;

/**
 * Mamba's gate: y SiLU(z) in one pass over memory.
 *
 * <pre>{@code
 * Gate.forward(y, 0, xz, inner, 2 * inner, rows, inner, gated, 0);
 * }</pre>
 *
 * The same numbers as {@link Silu} followed by a product.
 */
public final class Gate {
    private Gate() {
    }

    /** {@code gated = y silu(z)}; y and gated are contiguous and may be the same, z has a row stride. */
    public static void forward(float[] y, int yAt, float[] z, int zAt, int zStride, int rows, int width, float[] gated, int gatedAt) {
        Parallel.rows(rows, width, (first, end) -> {
            for (int r = first; r < end; r++) {
                int row = r * width;
                int from = zAt + r * zStride;
                int i = Simd.available() ? Lanes.gate(y, yAt + row, z, from, width, gated, gatedAt + row) : 0;
                for (; i < width; i++) {
                    gated[gatedAt + row + i] = y[yAt + row + i] * Silu.of(z[from + i]);
                }
            }
        });
    }

    private static final class Lanes {
        static int gate(float[] y, int yAt, float[] z, int zAt, int width, float[] gated, int gatedAt) {
            float[] s = VectorMath.work();
            int i = 0;
            for (int n; (n = VectorMath.block(i, width)) > 0; i += n) {
                VectorMath.sigmoid(z, zAt + i, n, s, 0);
                for (int k = 0; k < n; k += VectorMath.COUNT) {
                    FloatVector.fromArray(VectorMath.LANES, z, zAt + i + k).mul(FloatVector.fromArray(VectorMath.LANES, s, k))
                            .mul(FloatVector.fromArray(VectorMath.LANES, y, yAt + i + k)).intoArray(gated, gatedAt + i + k);
                }
            }
            return i;
        }
    }
}
