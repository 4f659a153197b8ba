package lab.recall.model;

import java.util.List;

/** One layer: from the residual stream before it to the one after it. */
interface Block {
    /**
     * Computes the layer for all rows of a batch, in place: {@code batch.resid} holds the residual stream before the layer (changes at
     * resid_pre already made) and, on return, the one after it. Calls the batch's hook at each point in the order of computation.
     */
    void forward(Batch batch);

    /** The points that {@link #backward} reads from a recorded pass. */
    List<HookPoint> tapePoints();

    /** What all cotangents of one recorded pass share in this layer. */
    Object tape(Pass pass, int layer);

    /** Takes gradients back through the layer, in place: {@code batch.grad} holds those of its output and, on return, of its input. */
    void backward(BackBatch batch);

    /** What a pass that kept its states left behind in this layer, for runs that go on from it after token 0. */
    Past past(Pass pass, int layer, List<Run> runs);
}
