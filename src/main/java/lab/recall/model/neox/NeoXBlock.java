package lab.recall.model.neox;

import static lab.recall.model.HookPoint.RESID_POST;
import static lab.recall.model.HookPoint.RESID_PRE;
import static lab.recall.model.block.AttentionPoints.ATTN_CTX;
import static lab.recall.model.block.AttentionPoints.ATTN_OUT;
import static lab.recall.model.block.AttentionPoints.K;
import static lab.recall.model.block.AttentionPoints.LN1;
import static lab.recall.model.block.AttentionPoints.LN2;
import static lab.recall.model.block.AttentionPoints.MLP_ACT;
import static lab.recall.model.block.AttentionPoints.MLP_PRE;
import static lab.recall.model.block.AttentionPoints.Q;
import static lab.recall.model.block.AttentionPoints.V;

import java.util.List;
import lab.recall.math.Elementwise;
import lab.recall.math.Rotary;
import lab.recall.model.BackBatch;
import lab.recall.model.Batch;
import lab.recall.model.Block;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LayerCuts;
import lab.recall.model.Norm;
import lab.recall.model.Pass;
import lab.recall.model.Past;
import lab.recall.model.Run;
import lab.recall.model.Tape;
import lab.recall.model.Weights;
import lab.recall.model.Workspace;
import lab.recall.model.block.Linear;
import lab.recall.model.block.Mlp;
import lab.recall.model.block.SelfAttention;

/**
 * One GPT-NeoX layer.
 * <pre>
 * ln1 = LayerNorm(h)     attn_out = attention(ln1)     [d]
 * ln2 = LayerNorm(h), or of h + attn_out               [d]
 * h'  = h + attn_out + mlp(ln2)                        [d]
 * </pre>
 * The stored query_key_value has rows [head][q|k|v]; they are packed as [q|k|v][head]. Source: Black et al., arXiv 2204.06745, section 2.
 */
final class NeoXBlock implements Block {
    private static final Workspace.Slot NORMED = Workspace.slot();
    private static final Workspace.Slot ATTENDED = Workspace.slot();
    private static final Workspace.Slot D_MLP_OUT = Workspace.slot();
    private static final Workspace.Slot D_ATTN_OUT = Workspace.slot();
    private static final Workspace.Slot D_NORMED = Workspace.slot();

    private final int d;
    private final boolean isParallel;
    private final Norm norm1;
    private final Norm norm2;
    private final SelfAttention attention;
    private final Mlp mlp;

    NeoXBlock(NeoXConfig c, Rotary rotary, Weights w, String layer) {
        this.d = c.width();
        this.isParallel = c.parallel();
        this.norm1 = Norm.layer(w, layer + "input_layernorm", d, c.epsilon());
        this.norm2 = Norm.layer(w, layer + "post_attention_layernorm", d, c.epsilon());
        this.attention = new SelfAttention(c.heads(), rotary,
                Linear.read(w, layer + "attention.query_key_value", 3 * d, d, c.attentionBias(), headOrder(c)),
                Linear.read(w, layer + "attention.dense", d, d, c.attentionBias()));
        this.mlp = new Mlp(Linear.read(w, layer + "mlp.dense_h_to_4h", c.hidden(), d, true),
                Linear.read(w, layer + "mlp.dense_4h_to_h", d, c.hidden(), true));
    }

    /** The stored row of each packed row of query_key_value. */
    private static int[] headOrder(NeoXConfig c) {
        int hw = c.headWidth();
        int[] order = new int[3 * c.width()];
        for (int part = 0; part < 3; part++) {
            for (int head = 0; head < c.heads(); head++) {
                for (int i = 0; i < hw; i++) {
                    order[part * c.width() + head * hw + i] = (head * 3 + part) * hw + i;
                }
            }
        }
        return order;
    }

