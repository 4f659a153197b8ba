package lab.recall.request;

/** An array of a result: its name, its sizes, and its numbers in row-major order. */
public record NamedArray(String name, long[] shape, float[] values) {
}
