package lab.recall.model.block;

import static lab.recall.model.HookPoint.RESID_PRE;
import static lab.recall.model.HookPoint.RESID_POST;
import static lab.recall.model.block.ScanPoints.B;
import static lab.recall.model.block.ScanPoints.C;
import static lab.recall.model.block.ScanPoints.CONV;
import static lab.recall.model.block.ScanPoints.CONV_STATE;
import static lab.recall.model.block.ScanPoints.DELTA;
import static lab.recall.model.block.ScanPoints.GATE;
import static lab.recall.model.block.ScanPoints.GATED;
import static lab.recall.model.block.ScanPoints.IN_X;
import static lab.recall.model.block.ScanPoints.IN_Z;
import static lab.recall.model.block.ScanPoints.NORMED;
import static lab.recall.model.block.ScanPoints.OUT;
import static lab.recall.model.block.ScanPoints.SSM_STATE;
import static lab.recall.model.block.ScanPoints.X_ACT;
import static lab.recall.model.block.ScanPoints.Y;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lab.recall.math.CausalConv;
import lab.recall.math.Elementwise;
import lab.recall.math.Gate;
import lab.recall.math.MatMul;
import lab.recall.math.PackedMatrix;
import lab.recall.math.SelectiveScan;
import lab.recall.math.Sigmoid;
import lab.recall.math.Silu;
import lab.recall.math.Softplus;
import lab.recall.model.BackBatch;
import lab.recall.model.Batch;
import lab.recall.model.Block;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.Mixing;
import lab.recall.model.Norm;
import lab.recall.model.Pass;
import lab.recall.model.Past;
import lab.recall.model.Run;
import lab.recall.model.Site;
import lab.recall.model.Tape;
import lab.recall.model.Weights;
import lab.recall.model.Workspace;

/**
 * A layer of a selective scan, as Mamba-1 has it: norm, projection, short convolution, scan, gate, projection.
 *
 * <p>Glossary: d residual width, E inner width, N states a channel, K convolution taps, R rank of delta. Shapes are [rows, width].
 * <pre>
 * normed = RMSNorm(h)                    [d]       y     = scan(x_act, delta, A, B, C) + D x_act   [E]
 * in_x, in_z = in_proj(normed)           [E] [E]   gate  = SiLU(in_z)                              [E]
 * conv   = causal convolution of in_x    [E]       gated = y gate                                  [E]
 * x_act  = SiLU(conv)                    [E]       out   = out_proj(gated)                         [d]
 * low, B, C = x_proj(x_act)      [R] [N] [N]       h'    = h + out                                 [d]
 * delta  = softplus(dt_proj(low))        [E]
 * </pre>
 * Source: Gu and Dao, arXiv 2312.00752, section 3 and algorithm 2.
 */
public final class SelectiveScanBlock implements Block {
    /** How tokens read each other in such a layer. */
    public static final Mixing MIXING = new Mixing(List.of(new ScanMixers.Conv(), new ScanMixers.Scan()), Optional.of(IN_X));

    private static final Workspace.Slot NORM = Workspace.slot();
    private static final Workspace.Slot XZ = Workspace.slot();
    private static final Workspace.Slot ACT = Workspace.slot();
    private static final Workspace.Slot LOW = Workspace.slot();
    private static final Workspace.Slot STEPS = Workspace.slot();
    private static final Workspace.Slot SCANNED = Workspace.slot();
    private static final Workspace.Slot HISTORY = Workspace.slot();
    private static final Workspace.Slot STATE = Workspace.slot();
    private static final Workspace.Slot GATES = Workspace.slot();
    private static final Workspace.Slot CARRIED = Workspace.slot();
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
    private static final Workspace.Slot INPUTS = Workspace.slot();
    private static final Workspace.Slot D_STATE = Workspace.slot();

    /** A layer's weights; vectors are plain, the convolution is [tap][channel], A is negative and [state][channel]. */
    record Parts(Norm norm, PackedMatrix inProj, float[] inBias, float[] conv, float[] convBias, PackedMatrix xProj,
                 PackedMatrix dtProj, float[] dtBias, float[] a, float[] skip, PackedMatrix outProj, float[] outBias) {
    }

