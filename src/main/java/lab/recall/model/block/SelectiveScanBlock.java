package lab.recall.model.block;

import static lab.recall.model.HookPoint.RESID_POST;
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
import static lab.recall.model.block.ScanPoints.SSM_STATE;
import static lab.recall.model.block.ScanPoints.STATE;
import static lab.recall.model.block.ScanPoints.WRITE;
import static lab.recall.model.block.ScanPoints.X_ACT;
import static lab.recall.model.block.ScanPoints.Y;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lab.recall.math.PackedMatrix;
import lab.recall.math.Rows;
import lab.recall.math.SelectiveScan;
import lab.recall.math.Silu;
import lab.recall.math.Softplus;
import lab.recall.model.BackBatch;
import lab.recall.model.Batch;
import lab.recall.model.Block;
import lab.recall.model.BlockWork;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.Mixing;
import lab.recall.model.Norm;
import lab.recall.model.Pass;
import lab.recall.model.Past;
import lab.recall.model.Run;
import lab.recall.model.Tape;
import lab.recall.model.Weights;
import lab.recall.model.Workspace;

/**
 * A layer of a selective scan, as Mamba-1 and Falcon-Mamba have it: norm, projection, short convolution, scan, gate, projection.
 *
 * <p>Glossary: d residual width, E inner width, N states a channel, K convolution taps, R rank of delta. Shapes are [rows, width].
 * <pre>
 * normed = norm(h)                       [d]       y     = scan(x_act, delta, A, B, C) + D x_act   [E]
 * in_x, in_z = in_proj(normed)           [E] [E]   gate  = SiLU(in_z)                              [E]
 * conv   = causal convolution of in_x    [E]       gated = y gate                                  [E]
 * x_act  = SiLU(conv)                    [E]       out   = out_proj(gated)                         [d]
 * low, B, C = x_proj(x_act)      [R] [N] [N]       h'    = h + out                                 [d]
 * delta  = softplus(dt_proj(low))        [E]
 * </pre>
 * Falcon-Mamba norms low, B and C ({@link ScanSizes#withNorms}). Source: Gu and Dao, arXiv 2312.00752, section 3 and algorithm 2.
 */
public final class SelectiveScanBlock implements Block, ScanTerms.Of {
    /** How tokens read each other in such a layer. */
    public static final Mixing MIXING = new Mixing(List.of(new ScanMixers.Conv(IN_X), new ScanMixers.Scan()), Optional.of(IN_X));

    private static final Workspace.Slot NORM = Workspace.slot();
    private static final Workspace.Slot XZ = Workspace.slot();
    private static final Workspace.Slot ACT = Workspace.slot();
    private static final Workspace.Slot LOW = Workspace.slot();
    private static final Workspace.Slot STEPS = Workspace.slot();
    private static final Workspace.Slot SCANNED = Workspace.slot();
    private static final Workspace.Slot CARRIED = Workspace.slot();

    /** A layer's weights; vectors are plain, A is negative and [state][channel]. */
    record Parts(Norm norm, Linear inProj, ShortConv conv, Linear xProj, PackedMatrix dtProj, float[] dtBias, float[] a, float[] skip,
                 Linear outProj) {
    }

    private final ScanSizes c;
    private final Parts w;
    private final ScanCutter without;
    private final ScanStates states;
    private final ScanGradients gradients;

    private SelectiveScanBlock(ScanSizes sizes, Parts parts, String prefix) {
        this.c = sizes;
        this.w = parts;
        this.without = new ScanCutter(sizes, parts);
        this.states = new ScanStates(sizes, parts);
        this.gradients = new ScanGradients(sizes, parts, states, prefix);
    }

    /** Reads a layer; names in the checkpoint are those of Mamba-1 after a prefix such as {@code backbone.layers.12.}. */
    public static SelectiveScanBlock read(Weights weights, String prefix, ScanSizes c) {
        String m = prefix + "mixer.";
        int e = c.inner();
        return new SelectiveScanBlock(c, new Parts(
                Norm.stored(weights, prefix + "norm", c.width(), c.epsilon()),
                Linear.read(weights, m + "in_proj", 2 * e, c.width(), weights.has(m + "in_proj.bias")),
                new ShortConv(c.taps(), e, weights.vector(m + "conv1d.weight", Weights.Layout.transposed(e, c.taps()), e, 1, c.taps()),
                        weights.optional(m + "conv1d.bias", e)),
                Linear.read(weights, m + "x_proj", c.rank() + 2 * c.states(), e, false),
                weights.matrix(m + "dt_proj.weight", e, c.rank()), weights.vector(m + "dt_proj.bias", e),
                weights.vector(m + "A_log", new Decay(e, c.states()), e, c.states()), weights.vector(m + "D", e),
                Linear.read(weights, m + "out_proj", c.width(), e, weights.has(m + "out_proj.bias"))), prefix);
    }

