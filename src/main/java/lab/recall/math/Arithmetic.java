package lab.recall.math;

/** Which arithmetic computes the numbers: two kinds give numbers that may differ in the last bits. */
public final class Arithmetic {
    /** Raised when a fixed pass changes a bit; a test holds the pass. */
    static final int NUMBER = 2;

    private Arithmetic() {
    }

    /**
     * The kind and its number: vectors of so many lanes, or a BLAS where Java has no Vector API. Passes are the same for any number of
     * lanes, sums over channels in gradients are not.
     */
    public static String name() {
        return Simd.present() ? VectorMath.COUNT + " lanes, " + NUMBER : "blas, " + NUMBER;
    }
}