    private final ScanSizes c;
    private final Parts w;
    /** Of its weights' names in the checkpoint: {@code backbone.layers.12.}. */
    private final String prefix;
    private final ScanCutter without;

    private SelectiveScanBlock(ScanSizes sizes, Parts parts, String prefix) {
        this.c = sizes;
        this.w = parts;
        this.prefix = prefix;
        this.without = new ScanCutter(sizes, parts);
    }

    /** Reads a layer; names in the checkpoint are those of Mamba-1 after a prefix such as {@code backbone.layers.12.}. */
    public static SelectiveScanBlock read(Weights weights, String prefix, ScanSizes c) {
        String m = prefix + "mixer.";
        int e = c.inner();
        return new SelectiveScanBlock(c, new Parts(
                Norm.rms(weights, prefix + "norm.weight", c.width(), c.epsilon()),
                weights.matrix(m + "in_proj.weight", 2 * e, c.width()), weights.optional(m + "in_proj.bias", 2 * e),
                weights.vector(m + "conv1d.weight", Weights.Layout.transposed(e, c.taps()), e, 1, c.taps()),
                weights.optional(m + "conv1d.bias", e),
                weights.matrix(m + "x_proj.weight", c.rank() + 2 * c.states(), e),
                weights.matrix(m + "dt_proj.weight", e, c.rank()), weights.vector(m + "dt_proj.bias", e),
                weights.vector(m + "A_log", new Decay(e, c.states()), e, c.states()), weights.vector(m + "D", e),
                weights.matrix(m + "out_proj.weight", c.width(), e), weights.optional(m + "out_proj.bias", c.width())), prefix);
    }

    /** A = -exp(A_log), [E, N] to [N, E]; an exponential beyond f32 becomes its greatest number, which decays to 0 all the same. */
    private static final class Decay implements Weights.Layout {
        private final int inner;
        private final int states;
        private float[] a;

        Decay(int inner, int states) {
            this.inner = inner;
            this.states = states;
        }

        @Override
        public void load(float[] stored, float[] used) {
            Weights.Layout.transpose(stored, inner, states, used);
            for (int i = 0; i < used.length; i++) {
                used[i] = (float) -Math.min(Math.exp(used[i]), Float.MAX_VALUE);
            }
            a = used;
        }

        /** dA_log = dA A. */
        @Override
        public void gradient(float[] used, float[] stored) {
            Elementwise.multiply(a, 0, used, 0, used.length);
            Weights.Layout.transpose(used, states, inner, stored);
        }
    }

    @Override
    public void forward(Batch batch) {
        for (Batch b : batch.blocks()) {
            block(b);
        }
    }

    private void block(Batch b) {
        int rows = b.rows();
        int width = c.width();
        int inner = c.inner();
        int states = c.states();
        int low = c.rank() + 2 * states;
        float[] normed = b.work().floats(NORM, rows * width);
        w.norm.forward(b.resid(), b.at(), rows, normed, 0);
        b.hook(NORMED, normed, 0, width, width);

        float[] xz = b.work().floats(XZ, rows * 2 * inner);
        w.inProj.multiply(normed, 0, width, rows, w.inBias, xz, 0, 2 * inner);
        b.hook(IN_X, xz, 0, 2 * inner, inner);
        b.hook(IN_Z, xz, inner, 2 * inner, inner);

        float[] act = b.work().floats(ACT, rows * inner);
        for (Batch.Segment s : b.segments()) {
            convolve(b, s, xz, act);
        }
        b.hook(CONV, act, 0, inner, inner);
        Silu.forward(act, 0, inner, rows, inner, act, 0);
        b.hook(X_ACT, act, 0, inner, inner);

        float[] bc = b.work().floats(LOW, rows * low);
        w.xProj.multiply(act, 0, inner, rows, bc, 0, low);
        float[] delta = b.work().floats(STEPS, rows * inner);
        w.dtProj.multiply(bc, 0, low, rows, w.dtBias, delta, 0, inner);
        Softplus.forward(delta, 0, rows, inner);
        b.hook(DELTA, delta, 0, inner, inner);
        b.hook(B, bc, c.rank(), low, states);
        b.hook(C, bc, c.rank() + states, low, states);

        float[] y = b.work().floats(SCANNED, rows * inner);
        for (Batch.Segment s : b.segments()) {
            scan(b, s, act, delta, bc, y);
        }
        b.hook(Y, y, 0, inner, inner);

        gate(b, y, xz);
        b.hook(GATED, y, 0, inner, inner);

        if (!b.asks(OUT)) {
            w.outProj.addProduct(y, 0, inner, rows, w.outBias, b.resid(), b.at(), width);
            return;
        }
        float[] out = normed;                   // the norm is not read again
        w.outProj.multiply(y, 0, inner, rows, w.outBias, out, 0, width);
        b.hook(OUT, out, 0, width, width);
        Elementwise.add(out, 0, b.resid(), b.at(), rows * width);
    }

