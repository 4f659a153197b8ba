package lab.recall.model;

import java.util.BitSet;
import java.util.Map;

/** What the tokens left of a segment have left behind in one layer: all that a causal layer needs to go on. */
sealed interface Past {
    /**
     * Mamba: the convolution's inputs and the scan's states.
     *
     * @param x       inputs of the convolution, [tokens, E] from token 0
     * @param states  states of the scan after each token from {@code first} on, [tokens, N, E]
     * @param first   the token after which the first of them stands
     * @param without states that some tokens have put nothing into, [N, E]
     */
    record Recurrent(float[] x, float[] states, int first, Map<Without, float[]> without) implements Past {
    }

    /**
     * Names the state before token {@code from} that {@code sources} have put nothing into.
     *
     * @param delta step size by which the sources let the state decay; null for their own
     */
    record Without(BitSet sources, float[] delta, int from) {
    }

    /**
     * GPT-NeoX: keys and values, [tokens, heads * head width] from token 0.
     */
    record Attended(float[] keys, float[] values) implements Past {
    }
}
