package lab.recall.model.block;

import static lab.recall.model.block.AttentionPoints.LN2;
import static lab.recall.model.block.AttentionPoints.MLP_ACT;
import static lab.recall.model.block.AttentionPoints.MLP_PRE;

import java.util.List;
import lab.recall.model.BackBatch;
import lab.recall.model.Batch;
import lab.recall.model.HookPoint;
import lab.recall.model.Workspace;

/**
 * An MLP of two maps.
 * <pre>
 * mlp_pre = up(normed)        [F]
 * mlp_act = f(mlp_pre)        [F]
 * </pre>
 */
public final class PlainMlp extends Mlp {
    private static final Workspace.Slot HIDDEN = Workspace.slot();

    private final Linear up;
    private final Pointwise function;

    /** Of its two maps and the function between them. */
    public PlainMlp(Linear up, Pointwise function, Linear down) {
        super(down);
        this.up = up;
        this.function = function;
    }

    @Override
    long hiddenNumbers() {
        return up.numbers();
    }

    @Override
    float[] hidden(Batch b, float[] normed) {
        int hidden = up.outputs();
        float[] mlp = b.work().floats(HIDDEN, b.rows() * hidden);
        up.forward(normed, 0, b.rows(), mlp, 0);
        b.hook(MLP_PRE, mlp, 0, hidden, hidden);
        function.forward(mlp, b.rows() * hidden, mlp);
        b.hook(MLP_ACT, mlp, 0, hidden, hidden);
        return mlp;
    }

    @Override
    void hiddenBackward(BackBatch b, float[] dHidden, float[] dNormed) {
        int hidden = up.outputs();
        for (BackBatch.Segment s : b.segments()) {
            function.backward(s.values(b.layer(), MLP_PRE), s.first() * hidden, s.tokens() * hidden,
                    dHidden, s.row() * hidden, dHidden, s.row() * hidden);
        }
        b.hook(MLP_PRE, dHidden, 0, hidden, hidden);
        up.backward(dHidden, b.rows(), dNormed);
        if (b.parameters() != null) {
            up.parameters(b, dHidden, LN2);
        }
    }

    @Override
    List<HookPoint> tapePoints() {
        return List.of(MLP_PRE, MLP_ACT);
    }
}