    private void convolve(Batch b, Batch.Segment s, float[] xz, float[] conv) {
        int inner = c.inner();
        int back = c.taps() - 1;
        float[] carried = b.work().floats(CARRIED, back * inner);
        float[] history;
        int historyAt = 0;
        if (s.continues()) {
            history = carried;
        } else if (s.from() >= back && s.past() instanceof ScanPast past) {
            history = past.x();
            historyAt = (s.from() - back) * inner;
        } else {
            history = b.work().floats(HISTORY, back * inner);
            Arrays.fill(history, 0, back * inner, 0f);
            if (s.past() instanceof ScanPast past) {
                System.arraycopy(past.x(), 0, history, (back - s.from()) * inner, s.from() * inner);
            }
        }
        CausalConv.forward(xz, s.row() * 2 * inner, 2 * inner, s.tokens(), history, historyAt, c.taps(), inner, w.conv, w.convBias,
                conv, s.row() * inner);
        if (b.cuts(s) instanceof ScanCuts cuts && cuts.conv() != null) {
            without.convolve(s, cuts.conv(), xz, history, historyAt, conv);
        }
        if (b.keeps(s, CONV_STATE)) {
            float[] last = new float[c.taps() * inner];
            lastInputs(s, xz, history, historyAt, c.taps(), last);
            b.keep(s, CONV_STATE, last);
        }
        if (s.goesOn()) {
            lastInputs(s, xz, history, historyAt, back, carried);
        }
    }

    /** The last {@code count} inputs of the convolution, oldest first, [count, E]; {@code last} may be the history. */
    private void lastInputs(Batch.Segment s, float[] xz, float[] history, int historyAt, int count, float[] last) {
        int inner = c.inner();
        for (int k = 0; k < count; k++) {
            int token = s.tokens() - count + k;
            if (token >= 0) {
                System.arraycopy(xz, (s.row() + token) * 2 * inner, last, k * inner, inner);
            } else if (token + c.taps() - 1 >= 0) {
                System.arraycopy(history, historyAt + (token + c.taps() - 1) * inner, last, k * inner, inner);
            }
        }
    }

    private void scan(Batch b, Batch.Segment s, float[] act, float[] delta, float[] bc, float[] y) {
        int inner = c.inner();
        int size = c.states() * inner;
        int low = c.rank() + 2 * c.states();
        float[] state = b.work().floats(STATE, size);
        if (!s.continues()) {                   // else the block before has left it there
            if (s.past() instanceof ScanPast past) {
                System.arraycopy(past.states(), (s.from() - 1 - past.first()) * size, state, 0, size);
            } else {
                Arrays.fill(state, 0, size, 0f);
            }
        }
        int at = s.row() * inner;
        int first = s.row() * low + c.rank();
        SelectiveScan.forward(s.tokens(), inner, c.states(), act, at, delta, at, w.a, bc, first, first + c.states(), low, w.skip,
                state, 0, y, at);
        if (b.keeps(s, SSM_STATE)) {
            b.keep(s, SSM_STATE, Arrays.copyOf(state, size));
        }
        if (b.cuts(s) instanceof ScanCuts cuts && cuts.scan() != null) {
            without.scan(b, s, cuts, act, delta, bc, y);
        }
    }

