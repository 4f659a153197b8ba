package lab.recall.model.block;

import static lab.recall.model.HookPoint.RESID_PRE;
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

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import lab.recall.math.CausalConv;
import lab.recall.math.Elementwise;
import lab.recall.math.MatMul;
import lab.recall.math.Rows;
import lab.recall.math.SelectiveScan;
import lab.recall.math.Sigmoid;
import lab.recall.math.Silu;
import lab.recall.model.BackBatch;
import lab.recall.model.Pass;
import lab.recall.model.Tape;
import lab.recall.model.Workspace;

/** Takes gradients back through a {@link SelectiveScanBlock}. */
final class ScanGradients {
    private static final Workspace.Slot TAPE_RAW = Workspace.slot();
    private static final Workspace.Slot TAPE_LOW = Workspace.slot();
    private static final Workspace.Slot TAPE_SLOPE = Workspace.slot();
    private static final Workspace.Slot TAPE_STATES = Workspace.slot();
    private static final Workspace.Slot TAPE_DECAY = Workspace.slot();
    private static final Workspace.Slot D_OUT = Workspace.slot();
    private static final Workspace.Slot D_GATED = Workspace.slot();
    private static final Workspace.Slot D_GATE = Workspace.slot();
    private static final Workspace.Slot D_XZ = Workspace.slot();
    private static final Workspace.Slot D_ACT = Workspace.slot();
    private static final Workspace.Slot D_STEPS = Workspace.slot();
    private static final Workspace.Slot D_LOW = Workspace.slot();
    private static final Workspace.Slot D_NORM = Workspace.slot();
    private static final Workspace.Slot D_STATE = Workspace.slot();

    private final ScanSizes c;
    private final SelectiveScanBlock.Parts w;
    private final ScanStates states;
    /** Of its weights' names in the checkpoint: {@code backbone.layers.12.}. */
    private final String prefix;

    ScanGradients(ScanSizes sizes, SelectiveScanBlock.Parts parts, ScanStates states, String prefix) {
        this.c = sizes;
        this.w = parts;
        this.states = states;
        this.prefix = prefix;
    }

    /**
     * What cotangents share.
     *
     * @param row    where the pass's first token stands in low and slope
     * @param raw    x_proj's output, [tokens, R + 2N]
     * @param low    the same behind its norms; where there are none, {@code raw} itself
     * @param slope  derivative of softplus at each delta, [tokens, E]
     * @param before states before each token, [tokens + 1, N, E]
     * @param decay  [tokens, N, E]
     */
    record ScanTape(int row, float[] raw, float[] low, float[] slope, float[] before, float[] decay) implements Tape {
    }

    ScanTape tape(Pass pass, int layer) {
        int inner = c.inner();
        int size = c.states() * inner;
        int tokens = pass.length() - pass.from();
        float[] raw = new float[tokens * (c.rank() + 2 * c.states())];
        return filled(pass, layer, new ScanTape(0, raw, c.norms().isPresent() ? raw.clone() : raw, new float[tokens * inner],
                new float[(tokens + 1) * size], new float[tokens * size]));
    }

    /** A segment's tape; one that was not prepared lies in the scratch buffers, its states and decays until the next one is asked for. */
    private ScanTape tape(BackBatch b, BackBatch.Segment s) {
        if (s.tape() instanceof ScanTape prepared) {
            return prepared;
        }
        int inner = c.inner();
        int size = c.states() * inner;
        int low = b.rows() * (c.rank() + 2 * c.states());
        float[] raw = b.work().floats(TAPE_RAW, low);
        return filled(s.pass(), b.layer(), new ScanTape(s.row(), raw, c.norms().isPresent() ? b.work().floats(TAPE_LOW, low) : raw,
                b.work().floats(TAPE_SLOPE, b.rows() * inner), b.work().floats(TAPE_STATES, (s.tokens() + 1) * size),
                b.work().floats(TAPE_DECAY, s.tokens() * size)));
    }