    @Override
    public void forward(Batch batch) {
        float[] projections = attention.projections(batch);
        for (Batch b : batch.blocks()) {
            float[] normed = b.work().floats(NORMED, b.rows() * d);
            norm1.forward(b.resid(), b.at(), b.rows(), normed, 0);
            b.hook(LN1, normed, 0, d, d);
            attention.project(b, normed, projections, (b.at() - batch.at()) / d);
        }
        float[] ctx = attention.read(batch, projections);
        for (Batch b : batch.blocks()) {
            afterAttention(b, ctx, (b.at() - batch.at()) / d);
        }
    }

    private void afterAttention(Batch b, float[] ctx, int first) {
        int rows = b.rows();
        float[] attnOut = b.work().floats(ATTENDED, rows * d);
        attention.out(b, ctx, first, attnOut);
        if (!isParallel) {
            Elementwise.add(attnOut, 0, b.resid(), b.at(), rows * d);
        }
        float[] normed = b.work().floats(NORMED, rows * d);
        norm2.forward(b.resid(), b.at(), rows, normed, 0);
        b.hook(LN2, normed, 0, d, d);
        float[] hidden = mlp.hidden(b, normed);
        if (isParallel) {
            Elementwise.add(attnOut, 0, b.resid(), b.at(), rows * d);
        }
        mlp.out(b, hidden, normed);             // the norm is not read again
    }

    @Override
    public List<HookPoint> statePoints() {
        return List.of(K, V, RESID_POST);
    }

    @Override
    public List<HookPoint> tapePoints() {
        return List.of(RESID_PRE, LN1, Q, K, V, ATTN_CTX, ATTN_OUT, LN2, MLP_PRE, MLP_ACT);
    }

    /** What the attention needs, and the input of the second norm. */
    private record LayerTape(SelfAttention.KeysAndValues attention, float[] norm2Input) implements Tape {
    }

    @Override
    public LayerTape tape(Pass pass, int layer) {
        float[] h = pass.values(layer, RESID_PRE);
        float[] input = h;
        if (!isParallel) {
            input = h.clone();
            Elementwise.add(pass.values(layer, ATTN_OUT), 0, input, 0, input.length);
        }
        return new LayerTape(attention.keysAndValues(pass, layer), input);
    }

    /** A segment's tape; made here when it was not prepared. */
    private LayerTape tape(BackBatch b, BackBatch.Segment s) {
        return s.tape() instanceof LayerTape prepared ? prepared : tape(s.pass(), b.layer());
    }

    @Override
    public void backward(BackBatch b) {
        int size = b.rows() * d;
        float[] dMlpOut = b.work().floats(D_MLP_OUT, size);
        System.arraycopy(b.grad(), b.at(), dMlpOut, 0, size);
        float[] dAttnOut = b.work().floats(D_ATTN_OUT, size);
        System.arraycopy(b.grad(), b.at(), dAttnOut, 0, size);
        float[] dNormed = b.work().floats(D_NORMED, size);
        mlp.backward(b, dMlpOut, dNormed);
        List<LayerTape> tapes = b.segments().stream().map(s -> tape(b, s)).toList();
        for (int i = 0; i < tapes.size(); i++) {
            BackBatch.Segment s = b.segments().get(i);
            norm2.backward(tapes.get(i).norm2Input, s.first() * d, s.tokens(), dNormed, s.row() * d, b.grad(), b.at() + s.row() * d,
                    b.parameters());
        }
        if (!isParallel) {
            System.arraycopy(b.grad(), b.at(), dAttnOut, 0, size);      // the second norm reads the attention's output too
        }
        attention.backward(b, tapes.stream().map(LayerTape::attention).toList(), dAttnOut, dNormed);
        b.hook(LN1, dNormed, 0, d, d);
        for (BackBatch.Segment s : b.segments()) {
            norm1.backward(s.values(b.layer(), RESID_PRE), s.first() * d, s.tokens(), dNormed, s.row() * d, b.grad(),
                    b.at() + s.row() * d, b.parameters());
        }
    }

    @Override
    public Past past(Pass pass, int layer, List<Run> runs) {
        return attention.keysAndValues(pass, layer);
    }

    @Override
    public LayerCuts cuts(List<Intervention.Cut> cuts) {
        return attention.cuts(cuts);
    }
}