    @Override
    public void forward(Batch batch) {
        for (Batch b : batch.blocks()) {
            block(b);
        }
    }

    /** Norm, convolution and three gates' functions, and for each state decay, input and read-out. */
    @Override
    public BlockWork work() {
        long e = c.inner();
        return BlockWork.ofMatrices(3L * c.width() * e + e * (c.rank() + 2L * c.states()) + e * c.rank(),
                4L * c.width() + 2L * c.taps() * e + 9 * e * c.states() + 10 * e, 0);
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
        w.inProj.forward(normed, 0, rows, xz, 0);
        b.hook(IN_X, xz, 0, 2 * inner, inner);
        b.hook(IN_Z, xz, inner, 2 * inner, inner);

        float[] act = b.work().floats(ACT, rows * inner);
        for (Batch.Segment s : b.segments()) {
            w.conv.forward(b, s, xz, 0, 2 * inner, act);
        }
        b.hook(CONV, act, 0, inner, inner);
        Silu.forward(act, 0, inner, rows, inner, act, 0);
        b.hook(X_ACT, act, 0, inner, inner);

        float[] bc = b.work().floats(LOW, rows * low);
        w.xProj.forward(act, 0, rows, bc, 0);
        c.norms().ifPresent(n -> n.forward(bc, 0, rows));
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

        Gates.forward(b, y, xz, inner, 2 * inner, inner);
        b.hook(GATED, y, 0, inner, inner);

        w.outProj.toStream(b, OUT, y, normed);              // the norm is not read again
    }

    private void scan(Batch b, Batch.Segment s, float[] act, float[] delta, float[] bc, float[] y) {
        int inner = c.inner();
        int size = c.states() * inner;
        int low = c.rank() + 2 * c.states();
        float[] state = b.work().floats(CARRIED, size);
        if (!s.continues()) {                   // else the block before has left it there
            if (s.past() instanceof ScanPast past) {
                System.arraycopy(past.states(), (s.from() - 1 - past.first()) * size, state, 0, size);
            } else {
                Arrays.fill(state, 0, size, 0f);
            }
        }
        int at = s.row() * inner;
        int first = s.row() * low + c.rank();
        if (b.asks(WRITE) || b.asks(STATE)) {
            Memory.forward(b, s, new ScanSteps(c, w, Rows.of(act, at, inner), Rows.of(delta, at, inner), Rows.of(bc, first, low),
                    Rows.of(bc, first + c.states(), low), Rows.of(y, at, inner), null), state);
        } else {
            SelectiveScan.forward(new SelectiveScan.Sizes(s.tokens(), inner, c.states()), Rows.of(act, at, inner),
                    Rows.of(delta, at, inner), w.a, Rows.of(bc, first, low), Rows.of(bc, first + c.states(), low), w.skip, state,
                    Rows.of(y, at, inner));
        }
        if (b.keeps(s, SSM_STATE)) {
            b.keep(s, SSM_STATE, Arrays.copyOf(state, size));
        }
        if (b.cuts(s) instanceof ScanCuts cuts && cuts.scan() != null) {
            without.scan(b, s, cuts, act, delta, bc, y);
        }
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
    public Tape tape(Pass pass, int layer) {
        return gradients.tape(pass, layer);
    }

    @Override
    public void backward(BackBatch b) {
        gradients.backward(b);
    }

    @Override
    public ScanTerms terms() {
        return states;
    }

    @Override
    public Past past(Pass pass, int layer, List<Run> runs) {
        int upTo = runs.stream().mapToInt(Run::from).max().orElse(0);
        List<ScanPast.Without> needed = without.needed(layer, runs);
        if (needed.isEmpty() && runs.stream().allMatch(r -> r.from() == upTo)) {
            return new ScanPast(pass.values(layer, IN_X), c.inner(), states.before(pass, layer, upTo), upTo - 1, Map.of());
        }
        if (needed.isEmpty()) {
            return new ScanPast(pass.values(layer, IN_X), c.inner(), states.all(pass, layer, upTo), 0, Map.of());
        }
        float[] all = new float[upTo * c.states() * c.inner()];
        return new ScanPast(pass.values(layer, IN_X), c.inner(), all, 0, without.walk(pass, layer, needed, upTo, all));
    }

    @Override
    public ScanCuts cuts(List<Intervention.Cut> cuts) {
        return ScanCuts.of(c.inner(), cuts);
    }
}
