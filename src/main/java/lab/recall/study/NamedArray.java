package lab.recall.study;

import java.util.Arrays;
import java.util.Objects;

/** An array of a result: its name, its sizes, and its numbers in row-major order. */
public record NamedArray(String name, long[] shape, float[] values) {
    @Override
    public boolean equals(Object other) {
        return other instanceof NamedArray a && name.equals(a.name) && Arrays.equals(shape, a.shape) && Arrays.equals(values, a.values);
    }

    @Override
    public int hashCode() {
        return Objects.hash(name, Arrays.hashCode(shape), Arrays.hashCode(values));
    }
}
