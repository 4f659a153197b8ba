package lab.recall.model.block;

import static lab.recall.model.HookPoint.RESID_PRE;
import static lab.recall.model.block.DualPoints.IN_B;
import static lab.recall.model.block.DualPoints.IN_C;
import static lab.recall.model.block.DualPoints.IN_DT;
import static lab.recall.model.block.ScanPoints.B;
import static lab.recall.model.block.ScanPoints.C;
import static lab.recall.model.block.ScanPoints.CONV;
import static lab.recall.model.block.ScanPoints.DELTA;
import static lab.recall.model.block.ScanPoints.GATE;
import static lab.recall.model.block.ScanPoints.GATED;
import static lab.recall.model.block.ScanPoints.IN_X;
import static lab.recall.model.block.ScanPoints.IN_Z;
import static lab.recall.model.block.ScanPoints.NORMED;
import static lab.recall.model.block.ScanPoints.OUT;
import static lab.recall.model.block.ScanPoints.X_ACT;
import static lab.recall.model.block.ScanPoints.Y;

import java.util.Arrays;
import lab.recall.math.CausalConv;
import lab.recall.math.Elementwise;
import lab.recall.math.HeadScan;
import lab.recall.math.RmsNorm;
import lab.recall.math.Sigmoid;
import lab.recall.math.Silu;
import lab.recall.math.Softplus;
import lab.recall.model.BackBatch;
import lab.recall.model.Pass;
import lab.recall.model.Tape;
import lab.recall.model.Workspace;

/** Takes gradients back through a {@link StateSpaceDualBlock}. */
final class DualGradients {
    private static final Workspace.Slot SLOPES = Workspace.slot();
    private static final Workspace.Slot FREE = Workspace.slot();
    private static final Workspace.Slot TAPE_STATES = Workspace.slot();
    private static final Workspace.Slot TAPE_DECAY = Workspace.slot();
    private static final Workspace.Slot D_OUT = Workspace.slot();
    private static final Workspace.Slot D_GATED = Workspace.slot();
    private static final Workspace.Slot D_Y = Workspace.slot();
    private static final Workspace.Slot D_GATE = Workspace.slot();
    private static final Workspace.Slot D_PROJECTED = Workspace.slot();
    private static final Workspace.Slot D_ACT = Workspace.slot();
    private static final Workspace.Slot D_CONV = Workspace.slot();
    private static final Workspace.Slot D_STEPS = Workspace.slot();
    private static final Workspace.Slot D_NORM = Workspace.slot();
    private static final Workspace.Slot INPUTS = Workspace.slot();
    private static final Workspace.Slot D_STATE = Workspace.slot();

    private final DualSizes c;
    private final StateSpaceDualBlock.Parts w;
    private final DualStates states;
    /** Of its weights' names in the checkpoint: {@code backbone.layers.12.mixer.}. */
    private final String mixer;

    DualGradients(DualSizes sizes, StateSpaceDualBlock.Parts parts, DualStates states, String mixer) {
        this.c = sizes;
        this.w = parts;
        this.states = states;
        this.mixer = mixer;
    }

    /**
     * What cotangents share.
     *
     * @param before states before each token, [tokens + 1, H, N, P]
     * @param decay  [tokens, H]
     */
    record DualTape(float[] before, float[] decay) implements Tape {
    }

    DualTape tape(Pass pass, int layer) {
        int tokens = pass.length() - pass.from();
        int heads = c.scan().heads();
        return filled(pass, layer, new DualTape(new float[(tokens + 1) * c.scan().size()], new float[tokens * heads]));
    }

    /** A segment's tape; one that was not prepared lies in the scratch buffers until the next one is asked for. */
    private DualTape tape(BackBatch b, BackBatch.Segment s) {
        if (s.tape() instanceof DualTape prepared) {
            return prepared;
        }
        int tokens = s.pass().length() - s.pass().from();
        int heads = c.scan().heads();
        return filled(s.pass(), b.layer(), new DualTape(b.work().floats(TAPE_STATES, (tokens + 1) * c.scan().size()),
                b.work().floats(TAPE_DECAY, tokens * heads)));
    }

    private DualTape filled(Pass pass, int layer, DualTape tape) {
        int tokens = pass.length() - pass.from();
        int size = c.scan().size();
        if (pass.from() > 0) {
            System.arraycopy(states.before(pass.base(), layer, pass.from()), 0, tape.before, 0, size);
        } else {
            Arrays.fill(tape.before, 0, size, 0f);
        }
        HeadScan.states(c.scan(), tokens, pass.values(layer, X_ACT), 0, c.inner(), pass.values(layer, DELTA), 0, w.a(),
                pass.values(layer, B), 0, c.shared(), tape.before, 0, tape.before, size, tape.decay);
        return tape;
    }

