package lab.recall.model.block;

import static lab.recall.model.HookPoint.RESID_POST;
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
import static lab.recall.model.block.ScanPoints.SSM_STATE;
import static lab.recall.model.block.ScanPoints.STATE;
import static lab.recall.model.block.ScanPoints.WRITE;
import static lab.recall.model.block.ScanPoints.X_ACT;
import static lab.recall.model.block.ScanPoints.Y;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import lab.recall.math.RmsNorm;
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
 * A layer of state space duality, as Mamba-2 has it: norm, one projection of all, short convolution, a scan with one decay a head, gate,
 * norm, projection.
 *
 * <p>Glossary: d residual width, E = H P channels in H heads, N states, G groups of heads that share B and C. Shapes are [rows, width].
 * <pre>
 * normed = RMSNorm(h)                                  [d]        delta = softplus(in_dt + bias), within limits      [H]
 * in_z, in_x, in_B, in_C, in_dt = in_proj(normed)                 y     = scan(x_act, delta, A, B, C) + D x_act      [E]
 *                        [E] [E] [G N] [G N] [H]                  gate  = SiLU(in_z)                                 [E]
 * conv   = causal convolution of in_x, in_B, in_C      [E + 2GN]  gated = RMSNorm(y gate), group by group            [E]
 * x_act, B, C = SiLU(conv)               [E] [G N] [G N]          out   = out_proj(gated)                            [d]
 *                                                                 h'    = h + out                                    [d]
 * </pre>
 * Source: Dao and Gu, arXiv 2405.21060, section 7.
 */
public final class StateSpaceDualBlock implements Block, ScanTerms.Of {
    /** How tokens read each other in such a layer. */
    public static final Mixing MIXING = new Mixing(List.of(new ScanMixers.Conv(IN_X, IN_B, IN_C), new ScanMixers.Scan()),
            Optional.of(IN_X));

    private static final Workspace.Slot NORM = Workspace.slot();
    private static final Workspace.Slot PROJECTED = Workspace.slot();
    private static final Workspace.Slot ACT = Workspace.slot();
    private static final Workspace.Slot STEPS = Workspace.slot();
    private static final Workspace.Slot SCANNED = Workspace.slot();
    private static final Workspace.Slot MEMORY = Workspace.slot();
    private static final Workspace.Slot NORMED_GATED = Workspace.slot();

    /** A layer's weights; A is negative, [head] like D and the bias of the step sizes; the gated norm's weight is [E]. */
    record Parts(Norm norm, Linear inProj, ShortConv conv, float[] stepBias, float[] a, float[] skip, float[] gatedNorm, Linear outProj) {
    }

    private final DualSizes c;
    private final Parts w;
    private final DualStates states;
    private final DualCutter without;
    private final DualGradients gradients;

    private StateSpaceDualBlock(DualSizes sizes, Parts parts, String mixer) {
        this.c = sizes;
        this.w = parts;
        this.states = new DualStates(sizes, parts);
        this.without = new DualCutter(sizes, parts, states);
        this.gradients = new DualGradients(sizes, parts, states, mixer);
    }

    /** Reads a layer; names in the checkpoint are those of Mamba-2 after a prefix such as {@code backbone.layers.12.}. */
    public static StateSpaceDualBlock read(Weights weights, String prefix, DualSizes c) {
        String m = prefix + "mixer.";
        int heads = c.scan().heads();
        int channels = c.channels();
        return new StateSpaceDualBlock(c, new Parts(Norm.rms(weights, prefix + "norm.weight", c.width(), c.epsilon()),
                Linear.read(weights, m + "in_proj", c.projected(), c.width(), weights.has(m + "in_proj.bias")),
                new ShortConv(c.taps(), channels,
                        weights.vector(m + "conv1d.weight", Weights.Layout.transposed(channels, c.taps()), channels, 1, c.taps()),
                        weights.optional(m + "conv1d.bias", channels)),
                weights.vector(m + "dt_bias", heads), weights.vector(m + "A_log", new Decay(heads, 1), heads),
                weights.vector(m + "D", heads), weights.vector(m + "norm.weight", c.inner()),
                Linear.read(weights, m + "out_proj", c.width(), c.inner(), weights.has(m + "out_proj.bias"))), m);
    }

    @Override
    public void forward(Batch batch) {
        DualChunk chunk = new DualChunk(c, w, batch.work());
        for (Batch b : batch.blocks()) {
            block(b, chunk);
        }
    }

    /** Two norms, convolution and gates, and for each state decay, input and read-out. */
    @Override
    public BlockWork work() {
        long e = c.inner();
        return BlockWork.ofMatrices((long) c.width() * c.projected() + e * c.width(),
                4L * c.width() + 2L * c.taps() * c.channels() + 6L * c.scan().size() + 12 * e, 0);
    }