    private ScanTape filled(Pass pass, int layer, ScanTape tape) {
        int inner = c.inner();
        int states = c.states();
        int size = states * inner;
        int tokens = pass.length() - pass.from();
        int low = c.rank() + 2 * states;
        int at = tape.row * inner;
        float[] x = pass.values(layer, X_ACT);
        float[] delta = pass.values(layer, DELTA);
        w.xProj().forward(x, 0, tokens, tape.raw, tape.row * low);
        c.norms().ifPresent(n -> {
            System.arraycopy(tape.raw, tape.row * low, tape.low, tape.row * low, tokens * low);
            n.forward(tape.low, tape.row * low, tokens);
        });
        w.dtProj().multiply(tape.low, tape.row * low, low, tokens, w.dtBias(), tape.slope, at, inner);
        Sigmoid.forward(tape.slope, at, tokens * inner);
        if (pass.from() > 0) {
            System.arraycopy(this.states.before(pass.base(), layer, pass.from()), 0, tape.before, 0, size);
        } else {
            Arrays.fill(tape.before, 0, size, 0f);
        }
        SelectiveScan.states(new SelectiveScan.Sizes(tokens, inner, states), Rows.of(x, 0, inner), Rows.of(delta, 0, inner), w.a(),
                Rows.of(pass.values(layer, B), 0, states), Rows.of(tape.before, 0, size), Rows.of(tape.before, size, size),
                Rows.of(tape.decay, 0, size));
        return tape;
    }

    void backward(BackBatch b) {
        int rows = b.rows();
        int d = c.width();
        int inner = c.inner();
        int low = c.rank() + 2 * c.states();
        int layer = b.layer();
        float[] dOut = b.work().floats(D_OUT, rows * d);
        System.arraycopy(b.grad(), b.at(), dOut, 0, rows * d);
        b.hook(OUT, dOut, 0, d, d);
        float[] dGated = b.work().floats(D_GATED, rows * inner);
        w.outProj().backward(dOut, rows, dGated);
        b.hook(GATED, dGated, 0, inner, inner);
        float[] dGate = b.work().floats(D_GATE, rows * inner);
        for (BackBatch.Segment s : b.segments()) {
            int n = s.tokens() * inner;
            System.arraycopy(dGated, s.row() * inner, dGate, s.row() * inner, n);
            Elementwise.multiply(s.values(layer, Y), s.first() * inner, dGate, s.row() * inner, n);
            Elementwise.multiply(s.values(layer, GATE), s.first() * inner, dGated, s.row() * inner, n);
        }
        b.hook(Y, dGated, 0, inner, inner);
        b.hook(GATE, dGate, 0, inner, inner);
        float[] dXz = b.work().floats(D_XZ, rows * 2 * inner);
        for (BackBatch.Segment s : b.segments()) {
            Silu.backward(s.values(layer, IN_Z), s.first() * inner, inner, s.tokens(), inner, dGate, s.row() * inner, dXz,
                    s.row() * 2 * inner + inner, 2 * inner);
        }
        b.hook(IN_Z, dXz, inner, 2 * inner, inner);

        float[] dAct = b.work().floats(D_ACT, rows * inner);
        float[] dDelta = b.work().floats(D_STEPS, rows * inner);
        float[] dLow = b.work().floats(D_LOW, rows * low);
        List<ScanTape> tapes = new ArrayList<>(b.segments().size());
        for (BackBatch.Segment s : b.segments()) {
            tapes.add(tape(b, s));
            scanBackward(b, s, tapes.get(tapes.size() - 1), dGated, dAct, dDelta, dLow);
        }
        b.hook(DELTA, dDelta, 0, inner, inner);
        b.hook(B, dLow, c.rank(), low, c.states());
        b.hook(C, dLow, c.rank() + c.states(), low, c.states());
        for (int i = 0; i < tapes.size(); i++) {
            BackBatch.Segment s = b.segments().get(i);
            Elementwise.multiply(tapes.get(i).slope, (tapes.get(i).row + s.first()) * inner, dDelta, s.row() * inner, s.tokens() * inner);
        }
        w.dtProj().transposed().multiply(dDelta, 0, inner, rows, dLow, 0, low);
        c.norms().ifPresent(n -> normsBackward(n, b, tapes, dLow));
        float[] more = dGate;                       // not read again
        w.xProj().backward(dLow, rows, more);
        Elementwise.add(more, 0, dAct, 0, rows * inner);
        b.hook(X_ACT, dAct, 0, inner, inner);
        for (BackBatch.Segment s : b.segments()) {
            Silu.backward(s.values(layer, CONV), s.first() * inner, inner, s.tokens(), inner, dAct, s.row() * inner,
                    more, s.row() * inner, inner);
        }
        b.hook(CONV, more, 0, inner, inner);
        for (int r = 0; r < rows; r++) {
            Arrays.fill(dXz, r * 2 * inner, r * 2 * inner + inner, 0f);
        }
        for (BackBatch.Segment s : b.segments()) {
            CausalConv.backward(more, s.row() * inner, s.tokens(), c.taps(), inner, w.conv().weight(), dXz, s.row() * 2 * inner, 2 * inner);
        }
        b.hook(IN_X, dXz, 0, 2 * inner, inner);
        float[] dNormed = b.work().floats(D_NORM, rows * d);
        w.inProj().backward(dXz, rows, dNormed);
        b.hook(NORMED, dNormed, 0, d, d);
        for (BackBatch.Segment s : b.segments()) {
            w.norm().backward(s.values(layer, RESID_PRE), s.first() * d, s.tokens(), dNormed, s.row() * d, b.grad(), b.at() + s.row() * d,
                    b.parameters());
        }
        if (b.parameters() != null) {
            weightGradients(b, tapes, dOut, more, dXz, dLow, dDelta);
        }
    }

