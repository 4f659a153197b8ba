package lab.recall.model.block;

import static lab.recall.model.block.ScanPoints.GATE;

import lab.recall.math.Elementwise;
import lab.recall.math.Gate;
import lab.recall.math.Silu;
import lab.recall.model.Batch;
import lab.recall.model.Workspace;

/** The gate of layers of a scan: y SiLU(z), with the hook at SiLU(z) where it is asked for. */
final class Gates {
    private static final Workspace.Slot GATES = Workspace.slot();

    private Gates() {
    }

    /** Multiplies rows of y, without gaps, by their gates; z stands in rows with a stride. */
    static void forward(Batch b, float[] y, float[] z, int at, int stride, int width) {
        if (!b.asks(GATE)) {
            Gate.forward(y, 0, z, at, stride, b.rows(), width, y, 0);
            return;
        }
        float[] gate = b.work().floats(GATES, b.rows() * width);
        Silu.forward(z, at, stride, b.rows(), width, gate, 0);
        b.hook(GATE, gate, 0, width, width);
        Elementwise.multiply(gate, 0, y, 0, b.rows() * width);
    }
}
