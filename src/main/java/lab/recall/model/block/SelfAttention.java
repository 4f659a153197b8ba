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
 * <p>Glossary: d width of the stream, H heads of queries and G of keys and values, of width w each. Shapes are [rows, width].
 * <pre>
 * q, k, v  = projections(normed)            [H w] [G w] [G w]     q and k turned by the rotary embedding, where there is one
 * attn_ctx = softmax(scale q k') v          [H w]                 H / G heads of queries read one of keys and values
 * attn_out = dense(attn_ctx)                [d]
 * </pre>
 * Source: Vaswani et al., arXiv 1706.03762; Su et al., arXiv 2104.09864; Ainslie et al., arXiv 2305.13245.
 */
public final class SelfAttention {
    /** How tokens read each other in such a layer. */
    public static final Mixing MIXING = new Mixing(List.of(new AttentionMixer()), Optional.empty());

    private static final Workspace.Slot QKV = Workspace.slot();
    private static final Workspace.Slot CTX = Workspace.slot();
    private static final Workspace.Slot D_CTX = Workspace.slot();
    private static final Workspace.Slot D_QKV = Workspace.slot();

    private final Attention.Heads heads;
    private final int queries;
    private final int keys;
    /** Of a row [q | k | v]. */
    private final int width;
    private final Rotary rotary;
    private final List<Linear> projections;
    private final Linear dense;

    /**
     * Of its maps.
     *
     * @param rotary      null where positions come into the stream before
     * @param projections their outputs side by side are [q | k | v], each one head after another
     */
    public SelfAttention(AttentionSizes sizes, Rotary rotary, List<Linear> projections, Linear dense) {
        this.heads = sizes.heads();
        this.queries = sizes.queries();
        this.keys = sizes.keys();
        this.width = queries + 2 * keys;
        this.rotary = rotary;
        this.projections = List.copyOf(projections);
        this.dense = dense;
    }

    /** Keys and values of all tokens of a pass, the base's included. */
    record KeysAndValues(float[] keys, float[] values) implements Tape, Past {
    }

    /** The edges that a run leaves out, by head; null for none. */
    record HeadCuts(Edges[] byHead) implements LayerCuts, Attention.Cut {
        @Override
        public boolean has(int head, int source, int target) {
            return byHead[head] != null && byHead[head].has(source, target);
        }
    }

    /** The buffer that {@link #project} fills for all rows of a batch. */
    float[] projections(Batch whole) {
        return whole.work().floats(QKV, whole.rows() * width);
    }

    /** Queries, keys and values of some rows, of which the first is number {@code first} of the whole batch. */
    void project(Batch b, float[] normed, float[] qkv, int first) {
        int at = first * width;
        int column = at;
        for (Linear part : projections) {
            part.forward(normed, 0, b.rows(), qkv, column, width);
            column += part.outputs();
        }
        if (rotary != null) {
            for (Batch.Segment s : b.segments()) {
                int row = at + s.row() * width;
                rotary.apply(qkv, row, width, s.tokens(), s.from(), heads.count());
                rotary.apply(qkv, row + queries, width, s.tokens(), s.from(), heads.keys());
            }
        }
        b.hook(Q, qkv, at, width, queries);
        b.hook(K, qkv, at + queries, width, keys);
        b.hook(V, qkv, at + queries + keys, width, keys);
    }

    /** What all rows read, when all are projected: attn_ctx. */
    float[] read(Batch whole, float[] qkv) {
        float[] ctx = whole.work().floats(CTX, whole.rows() * queries);
        for (Batch.Segment s : whole.segments()) {
            int at = s.row() * width;
            float[] pastKeys = s.past() instanceof KeysAndValues past ? past.keys : null;
            float[] pastValues = s.past() instanceof KeysAndValues past ? past.values : null;
            float[] probs = whole.keeps(s, ATTN_PROBS) ? new float[heads.count() * s.tokens() * (s.from() + s.tokens())] : null;
            Attention.forward(heads, s.tokens(), s.from(), qkv, at, width, pastKeys, 0, pastValues, 0, keys,
                    qkv, at + queries, qkv, at + queries + keys, width, (HeadCuts) whole.cuts(s), probs, 0,
                    ctx, s.row() * queries, queries);
            if (probs != null) {
                whole.keep(s, ATTN_PROBS, probs);
            }
        }
        return ctx;
    }

    /** attn_out of some rows of {@code ctx}. */
    void out(Batch b, float[] ctx, int first, float[] attnOut) {
        b.hook(ATTN_CTX, ctx, first * queries, queries, queries);
        dense.forward(ctx, first * queries, b.rows(), attnOut, 0);
        b.hook(ATTN_OUT, attnOut, 0, dense.outputs(), dense.outputs());
    }

    /** Of a pass; for runs that go on from it, or for going back through it. */
    KeysAndValues keysAndValues(Pass pass, int layer) {
        return new KeysAndValues(whole(pass, layer, K), whole(pass, layer, V));
    }

    private float[] whole(Pass pass, int layer, HookPoint point) {
        float[] own = pass.values(layer, point);
        if (pass.from() == 0) {
            return own;
        }
        float[] all = Arrays.copyOf(pass.base().values(layer, point), pass.length() * keys);
        System.arraycopy(own, 0, all, pass.from() * keys, own.length);
        return all;
    }

    /** From gradients of attn_out to those of the norm before the attention; {@code dNormed} is overwritten. */
    void backward(BackBatch b, List<KeysAndValues> tapes, float[] dAttnOut, float[] dNormed) {
        int layer = b.layer();
        b.hook(ATTN_OUT, dAttnOut, 0, dense.outputs(), dense.outputs());
        float[] dCtx = b.work().floats(D_CTX, b.rows() * queries);
        dense.backward(dAttnOut, b.rows(), dCtx);
        b.hook(ATTN_CTX, dCtx, 0, queries, queries);
        float[] dQkv = b.work().floats(D_QKV, b.rows() * width);
        for (int i = 0; i < tapes.size(); i++) {
            BackBatch.Segment s = b.segments().get(i);
            KeysAndValues tape = tapes.get(i);
            int at = s.row() * width;
            Attention.backward(heads, s.tokens(), s.from(), s.values(layer, Q), s.first() * queries, queries, tape.keys, 0, tape.values, 0,
                    keys, dCtx, s.row() * queries, queries, dQkv, at, dQkv, at + queries, dQkv, at + queries + keys, width);
        }
        b.hook(Q, dQkv, 0, width, queries);
        b.hook(K, dQkv, queries, width, keys);
        b.hook(V, dQkv, queries + keys, width, keys);
        if (rotary != null) {
            for (BackBatch.Segment s : b.segments()) {
                int row = s.row() * width;
                rotary.applyInverse(dQkv, row, width, s.tokens(), s.from(), heads.count());
                rotary.applyInverse(dQkv, row + queries, width, s.tokens(), s.from(), heads.keys());
            }
        }
        int column = 0;
        for (Linear part : projections) {
            if (column == 0) {
                part.backward(dQkv, column, width, b.rows(), dNormed);
            } else {
                part.addBackward(dQkv, column, width, b.rows(), dNormed);
            }
            column += part.outputs();
        }
        if (b.parameters() != null) {
            parameters(b, dQkv, dAttnOut);
        }
    }

    private void parameters(BackBatch b, float[] dQkv, float[] dAttnOut) {
        dense.parameters(b, dAttnOut, ATTN_CTX);
        int column = 0;
        for (Linear part : projections) {
            part.parameters(b, dQkv, column, width, LN1);
            column += part.outputs();
        }
    }

    /** Numbers of its matrices. */
    long numbers() {
        return dense.numbers() + projections.stream().mapToLong(Linear::numbers).sum();
    }

    /** Operations of a token that another one reads: the score, its exponential, and the value's share. */
    long workOfRead() {
        return 4L * queries + 3L * heads.count();
    }

    /** Puts the cuts of one run together, head by head. */
    LayerCuts cuts(List<Intervention.Cut> cuts) {
        Edges[] all = new Edges[heads.count()];
        for (Intervention.Cut cut : cuts) {
            if (!(cut instanceof Cuts.Attention c)) {
                throw Cuts.unknown(cut, "attn_ctx");
            }
            for (int h : c.heads() == null ? new int[0] : c.heads()) {
                if (h < 0 || h >= heads.count()) {
                    throw new BadRequest("", c.site() + ": head " + h + ", expected a whole number from 0 to " + (heads.count() - 1));
                }
            }
            for (int h = 0; h < heads.count(); h++) {
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
