package lab.recall.model.block;

import java.util.BitSet;
import java.util.Map;
import lab.recall.model.Past;

/**
 * The convolution's inputs and the scan's states.
 *
 * @param x       inputs of the convolution, [tokens, E] from token 0
 * @param states  states of the scan after each token from {@code first} on, [tokens, N, E]
 * @param first   the token after which the first of them stands
 * @param without states that some tokens have put nothing into, [N, E]
 */
record ScanPast(float[] x, float[] states, int first, Map<Without, float[]> without) implements Past {
    /**
     * Names the state before token {@code from} that {@code sources} have put nothing into.
     *
     * @param delta step size by which the sources let the state decay; null for their own
     */
    record Without(BitSet sources, float[] delta, int from) {
    }
}
