package lab.recall.model.block;

import static lab.recall.model.block.AttentionPoints.LN2;
import static lab.recall.model.block.AttentionPoints.MLP_ACT;
import static lab.recall.model.block.AttentionPoints.MLP_GATE;
import static lab.recall.model.block.AttentionPoints.MLP_UP;

import java.util.List;
import lab.recall.math.Elementwise;
import lab.recall.model.BackBatch;
import lab.recall.model.Batch;
import lab.recall.model.HookPoint;
import lab.recall.model.Workspace;

/**
 * An MLP of three maps, one of which gates another.
 * <pre>
 * mlp_gate = gate(normed)              [F]
 * mlp_up   = up(normed)                [F]
 * mlp_act  = f(mlp_gate) mlp_up        [F]
 * </pre>
 * Source: Shazeer, arXiv 2002.05202.
 */
public final class GatedMlp extends Mlp {
    private static final Workspace.Slot GATE = Workspace.slot();
    private static final Workspace.Slot UP = Workspace.slot();
    private static final Workspace.Slot D_GATE = Workspace.slot();

    private final Linear gate;
    private final Linear up;
    private final Pointwise function;

    /** Of its three maps and the gate's function. */
    public GatedMlp(Linear gate, Linear up, Pointwise function, Linear down) {
        super(down);
        this.gate = gate;
        this.up = up;
        this.function = function;
    }

    @Override
    long hiddenNumbers() {
        return gate.numbers() + up.numbers();
    }

    @Override
    float[] hidden(Batch b, float[] normed) {
        int hidden = up.outputs();
        int size = b.rows() * hidden;
        float[] gated = b.work().floats(GATE, size);
        gate.forward(normed, 0, b.rows(), gated, 0);
        b.hook(MLP_GATE, gated, 0, hidden, hidden);
        float[] mlp = b.work().floats(UP, size);
        up.forward(normed, 0, b.rows(), mlp, 0);
        b.hook(MLP_UP, mlp, 0, hidden, hidden);
        function.forward(gated, size, gated);
        Elementwise.multiply(gated, 0, mlp, 0, size);
        b.hook(MLP_ACT, mlp, 0, hidden, hidden);
        return mlp;
    }

    @Override
    void hiddenBackward(BackBatch b, float[] dHidden, float[] dNormed) {
        int hidden = up.outputs();
        int size = b.rows() * hidden;
        float[] dGate = b.work().floats(D_GATE, size);
        float[] opened = b.work().floats(GATE, size);
        System.arraycopy(dHidden, 0, dGate, 0, size);
        for (BackBatch.Segment s : b.segments()) {
            int at = s.row() * hidden;
            int count = s.tokens() * hidden;
            float[] gates = s.values(b.layer(), MLP_GATE);
            Elementwise.multiply(s.values(b.layer(), MLP_UP), s.first() * hidden, dGate, at, count);
            function.backward(gates, s.first() * hidden, count, dGate, at, dGate, at);
            System.arraycopy(gates, s.first() * hidden, opened, at, count);
        }
        function.forward(opened, size, opened);
        Elementwise.multiply(opened, 0, dHidden, 0, size);
        b.hook(MLP_UP, dHidden, 0, hidden, hidden);
        b.hook(MLP_GATE, dGate, 0, hidden, hidden);
        up.backward(dHidden, b.rows(), dNormed);
        gate.addBackward(dGate, 0, hidden, b.rows(), dNormed);
        if (b.parameters() != null) {
            up.parameters(b, dHidden, LN2);
            gate.parameters(b, dGate, LN2);
        }
    }

    @Override
    List<HookPoint> tapePoints() {
        return List.of(MLP_GATE, MLP_UP, MLP_ACT);
    }
}
