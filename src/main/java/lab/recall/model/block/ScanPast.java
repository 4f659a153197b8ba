package lab.recall.model.block;

import java.util.BitSet;
import java.util.Map;

/**
 * The convolution's inputs and the scan's states.
 *
 * @param x       inputs of the convolution, [tokens, E] from token 0
 * @param inner   E
 * @param states  states of the scan after each token from {@code first} on, [tokens, N, E]
 * @param first   the token after which the first of them stands
 * @param without states that some tokens have put nothing into, [N, E]
 */
record ScanPast(float[] x, int inner, float[] states, int first, Map<Without, float[]> without) implements ConvPast {
    @Override
    public void input(int token, float[] to, int at) {
        System.arraycopy(x, token * inner, to, at, inner);
    }

    /**
     * Names the state before token {@code from} that {@code sources} have put nothing into.
     *
     * @param delta step size by which the sources let the state decay; null for their own
     */
    record Without(BitSet sources, float[] delta, int from) {
    }
}