    /** From gradients of delta to those of in_dt: times the derivative of softplus, 0 where delta is held at one of its limits. */
    private void stepsBackward(BackBatch b, BackBatch.Segment s, float[] dDelta) {
        int heads = c.scan().heads();
        int count = s.tokens() * heads;
        float[] inDt = s.values(b.layer(), IN_DT);
        float[] slope = b.work().floats(SLOPES, count);
        float[] free = b.work().floats(FREE, count);
        for (int i = 0; i < count; i++) {
            slope[i] = inDt[s.first() * heads + i] + w.stepBias()[i % heads];
            free[i] = slope[i];
        }
        Softplus.forward(free, 0, s.tokens(), heads);
        Sigmoid.forward(slope, 0, count);
        for (int i = 0; i < count; i++) {
            boolean held = free[i] < c.least() || free[i] > c.most();
            dDelta[s.row() * heads + i] *= held ? 0f : slope[i];
        }
    }

    void backward(BackBatch b) {
        int rows = b.rows();
        int d = c.width();
        int inner = c.inner();
        int shared = c.shared();
        int heads = c.scan().heads();
        int all = c.projected();
        int channels = c.channels();
        int layer = b.layer();
        float[] dOut = b.work().floats(D_OUT, rows * d);
        System.arraycopy(b.grad(), b.at(), dOut, 0, rows * d);
        b.hook(OUT, dOut, 0, d, d);
        float[] dGated = b.work().floats(D_GATED, rows * inner);
        w.outProj().backward(dOut, rows, dGated);
        b.hook(GATED, dGated, 0, inner, inner);

        float[] dY = b.work().floats(D_Y, rows * inner);
        float[] dGate = b.work().floats(D_GATE, rows * inner);
        for (BackBatch.Segment s : b.segments()) {
            gateBackward(b, s, dGated, dY, dGate);
        }
        b.hook(Y, dY, 0, inner, inner);
        b.hook(GATE, dGate, 0, inner, inner);
        float[] dProjected = b.work().floats(D_PROJECTED, rows * all);
        Arrays.fill(dProjected, 0, rows * all, 0f);
        for (BackBatch.Segment s : b.segments()) {
            Silu.backward(s.values(layer, IN_Z), s.first() * inner, inner, s.tokens(), inner, dGate, s.row() * inner, dProjected,
                    s.row() * all, all);
        }
        b.hook(IN_Z, dProjected, 0, all, inner);

        float[] dAct = b.work().floats(D_ACT, rows * channels);
        float[] dDelta = b.work().floats(D_STEPS, rows * heads);
        for (BackBatch.Segment s : b.segments()) {
            scanBackward(b, s, dY, dAct, dDelta);
        }
        b.hook(DELTA, dDelta, 0, heads, heads);
        for (BackBatch.Segment s : b.segments()) {
            stepsBackward(b, s, dDelta);
        }
        b.hook(X_ACT, dAct, 0, channels, inner);
        b.hook(B, dAct, inner, channels, shared);
        b.hook(C, dAct, inner + shared, channels, shared);
        for (int r = 0; r < rows; r++) {
            System.arraycopy(dDelta, r * heads, dProjected, r * all + inner + channels, heads);
        }
        b.hook(IN_DT, dProjected, inner + channels, all, heads);
        float[] dConv = b.work().floats(D_CONV, rows * channels);
        for (BackBatch.Segment s : b.segments()) {
            Silu.backward(s.values(layer, CONV), s.first() * channels, channels, s.tokens(), channels, dAct, s.row() * channels,
                    dConv, s.row() * channels, channels);
        }
        b.hook(CONV, dConv, 0, channels, channels);
        for (BackBatch.Segment s : b.segments()) {
            CausalConv.backward(dConv, s.row() * channels, s.tokens(), c.taps(), channels, w.conv().weight(), dProjected,
                    s.row() * all + inner, all);
        }
        b.hook(IN_X, dProjected, inner, all, inner);
        b.hook(IN_B, dProjected, 2 * inner, all, shared);
        b.hook(IN_C, dProjected, 2 * inner + shared, all, shared);
        float[] dNormed = b.work().floats(D_NORM, rows * d);
        w.inProj().backward(dProjected, rows, dNormed);
        b.hook(NORMED, dNormed, 0, d, d);
        for (BackBatch.Segment s : b.segments()) {
            w.norm().backward(s.values(layer, RESID_PRE), s.first() * d, s.tokens(), dNormed, s.row() * d, b.grad(), b.at() + s.row() * d,
                    b.parameters());
        }
        if (b.parameters() != null) {
            weightGradients(b, dOut, dProjected, dConv, dDelta);
        }
    }

