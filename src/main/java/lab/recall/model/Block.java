package lab.recall.model;

/** One layer: from the residual stream before it to the one after it. */
interface Block {
    /**
     * Computes the layer for all rows of a batch, in place: {@code batch.resid} holds the residual stream before the layer (changes at
     * resid_pre already made) and, on return, the one after it. Calls the batch's hook at each point in the order of computation.
     */
    void forward(Batch batch);

    /** What a pass that kept its states left behind in this layer, for segments that start at token {@code upTo} or before. */
    Past past(Pass pass, int layer, int upTo);
}
