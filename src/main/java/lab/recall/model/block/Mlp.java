package lab.recall.model.block;

import static lab.recall.model.block.AttentionPoints.LN2;
import static lab.recall.model.block.AttentionPoints.MLP_ACT;
import static lab.recall.model.block.AttentionPoints.MLP_OUT;
import static lab.recall.model.block.AttentionPoints.MLP_PRE;

import lab.recall.math.Elementwise;
import lab.recall.math.Gelu;
import lab.recall.model.BackBatch;
import lab.recall.model.Batch;
import lab.recall.model.Workspace;

/**
 * The MLP of a layer, from the normed stream to what it adds to it.
 * <pre>
 * mlp_pre = up(normed)        [F]
 * mlp_act = GELU(mlp_pre)     [F]
 * mlp_out = down(mlp_act)     [d]
 * </pre>
 */
public final class Mlp {
    private static final Workspace.Slot HIDDEN = Workspace.slot();
    private static final Workspace.Slot D_HIDDEN = Workspace.slot();

    private final Linear up;
    private final Linear down;

    /** Of its two maps. */
    public Mlp(Linear up, Linear down) {
        this.up = up;
        this.down = down;
    }

    /** Hidden activations of rows. */
    public float[] hidden(Batch b, float[] normed) {
        int hidden = up.outputs();
        float[] mlp = b.work().floats(HIDDEN, b.rows() * hidden);
        up.forward(normed, 0, b.rows(), mlp, 0);
        b.hook(MLP_PRE, mlp, 0, hidden, hidden);
        Gelu.forward(mlp, 0, b.rows() * hidden, mlp, 0);
        b.hook(MLP_ACT, mlp, 0, hidden, hidden);
        return mlp;
    }

    /** Adds what it puts out to the residual stream; {@code scratch} is overwritten where the output is asked for. */
    public void out(Batch b, float[] hidden, float[] scratch) {
        int d = down.outputs();
        if (!b.asks(MLP_OUT)) {
            down.add(hidden, 0, b.rows(), b.resid(), b.at());
            return;
        }
        down.forward(hidden, 0, b.rows(), scratch, 0);
        b.hook(MLP_OUT, scratch, 0, d, d);
        Elementwise.add(scratch, 0, b.resid(), b.at(), b.rows() * d);
    }

    /** From gradients of its output to those of the norm before it; {@code dNormed} is overwritten. */
    public void backward(BackBatch b, float[] dOut, float[] dNormed) {
        int d = down.outputs();
        int hidden = up.outputs();
        b.hook(MLP_OUT, dOut, 0, d, d);
        float[] dHidden = b.work().floats(D_HIDDEN, b.rows() * hidden);
        down.backward(dOut, b.rows(), dHidden);
        b.hook(MLP_ACT, dHidden, 0, hidden, hidden);
        for (BackBatch.Segment s : b.segments()) {
            Gelu.backward(s.values(b.layer(), MLP_PRE), s.first() * hidden, s.tokens() * hidden,
                    dHidden, s.row() * hidden, dHidden, s.row() * hidden);
        }
        b.hook(MLP_PRE, dHidden, 0, hidden, hidden);
        up.backward(dHidden, b.rows(), dNormed);
        b.hook(LN2, dNormed, 0, d, d);
        if (b.parameters() != null) {
            down.parameters(b, dOut, MLP_ACT);
            up.parameters(b, dHidden, LN2);
        }
    }
}