    /** Through the gated norm: dGated to those of y and of the gate. */
    private void gateBackward(BackBatch b, BackBatch.Segment s, float[] dGated, float[] dY, float[] dGate) {
        int inner = c.inner();
        int groups = c.scan().groups();
        int n = s.tokens() * inner;
        int at = s.row() * inner;
        float[] y = s.values(b.layer(), Y);
        float[] gate = s.values(b.layer(), GATE);
        int first = s.first() * inner;
        float[] product = b.work().floats(INPUTS, n);
        System.arraycopy(y, first, product, 0, n);
        Elementwise.multiply(gate, first, product, 0, n);
        Arrays.fill(dY, at, at + n, 0f);
        RmsNorm.backward(product, 0, s.tokens(), groups, inner / groups, w.gatedNorm(), c.epsilon(), dGated, at, dY, at,
                b.parameters() == null ? null : b.parameter(mixer + "norm.weight", inner));
        System.arraycopy(dY, at, dGate, at, n);
        Elementwise.multiply(y, first, dGate, at, n);
        Elementwise.multiply(gate, first, dY, at, n);
    }

    /** Through the scan: gradients of x, B and C side by side in {@code dAct}, and of delta. */
    private void scanBackward(BackBatch b, BackBatch.Segment s, float[] dY, float[] dAct, float[] dDelta) {
        int inner = c.inner();
        int shared = c.shared();
        int heads = c.scan().heads();
        int channels = c.channels();
        int layer = b.layer();
        int first = s.first();
        DualTape tape = tape(b, s);
        // B and C as the run had them, interventions included
        float[] bc = b.work().floats(INPUTS, s.tokens() * 2 * shared);
        for (int t = 0; t < s.tokens(); t++) {
            System.arraycopy(s.values(layer, B), (first + t) * shared, bc, t * 2 * shared, shared);
            System.arraycopy(s.values(layer, C), (first + t) * shared, bc, t * 2 * shared + shared, shared);
        }
        int row = s.row() * channels;
        HeadScan.backward(c.scan(), s.tokens(), s.values(layer, X_ACT), first * inner, inner, s.values(layer, DELTA), first * heads, w.a(),
                bc, 0, shared, 2 * shared, w.skip(), tape.before, first * c.scan().size(), tape.decay, first * heads, dY, s.row() * inner,
                dAct, row, channels, dDelta, s.row() * heads, dAct, row + inner, row + inner + shared, channels,
                b.parameters() == null ? null : b.parameter(mixer + "A_log", heads),
                b.parameters() == null ? null : b.parameter(mixer + "D", heads), b.work().floats(D_STATE, c.scan().size()));
    }

    /** Gradients of the weights: sums over all rows, segment by segment since the inputs lie in each pass's own arrays. */
    private void weightGradients(BackBatch b, float[] dOut, float[] dProjected, float[] dConv, float[] dDelta) {
        int channels = c.channels();
        int heads = c.scan().heads();
        int layer = b.layer();
        w.outProj().parameters(b, dOut, GATED);
        w.inProj().parameters(b, dProjected, NORMED);
        Elementwise.addRows(dDelta, 0, heads, b.rows(), heads, b.parameter(mixer + "dt_bias", heads));
        float[] dWeight = b.parameter(mixer + "conv1d.weight", c.taps() * channels);
        float[] dBias = w.conv().bias() == null ? null : b.parameter(mixer + "conv1d.bias", channels);
        for (BackBatch.Segment s : b.segments()) {
            float[] inputs = b.work().floats(INPUTS, s.tokens() * channels);
            for (int t = 0; t < s.tokens(); t++) {
                DualPast.join(c, s.first() + t, s.values(layer, IN_X), s.values(layer, IN_B), s.values(layer, IN_C), inputs, t * channels);
            }
            CausalConv.backwardWeights(inputs, 0, channels, dConv, s.row() * channels, s.tokens(), c.taps(), channels, dWeight, dBias);
        }
    }
}
