package lab.recall.model.block;

import static lab.recall.model.block.AttentionPoints.ATTN_CTX;
import static lab.recall.model.block.AttentionPoints.ATTN_OUT;
import static lab.recall.model.block.AttentionPoints.ATTN_PROBS;
import static lab.recall.model.block.AttentionPoints.K;
import static lab.recall.model.block.AttentionPoints.LN1;
import static lab.recall.model.block.AttentionPoints.Q;
import static lab.recall.model.block.AttentionPoints.V;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import lab.recall.base.BadRequest;
import lab.recall.math.Attention;
import lab.recall.math.Rotary;
import lab.recall.model.BackBatch;
import lab.recall.model.Batch;
import lab.recall.model.Edges;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LayerCuts;
import lab.recall.model.Mixing;
import lab.recall.model.Pass;
import lab.recall.model.Past;
import lab.recall.model.Tape;
import lab.recall.model.Workspace;

/**
 * Causal self-attention of a layer, from the normed stream to its output.
 *
 * <p>Glossary: d width of the stream, H heads of width d / H. Shapes are [rows, width].
 * <pre>
 * q, k, v  = qkv(normed)                    [d] [d] [d]     q and k turned by the rotary embedding
 * attn_ctx = softmax(q k' / sqrt(d/H)) v    [d]
 * attn_out = dense(attn_ctx)                [d]
 * </pre>
 * Source: Vaswani et al., arXiv 1706.03762; Su et al., arXiv 2104.09864.
 */
public final class SelfAttention {
    /** How tokens read each other in such a layer. */
    public static final Mixing MIXING = new Mixing(List.of(new AttentionMixer()), Optional.empty());

    private static final Workspace.Slot QKV = Workspace.slot();
    private static final Workspace.Slot CTX = Workspace.slot();
    private static final Workspace.Slot D_CTX = Workspace.slot();
    private static final Workspace.Slot D_QKV = Workspace.slot();

    private final int heads;
    private final int d;
    private final Rotary rotary;
    private final Linear qkv;
    private final Linear dense;

    /** @param qkv rows [q | k | v], each one head after another */
    public SelfAttention(int heads, Rotary rotary, Linear qkv, Linear dense) {
        this.heads = heads;
        this.d = dense.inputs();
        this.rotary = rotary;
        this.qkv = qkv;
        this.dense = dense;
    }

    /** Keys and values of all tokens of a pass, the base's included. */
    public record KeysAndValues(float[] keys, float[] values) implements Tape, Past {
    }

    /** The edges that a run leaves out, by head; null for none. */
    record HeadCuts(Edges[] byHead) implements LayerCuts, Attention.Cut {
        @Override
        public boolean has(int head, int source, int target) {
            return byHead[head] != null && byHead[head].has(source, target);
        }
    }

    /** The buffer that {@link #project} fills for all rows of a batch. */
    public float[] projections(Batch whole) {
        return whole.work().floats(QKV, whole.rows() * 3 * d);
    }

    /** Queries, keys and values of some rows, of which the first is number {@code first} of the whole batch. */
    public void project(Batch b, float[] normed, float[] projections, int first) {
        int at = first * 3 * d;
        qkv.forward(normed, 0, b.rows(), projections, at);
        for (Batch.Segment s : b.segments()) {
            int row = at + s.row() * 3 * d;
            rotary.apply(projections, row, 3 * d, s.tokens(), s.from(), heads);
            rotary.apply(projections, row + d, 3 * d, s.tokens(), s.from(), heads);
        }
        b.hook(Q, projections, at, 3 * d, d);
        b.hook(K, projections, at + d, 3 * d, d);
        b.hook(V, projections, at + 2 * d, 3 * d, d);
    }

    /** What all rows read, when all are projected: attn_ctx. */
    public float[] read(Batch whole, float[] projections) {
        float[] ctx = whole.work().floats(CTX, whole.rows() * d);
        for (Batch.Segment s : whole.segments()) {
            int at = s.row() * 3 * d;
            float[] keys = s.past() instanceof KeysAndValues past ? past.keys : null;
            float[] values = s.past() instanceof KeysAndValues past ? past.values : null;
            float[] probs = whole.keeps(s, ATTN_PROBS) ? new float[heads * s.tokens() * (s.from() + s.tokens())] : null;
            Attention.forward(heads, d / heads, s.tokens(), s.from(), projections, at, 3 * d, keys, 0, values, 0, d,
                    projections, at + d, projections, at + 2 * d, 3 * d, (HeadCuts) whole.cuts(s), probs, 0, ctx, s.row() * d, d);
            if (probs != null) {
                whole.keep(s, ATTN_PROBS, probs);
            }
        }
        return ctx;
    }

