package lab.recall.math;

/**
 * Rows of numbers in an array: row t begins at {@code at + t * stride}.
 *
 * <pre>{@code
 * SelectiveScan.forward(tokens, channels, states, Rows.of(u, 0, channels), ..)
 * }</pre>
 *
 * Kernels take their operands so at their entry; inside they work with the three parts.
 */
public record Rows(float[] array, int at, int stride) {
    /** Rows that begin {@code stride} numbers after one another. */
    public static Rows of(float[] array, int at, int stride) {
        return new Rows(array, at, stride);
    }
}
