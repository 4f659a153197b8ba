package lab.recall.model;

/**
 * Values of a hook point in its natural shape.
 *
 * @param name   full name, {@code layers.3.y}
 * @param shape  sizes, outermost first
 * @param values row-major
 */
public record Activation(String name, long[] shape, float[] values) {
}