    private void block(Batch b, DualChunk chunk) {
        int rows = b.rows();
        int width = c.width();
        int inner = c.inner();
        int shared = c.shared();
        int heads = c.scan().heads();
        int all = c.projected();
        int channels = c.channels();
        float[] normed = b.work().floats(NORM, rows * width);
        w.norm.forward(b.resid(), b.at(), rows, normed, 0);
        b.hook(NORMED, normed, 0, width, width);

        float[] projected = b.work().floats(PROJECTED, rows * all);
        w.inProj.forward(normed, 0, rows, projected, 0);
        b.hook(IN_Z, projected, 0, all, inner);
        b.hook(IN_X, projected, inner, all, inner);
        b.hook(IN_B, projected, 2 * inner, all, shared);
        b.hook(IN_C, projected, 2 * inner + shared, all, shared);
        b.hook(IN_DT, projected, inner + channels, all, heads);

        float[] act = b.work().floats(ACT, rows * channels);
        for (Batch.Segment s : b.segments()) {
            w.conv.forward(b, s, projected, inner, all, act);
        }
        b.hook(CONV, act, 0, channels, channels);
        Silu.forward(act, 0, channels, rows, channels, act, 0);
        b.hook(X_ACT, act, 0, channels, inner);
        b.hook(B, act, inner, channels, shared);
        b.hook(C, act, inner + shared, channels, shared);

        float[] delta = b.work().floats(STEPS, rows * heads);
        steps(projected, inner + channels, all, rows, delta);
        b.hook(DELTA, delta, 0, heads, heads);
        float[] y = b.work().floats(SCANNED, rows * inner);
        for (Batch.Segment s : b.segments()) {
            scan(b, s, chunk, act, delta, y);
        }
        b.hook(Y, y, 0, inner, inner);

        Gates.forward(b, y, projected, 0, all, inner);
        float[] gated = b.work().floats(NORMED_GATED, rows * inner);
        int groups = c.scan().groups();
        RmsNorm.forward(y, 0, rows, groups, inner / groups, w.gatedNorm, c.epsilon(), gated, 0);
        b.hook(GATED, gated, 0, inner, inner);

        w.outProj.toStream(b, OUT, gated, normed);          // the norm is not read again
    }

    /** delta from in_dt, which stands in rows with a stride. */
    private void steps(float[] projected, int at, int stride, int rows, float[] delta) {
        int heads = c.scan().heads();
        for (int r = 0; r < rows; r++) {
            for (int h = 0; h < heads; h++) {
                delta[r * heads + h] = projected[at + r * stride + h] + w.stepBias[h];
            }
        }
        Softplus.forward(delta, 0, rows, heads);
        for (int i = 0; i < rows * heads; i++) {
            delta[i] = Math.min(Math.max(delta[i], c.least()), c.most());
        }
    }

    private void scan(Batch b, Batch.Segment s, DualChunk chunk, float[] act, float[] delta, float[] y) {
        if (!s.continues()) {                   // else it is where the block before has left it
            if (s.past() instanceof DualPast past) {
                past.to(chunk, s.from());
            } else {
                chunk.begin(DualChunk.Start.OF_TEXT);
            }
        }
        int row = s.row() * c.channels();
        int input = row + c.inner();
        DualSteps steps = new DualSteps(chunk, c, w, act, row, c.channels(), delta, s.row() * c.scan().heads(), act, input,
                input + c.shared(), c.channels(), y, s.row() * c.inner());
        if ((b.asks(WRITE) || b.asks(STATE)) && b.nextTouched(s, s.from(), WRITE, STATE) < s.from() + s.tokens()) {
            float[] state = b.work().floats(MEMORY, c.scan().size());
            chunk.state(state);
            Memory.forward(b, s, steps, state);
        } else {
            steps.take(0, s.tokens());
        }
        if (b.keeps(s, SSM_STATE) && !s.goesOn()) {
            float[] last = new float[c.scan().size()];
            chunk.state(last);
            b.keep(s, SSM_STATE, last);
        }
        if (b.cuts(s) instanceof ScanCuts cuts && cuts.scan() != null) {
            without.scan(b, s, cuts, chunk, act, delta, y);
        }
    }

    @Override
    public List<HookPoint> statePoints() {
        return List.of(IN_X, IN_B, IN_C, X_ACT, DELTA, B, RESID_POST);
    }

    @Override
    public List<HookPoint> tapePoints() {
        return List.of(RESID_PRE, NORMED, IN_Z, IN_X, IN_B, IN_C, IN_DT, CONV, X_ACT, B, C, DELTA, Y, GATE, GATED);
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
        TreeSet<Integer> starts = new TreeSet<>();
        runs.forEach(r -> starts.add(r.from()));
        Map<Integer, DualChunk.Start> found = starts.size() == 1
                ? Map.of(starts.first(), states.start(pass, layer, starts.first())) : states.starts(pass, layer, starts);
        return new DualPast(c, pass, layer, found, without.needed(pass, layer, runs));
    }

    @Override
    public ScanCuts cuts(List<Intervention.Cut> cuts) {
        return ScanCuts.of(c.scan().heads(), cuts);
    }
}
