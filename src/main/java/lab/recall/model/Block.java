package lab.recall.model;

import java.util.List;

/** One layer: from the residual stream before it to the one after it. */
public interface Block {
    /**
     * Computes the layer for all rows of a batch, in place: {@link Batch#resid} holds the residual stream before the layer (changes at
     * resid_pre already made) and, on return, the one after it. Calls the batch's hook at each point in the order of computation.
     */
    void forward(Batch batch);

    /** The points that {@link #past} reads from a recorded pass, each with a value for each token, and {@code resid_post}. */
    List<HookPoint> statePoints();

    /** The points that {@link #backward} reads from a recorded pass. */
    List<HookPoint> tapePoints();

    /** What all cotangents of one recorded pass share in this layer. */
    Tape tape(Pass pass, int layer);

    /** Takes gradients back through the layer, in place: {@link BackBatch#grad} holds those of its output and, on return, of its input. */
    void backward(BackBatch batch);

    /** What a pass that kept its states left behind in this layer, for runs that go on from it after token 0. */
    Past past(Pass pass, int layer, List<Run> runs);

    /**
     * Puts the cuts of one run in this layer together.
     *
     * @param cuts at least one, each checked alone
     * @throws lab.recall.base.BadRequest when the layer knows no such cut, or two of them contradict each other
     */
    LayerCuts cuts(List<Intervention.Cut> cuts);

    /** What a token costs in this layer. */
    BlockWork work();
}
