package lab.recall.model;

import static lab.recall.model.HookPoint.B;
import static lab.recall.model.HookPoint.C;
import static lab.recall.model.HookPoint.CONV;
import static lab.recall.model.HookPoint.CONV_STATE;
import static lab.recall.model.HookPoint.DELTA;
import static lab.recall.model.HookPoint.GATE;
import static lab.recall.model.HookPoint.GATED;
import static lab.recall.model.HookPoint.IN_X;
import static lab.recall.model.HookPoint.IN_Z;
import static lab.recall.model.HookPoint.NORMED;
import static lab.recall.model.HookPoint.OUT;
import static lab.recall.model.HookPoint.SSM_STATE;
import static lab.recall.model.HookPoint.X_ACT;
import static lab.recall.model.HookPoint.Y;

import java.util.Arrays;
import lab.recall.math.CausalConv;
import lab.recall.math.Elementwise;
import lab.recall.math.Gate;
import lab.recall.math.PackedMatrix;
import lab.recall.math.RmsNorm;
import lab.recall.math.SelectiveScan;
import lab.recall.math.Silu;
import lab.recall.math.Softplus;

/**
 * One Mamba-1 layer.
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
final class MambaBlock implements Block {
    /** A layer's weights; vectors are plain, the convolution is [tap][channel], A is negative and [state][channel]. */
    record Weights(float[] norm, PackedMatrix inProj, float[] inBias, float[] conv, float[] convBias, PackedMatrix xProj,
                   PackedMatrix dtProj, float[] dtBias, float[] a, float[] skip, PackedMatrix outProj, float[] outBias) {
    }

    private final MambaConfig c;
    final Weights w;

    MambaBlock(MambaConfig config, Weights weights) {
        this.c = config;
        this.w = weights;
    }

    @Override
    public void forward(Batch b) {
        int rows = b.rows;
        int width = c.width();
        int inner = c.inner();
        int states = c.states();
        int low = c.rank() + 2 * states;
        float[] normed = b.work.floats(0, rows * width);
        RmsNorm.forward(b.resid, b.at, rows, width, w.norm, c.epsilon(), normed, 0);
        b.hook(NORMED, normed, 0, width, width);

        float[] xz = b.work.floats(1, rows * 2 * inner);
        w.inProj.multiply(normed, 0, width, rows, xz, 0, 2 * inner);
        Elementwise.addBias(w.inBias, xz, 0, 2 * inner, rows, 2 * inner);
        b.hook(IN_X, xz, 0, 2 * inner, inner);
        b.hook(IN_Z, xz, inner, 2 * inner, inner);

        float[] act = b.work.floats(2, rows * inner);
        for (Batch.Segment s : b.segments) {
            convolve(b, s, xz, act);
        }
        b.hook(CONV, act, 0, inner, inner);
        Silu.forward(act, 0, inner, rows, inner, act, 0);
        b.hook(X_ACT, act, 0, inner, inner);

        float[] bc = b.work.floats(3, rows * low);
        w.xProj.multiply(act, 0, inner, rows, bc, 0, low);
        float[] delta = b.work.floats(4, rows * inner);
        w.dtProj.multiply(bc, 0, low, rows, delta, 0, inner);
        Softplus.forward(delta, 0, rows, inner, w.dtBias);
        b.hook(DELTA, delta, 0, inner, inner);
        b.hook(B, bc, c.rank(), low, states);
        b.hook(C, bc, c.rank() + states, low, states);

        float[] y = b.work.floats(5, rows * inner);
        for (Batch.Segment s : b.segments) {
            scan(b, s, act, delta, bc, y);
        }
        b.hook(Y, y, 0, inner, inner);

        gate(b, y, xz);
        b.hook(GATED, y, 0, inner, inner);

        float[] out = normed;                   // the norm is not read again
        w.outProj.multiply(y, 0, inner, rows, out, 0, width);
        Elementwise.addBias(w.outBias, out, 0, width, rows, width);
        b.hook(OUT, out, 0, width, width);
        Elementwise.add(out, 0, b.resid, b.at, rows * width);
    }

    private void convolve(Batch b, Batch.Segment s, float[] xz, float[] conv) {
        int inner = c.inner();
        int back = c.taps() - 1;
        float[] history;
        int historyAt = 0;
        if (s.from() >= back && s.past() instanceof Past.Recurrent past) {
            history = past.x();
            historyAt = (s.from() - back) * inner;
        } else {
            history = b.work.floats(6, back * inner);
            Arrays.fill(history, 0, back * inner, 0f);
            if (s.past() instanceof Past.Recurrent past) {
                System.arraycopy(past.x(), 0, history, (back - s.from()) * inner, s.from() * inner);
            }
        }
        CausalConv.forward(xz, s.row() * 2 * inner, 2 * inner, s.tokens(), history, historyAt, c.taps(), inner, w.conv, w.convBias,
                conv, s.row() * inner);
        if (b.keeps(s, CONV_STATE)) {
            b.keep(s, CONV_STATE, lastInputs(s, xz, history, historyAt));
        }
    }

    /** The last K inputs of the convolution, oldest first, [K, E]. */
    private float[] lastInputs(Batch.Segment s, float[] xz, float[] history, int historyAt) {
        int inner = c.inner();
        float[] last = new float[c.taps() * inner];
        for (int k = 0; k < c.taps(); k++) {
            int token = s.tokens() - c.taps() + k;
            if (token >= 0) {
                System.arraycopy(xz, (s.row() + token) * 2 * inner, last, k * inner, inner);
            } else if (token + c.taps() - 1 >= 0) {
                System.arraycopy(history, historyAt + (token + c.taps() - 1) * inner, last, k * inner, inner);
            }
        }
        return last;
    }

    private void scan(Batch b, Batch.Segment s, float[] act, float[] delta, float[] bc, float[] y) {
        int inner = c.inner();
        int size = c.states() * inner;
        int low = c.rank() + 2 * c.states();
        float[] state = b.work.floats(7, size);
        if (s.past() instanceof Past.Recurrent past) {
            System.arraycopy(past.states(), (s.from() - 1) * size, state, 0, size);
        } else {
            Arrays.fill(state, 0, size, 0f);
        }
        int at = s.row() * inner;
        int first = s.row() * low + c.rank();
        SelectiveScan.forward(s.tokens(), inner, c.states(), act, at, delta, at, w.a, bc, first, first + c.states(), low, w.skip,
                state, 0, y, at);
        if (b.keeps(s, SSM_STATE)) {
            b.keep(s, SSM_STATE, Arrays.copyOf(state, size));
        }
    }

    private void gate(Batch b, float[] y, float[] xz) {
        int inner = c.inner();
        if (!b.asks(GATE)) {
            Gate.forward(y, 0, xz, inner, 2 * inner, b.rows, inner, y, 0);
            return;
        }
        float[] gate = b.work.floats(8, b.rows * inner);
        Silu.forward(xz, inner, 2 * inner, b.rows, inner, gate, 0);
        b.hook(GATE, gate, 0, inner, inner);
        Elementwise.multiply(gate, 0, y, 0, b.rows * inner);
    }

    /** Runs the recurrence of a pass again from its kept terms: far cheaper than keeping every state. */
    @Override
    public Past past(Pass pass, int layer, int upTo) {
        int inner = c.inner();
        int size = c.states() * inner;
        float[] x = pass.values(layer, IN_X);
        float[] states = new float[upTo * size];
        SelectiveScan.states(upTo, inner, c.states(), pass.values(layer, X_ACT), 0, pass.values(layer, DELTA), 0, w.a,
                pass.values(layer, B), 0, c.states(), new float[size], 0, states, 0);
        return new Past.Recurrent(x, states);
    }
}