    private void gate(Batch b, float[] y, float[] xz) {
        int inner = c.inner();
        if (!b.asks(GATE)) {
            Gate.forward(y, 0, xz, inner, 2 * inner, b.rows(), inner, y, 0);
            return;
        }
        float[] gate = b.work().floats(GATES, b.rows() * inner);
        Silu.forward(xz, inner, 2 * inner, b.rows(), inner, gate, 0);
        b.hook(GATE, gate, 0, inner, inner);
        Elementwise.multiply(gate, 0, y, 0, b.rows() * inner);
    }

    /**
     * What cotangents share.
     *
     * @param row    where the pass's first token stands in low and slope
     * @param low    x_proj's output, [tokens, R + 2N]
     * @param slope  derivative of softplus at each delta, [tokens, E]
     * @param before states before each token, [tokens + 1, N, E]
     * @param decay  [tokens, N, E]
     */
    private record ScanTape(int row, float[] low, float[] slope, float[] before, float[] decay) implements Tape {
    }

    @Override
    public List<HookPoint> statePoints() {
        return List.of(IN_X, X_ACT, DELTA, B, RESID_POST);
    }

    @Override
    public List<HookPoint> tapePoints() {
        return List.of(RESID_PRE, NORMED, IN_X, IN_Z, CONV, X_ACT, DELTA, B, C, Y, GATE, GATED);
    }

    @Override
    public ScanTape tape(Pass pass, int layer) {
        int inner = c.inner();
        int size = c.states() * inner;
        int tokens = pass.length() - pass.from();
        return filled(pass, layer, new ScanTape(0, new float[tokens * (c.rank() + 2 * c.states())], new float[tokens * inner],
                new float[(tokens + 1) * size], new float[tokens * size]));
    }

    /** A segment's tape; one that was not prepared lies in the scratch buffers, its states and decays until the next one is asked for. */
    private ScanTape tape(BackBatch b, BackBatch.Segment s) {
        if (s.tape() instanceof ScanTape prepared) {
            return prepared;
        }
        int inner = c.inner();
        int size = c.states() * inner;
        return filled(s.pass(), b.layer(), new ScanTape(s.row(), b.work().floats(TAPE_LOW, b.rows() * (c.rank() + 2 * c.states())),
                b.work().floats(TAPE_SLOPE, b.rows() * inner), b.work().floats(TAPE_STATES, (s.tokens() + 1) * size), b.work().floats(TAPE_DECAY, s.tokens() * size)));
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
        w.xProj.multiply(x, 0, inner, tokens, tape.low, tape.row * low, low);
        w.dtProj.multiply(tape.low, tape.row * low, low, tokens, w.dtBias, tape.slope, at, inner);
        Sigmoid.forward(tape.slope, at, tokens * inner);
        if (pass.from() > 0) {
            System.arraycopy(stateBefore(pass.base(), layer, pass.from()), 0, tape.before, 0, size);
        } else {
            Arrays.fill(tape.before, 0, size, 0f);
        }
        SelectiveScan.states(tokens, inner, states, x, 0, delta, 0, w.a, pass.values(layer, B), 0, states,
                tape.before, 0, tape.before, size, tape.decay, 0);
        return tape;
    }

