package lab.recall.model.block;

import static lab.recall.model.block.AttentionPoints.LN2;
import static lab.recall.model.block.AttentionPoints.MLP_ACT;
import static lab.recall.model.block.AttentionPoints.MLP_OUT;

import java.util.List;
import lab.recall.model.BackBatch;
import lab.recall.model.Batch;
import lab.recall.model.HookPoint;
import lab.recall.model.Workspace;

/**
 * The MLP of a layer, from the normed stream to what it adds to it.
 * <pre>
 * mlp_act = hidden(normed)    [F]
 * mlp_out = down(mlp_act)     [d]
 * </pre>
 */
public abstract sealed class Mlp permits PlainMlp, GatedMlp {
    private static final Workspace.Slot D_HIDDEN = Workspace.slot();

    private final Linear down;

    Mlp(Linear down) {
        this.down = down;
    }

    /** Numbers of all its matrices. */
    long numbers() {
        return down.numbers() + hiddenNumbers();
    }

    /** F. */
    int width() {
        return down.inputs();
    }

    /** Numbers of the matrices before the hidden activations. */
    abstract long hiddenNumbers();

    /** Hidden activations of rows. */
    abstract float[] hidden(Batch b, float[] normed);

    /** From gradients of the hidden activations, overwritten, to those of the norm before them, written. */
    abstract void hiddenBackward(BackBatch b, float[] dHidden, float[] dNormed);

    /** The points that {@link #hiddenBackward} reads from a recorded pass. */
    abstract List<HookPoint> tapePoints();

    /** Adds what it puts out to the residual stream; {@code scratch} is overwritten where the output is asked for. */
    void out(Batch b, float[] hidden, float[] scratch) {
        down.toStream(b, MLP_OUT, hidden, scratch);
    }

    /** From gradients of its output to those of the norm before it; {@code dNormed} is overwritten. */
    void backward(BackBatch b, float[] dOut, float[] dNormed) {
        int d = down.outputs();
        int hidden = down.inputs();
        b.hook(MLP_OUT, dOut, 0, d, d);
        float[] dHidden = b.work().floats(D_HIDDEN, b.rows() * hidden);
        down.backward(dOut, b.rows(), dHidden);
        b.hook(MLP_ACT, dHidden, 0, hidden, hidden);
        if (b.parameters() != null) {
            down.parameters(b, dOut, MLP_ACT);
        }
        hiddenBackward(b, dHidden, dNormed);
        b.hook(LN2, dNormed, 0, d, d);
    }
}
