package lab.recall.math;

/** Which arithmetic computes the numbers: two kinds give numbers that may differ in the last bits. */
public final class Arithmetic {
    /** Raised when a fixed pass changes a bit; a test holds the pass. */
    static final int NUMBER = 1;

    private Arithmetic() {
    }

    /** The kind and its number: lanes of any width, or a BLAS where Java has no Vector API. */
    public static String name() {
        return (Simd.present() ? "lanes " : "blas ") + NUMBER;
    }
}