    @Override
    public void backward(BackBatch b) {
        int rows = b.rows();
        int d = c.width();
        int inner = c.inner();
        int low = c.rank() + 2 * c.states();
        int layer = b.layer();
        float[] dOut = b.work().floats(D_OUT, rows * d);
        System.arraycopy(b.grad(), b.at(), dOut, 0, rows * d);
        b.hook(OUT, dOut, 0, d, d);
        float[] dGated = b.work().floats(D_GATED, rows * inner);
        w.outProj.transposed().multiply(dOut, 0, d, rows, dGated, 0, inner);
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
        w.dtProj.transposed().multiply(dDelta, 0, inner, rows, dLow, 0, low);
        float[] more = dGate;                       // not read again
        w.xProj.transposed().multiply(dLow, 0, low, rows, more, 0, inner);
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
            CausalConv.backward(more, s.row() * inner, s.tokens(), c.taps(), inner, w.conv, dXz, s.row() * 2 * inner, 2 * inner);
        }
        b.hook(IN_X, dXz, 0, 2 * inner, inner);
        float[] dNormed = b.work().floats(D_NORM, rows * d);
        w.inProj.transposed().multiply(dXz, 0, 2 * inner, rows, dNormed, 0, d);
        b.hook(NORMED, dNormed, 0, d, d);
        for (BackBatch.Segment s : b.segments()) {
            w.norm.backward(s.values(layer, RESID_PRE), s.first() * d, s.tokens(), dNormed, s.row() * d, b.grad(), b.at() + s.row() * d,
                    b.parameters());
        }
        if (b.parameters() != null) {
            weightGradients(b, tapes, dOut, more, dXz, dLow, dDelta);
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
        float[] bc = b.work().floats(INPUTS, s.tokens() * 2 * states);
        for (int t = 0; t < s.tokens(); t++) {
            System.arraycopy(s.values(layer, B), (first + t) * states, bc, t * 2 * states, states);
            System.arraycopy(s.values(layer, C), (first + t) * states, bc, t * 2 * states + states, states);
        }
        int db = s.row() * low + c.rank();
        SelectiveScan.backward(s.tokens(), inner, states, s.values(layer, X_ACT), first * inner, s.values(layer, DELTA), first * inner, w.a,
                bc, 0, states, 2 * states, w.skip, tape.before, first * size, tape.decay, first * size, dY, at, dAct, at, dDelta, at,
                dLow, db, db + states, low, b.parameters() == null ? null : b.parameter(name("mixer.A_log"), size),
                b.parameters() == null ? null : b.parameter(name("mixer.D"), inner), b.work().floats(D_STATE, size));
    }

    /** Gradients of the matrices: sums over all rows, segment by segment since the inputs lie in each pass's own arrays. */
    private void weightGradients(BackBatch b, List<ScanTape> tapes, float[] dOut, float[] dConv, float[] dXz, float[] dLow, float[] dDelta) {
        int d = c.width();
        int inner = c.inner();
        int low = c.rank() + 2 * c.states();
        int layer = b.layer();
        for (int i = 0; i < tapes.size(); i++) {
            BackBatch.Segment s = b.segments().get(i);
            int n = s.tokens();
            int first = s.first();
            MatMul.addOuter(dOut, s.row() * d, d, s.values(layer, GATED), first * inner, inner, n, d, inner,
                    b.parameter(name("mixer.out_proj.weight"), d * inner));
            MatMul.addOuter(dXz, s.row() * 2 * inner, 2 * inner, s.values(layer, NORMED), first * d, d, n, 2 * inner, d,
                    b.parameter(name("mixer.in_proj.weight"), 2 * inner * d));
            MatMul.addOuter(dLow, s.row() * low, low, s.values(layer, X_ACT), first * inner, inner, n, low, inner,
                    b.parameter(name("mixer.x_proj.weight"), low * inner));
            MatMul.addOuter(dDelta, s.row() * inner, inner, tapes.get(i).low, (tapes.get(i).row + first) * low, low, n, inner, c.rank(),
                    b.parameter(name("mixer.dt_proj.weight"), inner * c.rank()));
            CausalConv.backwardWeights(s.values(layer, IN_X), first * inner, inner, dConv, s.row() * inner, n, c.taps(), inner,
                    b.parameter(name("mixer.conv1d.weight"), c.taps() * inner),
                    w.convBias == null ? null : b.parameter(name("mixer.conv1d.bias"), inner));
        }
        Elementwise.addRows(dDelta, 0, inner, b.rows(), inner, b.parameter(name("mixer.dt_proj.bias"), inner));
        if (w.inBias != null) {
            Elementwise.addRows(dXz, 0, 2 * inner, b.rows(), 2 * inner, b.parameter(name("mixer.in_proj.bias"), 2 * inner));
        }
        if (w.outBias != null) {
            Elementwise.addRows(dOut, 0, d, b.rows(), d, b.parameter(name("mixer.out_proj.bias"), d));
        }
    }

