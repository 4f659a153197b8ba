package lab.recall.study;

import java.util.Arrays;
import java.util.Objects;

/** An array of a result: its name, its sizes, and its numbers in row-major order. */
public record NamedArray(String name, long[] shape, float[] values) {
    /** Numbers in f32. */
    public static NamedArray of(String name, double[] values) {
        float[] all = new float[values.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = (float) values[i];
        }
        return new NamedArray(name, new long[] {all.length}, all);
    }

    /** Rows of equal length in f32; at least one. */
    public static NamedArray of(String name, double[][] rows) {
        float[] all = of(name, Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray()).values;
        return new NamedArray(name, new long[] {rows.length, rows[0].length}, all);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NamedArray a && name.equals(a.name) && Arrays.equals(shape, a.shape) && Arrays.equals(values, a.values);
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, Arrays.hashCode(shape), Arrays.hashCode(values));
    }
}