    /** attn_out of some rows of {@code ctx}. */
    public void out(Batch b, float[] ctx, int first, float[] attnOut) {
        b.hook(ATTN_CTX, ctx, first * d, d, d);
        dense.forward(ctx, first * d, b.rows(), attnOut, 0);
        b.hook(ATTN_OUT, attnOut, 0, d, d);
    }

    /** Of a pass; for runs that go on from it, or for going back through it. */
    public KeysAndValues keysAndValues(Pass pass, int layer) {
        return new KeysAndValues(whole(pass, layer, K), whole(pass, layer, V));
    }

    private float[] whole(Pass pass, int layer, HookPoint point) {
        float[] own = pass.values(layer, point);
        if (pass.from() == 0) {
            return own;
        }
        float[] all = Arrays.copyOf(pass.base().values(layer, point), pass.length() * d);
        System.arraycopy(own, 0, all, pass.from() * d, own.length);
        return all;
    }

    /** From gradients of attn_out to those of the norm before the attention; {@code dNormed} is overwritten. */
    public void backward(BackBatch b, List<KeysAndValues> tapes, float[] dAttnOut, float[] dNormed) {
        int layer = b.layer();
        b.hook(ATTN_OUT, dAttnOut, 0, d, d);
        float[] dCtx = b.work().floats(D_CTX, b.rows() * d);
        dense.backward(dAttnOut, b.rows(), dCtx);
        b.hook(ATTN_CTX, dCtx, 0, d, d);
        float[] dQkv = b.work().floats(D_QKV, b.rows() * 3 * d);
        for (int i = 0; i < tapes.size(); i++) {
            BackBatch.Segment s = b.segments().get(i);
            KeysAndValues tape = tapes.get(i);
            int at = s.row() * 3 * d;
            Attention.backward(heads, d / heads, s.tokens(), s.from(), s.values(layer, Q), s.first() * d, d,
                    tape.keys, 0, tape.values, 0, d, dCtx, s.row() * d, d, dQkv, at, dQkv, at + d, dQkv, at + 2 * d, 3 * d);
        }
        b.hook(Q, dQkv, 0, 3 * d, d);
        b.hook(K, dQkv, d, 3 * d, d);
        b.hook(V, dQkv, 2 * d, 3 * d, d);
        for (BackBatch.Segment s : b.segments()) {
            rotary.applyInverse(dQkv, s.row() * 3 * d, 3 * d, s.tokens(), s.from(), heads);
            rotary.applyInverse(dQkv, s.row() * 3 * d + d, 3 * d, s.tokens(), s.from(), heads);
        }
        qkv.backward(dQkv, b.rows(), dNormed);
        if (b.parameters() != null) {
            dense.parameters(b, dAttnOut, ATTN_CTX);
            qkv.parameters(b, dQkv, LN1);
        }
    }

    /** Puts the cuts of one run together, head by head. */
    public LayerCuts cuts(List<Intervention.Cut> cuts) {
        Edges[] all = new Edges[heads];
        for (Intervention.Cut cut : cuts) {
            if (!(cut instanceof Cuts.Attention c)) {
                throw Cuts.unknown(cut, "attn_ctx");
            }
            for (int h : c.heads() == null ? new int[0] : c.heads()) {
                if (h < 0 || h >= heads) {
                    throw new BadRequest("", c.site() + ": head " + h + ", expected a whole number from 0 to " + (heads - 1));
                }
            }
            for (int h = 0; h < heads; h++) {
                if (c.cuts(h)) {
                    all[h] = Cuts.join(all[h], c.edges());
                    requireSource(c, all[h], h);
                }
            }
        }
        return new HeadCuts(all);
    }

    private static void requireSource(Cuts.Attention c, Edges cut, int head) {
        for (int t = c.edges().firstTarget(); t <= c.edges().lastTarget(); t++) {
            if (cut.count(t) == t + 1) {
                throw new BadRequest("", c.site().name() + ": token " + t + " would attend to nothing in head " + head
                        + "; at least one source must stay");
            }
        }
    }
}
