package lab.recall.model.block;

import lab.recall.model.Pass;

/** The terms that a layer's convolution and scan are sums of, from what a pass has kept. */
interface ScanTerms {
    /** A block that has them. */
    interface Of {
        /** Those of its layer. */
        ScanTerms terms();
    }

    /** What the convolution carries from one token to itself and later ones, [tokens - source, channels]; zeros beyond its taps. */
    float[] convTerms(Pass pass, int layer, int source);

    /** Bias of the convolution, [channels]. */
    float[] convBias();

    /** The scan of a pass's tokens from {@code source} on, fed by that token alone and without the skip term, [tokens - source, E]. */
    float[] scanTerms(Pass pass, int layer, int source);

    /** What the scan's skip term D x_act adds to y at a token, [E]. */
    float[] skipTerm(Pass pass, int layer, int token);
}