    private void normsBackward(ScanNorms norms, BackBatch b, List<ScanTape> tapes, float[] dLow) {
        int low = c.rank() + 2 * c.states();
        for (int i = 0; i < tapes.size(); i++) {
            BackBatch.Segment s = b.segments().get(i);
            norms.backward(tapes.get(i).raw, (tapes.get(i).row + s.first()) * low, dLow, s.row() * low, s.tokens());
        }
    }

    private void scanBackward(BackBatch b, BackBatch.Segment s, ScanTape tape, float[] dY, float[] dAct, float[] dDelta, float[] dLow) {
        int inner = c.inner();
        int states = c.states();
        int low = c.rank() + 2 * states;
        int size = states * inner;
        int layer = b.layer();
        int first = s.first();
        int at = s.row() * inner;
        // B and C as the run had them, interventions included
        SelectiveScan.Inputs in = new SelectiveScan.Inputs(Rows.of(s.values(layer, X_ACT), first * inner, inner),
                Rows.of(s.values(layer, DELTA), first * inner, inner), w.a(), Rows.of(s.values(layer, B), first * states, states),
                Rows.of(s.values(layer, C), first * states, states), w.skip(), Rows.of(tape.before, first * size, size),
                Rows.of(tape.decay, first * size, size));
        int db = s.row() * low + c.rank();
        boolean weights = b.parameters() != null;
        SelectiveScan.backward(new SelectiveScan.Sizes(s.tokens(), inner, states), in, Rows.of(dY, at, inner),
                new SelectiveScan.Gradients(Rows.of(dAct, at, inner), Rows.of(dDelta, at, inner), Rows.of(dLow, db, low),
                        Rows.of(dLow, db + states, low), weights ? b.parameter(name("mixer.A_log"), size) : null,
                        weights ? b.parameter(name("mixer.D"), inner) : null), b.work().floats(D_STATE, size));
    }

    /** Sums over all rows; what a pass keeps in arrays of its own is summed segment by segment. */
    private void weightGradients(BackBatch b, List<ScanTape> tapes, float[] dOut, float[] dConv, float[] dXz, float[] dLow,
            float[] dDelta) {
        int inner = c.inner();
        int low = c.rank() + 2 * c.states();
        w.outProj().parameters(b, dOut, GATED);
        w.inProj().parameters(b, dXz, NORMED);
        w.xProj().parameters(b, dLow, X_ACT);
        for (int i = 0; i < tapes.size(); i++) {
            BackBatch.Segment s = b.segments().get(i);
            int n = s.tokens();
            int first = s.first();
            MatMul.addOuter(dDelta, s.row() * inner, inner, tapes.get(i).low, (tapes.get(i).row + first) * low, low, n, inner, c.rank(),
                    b.parameter(name("mixer.dt_proj.weight"), inner * c.rank()));
            CausalConv.backwardWeights(s.values(b.layer(), IN_X), first * inner, inner, dConv, s.row() * inner, n, c.taps(), inner,
                    b.parameter(name("mixer.conv1d.weight"), c.taps() * inner),
                    w.conv().bias() == null ? null : b.parameter(name("mixer.conv1d.bias"), inner));
        }
        Elementwise.addRows(dDelta, 0, inner, b.rows(), inner, b.parameter(name("mixer.dt_proj.bias"), inner));
    }

    private String name(String part) {
        return prefix + part;
    }
}