    /** The scan of a pass's tokens from {@code source} on, fed by that token alone and without the skip term, [tokens - source, E]. */
    float[] scanTerms(Pass pass, int layer, int source) {
        int inner = c.inner();
        int states = c.states();
        int tokens = pass.length() - source;
        float[] u = new float[tokens * inner];
        System.arraycopy(pass.values(layer, X_ACT), source * inner, u, 0, inner);
        float[] bc = new float[tokens * 2 * states];
        for (int t = 0; t < tokens; t++) {
            System.arraycopy(pass.values(layer, B), (source + t) * states, bc, t * 2 * states, states);
            System.arraycopy(pass.values(layer, C), (source + t) * states, bc, t * 2 * states + states, states);
        }
        float[] terms = new float[tokens * inner];
        SelectiveScan.forward(tokens, inner, states, u, 0, pass.values(layer, DELTA), source * inner, w.a, bc, 0, states, 2 * states,
                new float[inner], new float[states * inner], 0, terms, 0);
        return terms;
    }

    private String name(String part) {
        return prefix + part;
    }

    @Override
    public Past past(Pass pass, int layer, List<Run> runs) {
        int upTo = runs.stream().mapToInt(Run::from).max().orElse(0);
        List<ScanPast.Without> needed = without.needed(layer, runs);
        if (needed.isEmpty() && runs.stream().allMatch(r -> r.from() == upTo)) {
            return new ScanPast(pass.values(layer, IN_X), stateBefore(pass, layer, upTo), upTo - 1, Map.of());
        }
        if (needed.isEmpty()) {
            return new ScanPast(pass.values(layer, IN_X), statesOf(pass, layer, upTo), 0, Map.of());
        }
        float[] states = new float[upTo * c.states() * c.inner()];
        return new ScanPast(pass.values(layer, IN_X), states, 0, without.walk(pass, layer, needed, upTo, states));
    }

    /** The state that a token of a pass meets. */
    private float[] stateBefore(Pass pass, int layer, int token) {
        int size = c.states() * c.inner();
        return pass.noted(layer, token, () -> Arrays.copyOfRange(statesOf(pass, layer, token), (token - 1) * size, token * size));
    }

    @Override
    public ScanCuts cuts(List<Intervention.Cut> cuts) {
        return ScanCuts.of(c, cuts);
    }

    /** What the scan's skip term D x_act adds to y at a token, [E]. */
    float[] skipTerm(Pass pass, int layer, int token) {
        float[] term = pass.get(new Site(layer, X_ACT, token));
        Elementwise.multiply(w.skip, 0, term, 0, term.length);
        return term;
    }

    /** What the convolution carries from one token to itself and later ones, [tokens - source, E]; zeros beyond its taps. */
    float[] convTerms(Pass pass, int layer, int source) {
        int inner = c.inner();
        float[] terms = new float[(pass.length() - source) * inner];
        for (int t = source; t < pass.length() && t - source < c.taps(); t++) {
            System.arraycopy(w.conv, (c.taps() - 1 - (t - source)) * inner, terms, (t - source) * inner, inner);
            Elementwise.multiply(pass.get(new Site(layer, IN_X, source)), 0, terms, (t - source) * inner, inner);
        }
        return terms;
    }

    /** Bias of the convolution, [E]. */
    float[] convBias() {
        return w.convBias == null ? new float[c.inner()] : w.convBias.clone();
    }

    /** Runs the recurrence of a pass again from its kept terms: far cheaper than keeping every state. */
    private float[] statesOf(Pass pass, int layer, int upTo) {
        int inner = c.inner();
        int size = c.states() * inner;
        float[] states = new float[upTo * size];
        SelectiveScan.states(upTo, inner, c.states(), pass.values(layer, X_ACT), 0, pass.values(layer, DELTA), 0, w.a,
                pass.values(layer, B), 0, c.states(), new float[size], 0, states, 0);
        return states;
    }
}
