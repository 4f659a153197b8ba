package lab.recall.model.block;

import java.util.Map;

/**
 * The convolution's inputs and the scan's states.
 *
 * @param c       sizes
 * @param x       inputs of the convolution that become x, from token 0
 * @param b       those that become B
 * @param cs      those that become C
 * @param states  states before the tokens from which runs go on
 * @param without states that some tokens have put nothing into
 */
record DualPast(DualSizes c, float[] x, float[] b, float[] cs, Map<Integer, float[]> states, Map<ScanPast.Without, float[]> without)
        implements ConvPast {
    @Override
    public void input(int token, float[] to, int at) {
        join(c, token, x, b, cs, to, at);
    }

    /** Puts the three parts of a token's row side by side. */
    static void join(DualSizes c, int token, float[] x, float[] b, float[] cs, float[] to, int at) {
        int shared = c.shared();
        System.arraycopy(x, token * c.inner(), to, at, c.inner());
        System.arraycopy(b, token * shared, to, at + c.inner(), shared);
        System.arraycopy(cs, token * shared, to, at + c.inner() + shared, shared);
    }
}
