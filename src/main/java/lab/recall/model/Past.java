package lab.recall.model;

/** What the tokens left of a segment have left behind in one layer: all that a causal layer needs to go on. */
sealed interface Past {
    /**
     * Mamba: the convolution's inputs and the scan's states.
     *
     * @param x      inputs of the convolution, [tokens, E] from token 0
     * @param states states of the scan after each token, [tokens, N, E]; only those asked for are filled
     */
    record Recurrent(float[] x, float[] states) implements Past {
    }

    /**
     * GPT-NeoX: keys and values, [tokens, heads * head width] from token 0.
     */
    record Attended(float[] keys, float[] values) implements Past {
    }
}
