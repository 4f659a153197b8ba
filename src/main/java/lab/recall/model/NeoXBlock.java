package lab.recall.model;

import static lab.recall.model.HookPoint.ATTN_CTX;
import static lab.recall.model.HookPoint.ATTN_OUT;
import static lab.recall.model.HookPoint.ATTN_PROBS;
import static lab.recall.model.HookPoint.K;
import static lab.recall.model.HookPoint.LN1;
import static lab.recall.model.HookPoint.LN2;
import static lab.recall.model.HookPoint.MLP_ACT;
import static lab.recall.model.HookPoint.MLP_OUT;
import static lab.recall.model.HookPoint.MLP_PRE;
import static lab.recall.model.HookPoint.Q;
import static lab.recall.model.HookPoint.V;

import lab.recall.math.Attention;
import lab.recall.math.Elementwise;
import lab.recall.math.Gelu;
import lab.recall.math.LayerNorm;
import lab.recall.math.PackedMatrix;
import lab.recall.math.Rotary;

/**
 * One GPT-NeoX layer.
 *
 * <p>Glossary: d residual width, H heads of width d / H, F width of the MLP. Shapes are [rows, width].
 * <pre>
 * ln1 = LayerNorm(h)                        [d]      ln2     = LayerNorm(h), or of h + attn_out   [d]
 * q, k, v = query_key_value(ln1)  [d] [d] [d]        mlp_pre = dense_h_to_4h(ln2)                 [F]
 *     q and k turned by the rotary embedding         mlp_act = GELU(mlp_pre)                      [F]
 * attn_ctx = softmax(q k' / sqrt(d/H)) v    [d]      mlp_out = dense_4h_to_h(mlp_act)             [d]
 * attn_out = dense(attn_ctx)                [d]      h'      = h + attn_out + mlp_out             [d]
 * </pre>
 * The stored query_key_value has rows [head][q|k|v]; they are packed as [q|k|v][head]. Source: Black et al., arXiv 2204.06745, section 2.
 */
final class NeoXBlock implements Block {
    /** A layer's weights. */
    record Weights(float[] norm1, float[] norm1Bias, float[] norm2, float[] norm2Bias, PackedMatrix qkv, float[] qkvBias,
                   PackedMatrix dense, float[] denseBias, PackedMatrix up, float[] upBias, PackedMatrix down, float[] downBias) {
    }

    private final NeoXConfig c;
    final Weights w;
    private final Rotary rotary;

    NeoXBlock(NeoXConfig config, Weights weights, Rotary rotary) {
        this.c = config;
        this.w = weights;
        this.rotary = rotary;
    }

    /** The stored row of each packed row of query_key_value. */
    static int[] headOrder(NeoXConfig c) {
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
    public void forward(Batch b) {
        int rows = b.rows;
        int d = c.width();
        float[] normed = b.work.floats(0, rows * d);
        LayerNorm.forward(b.resid, b.at, rows, d, w.norm1, w.norm1Bias, c.epsilon(), normed, 0);
        b.hook(LN1, normed, 0, d, d);

        float[] qkv = b.work.floats(1, rows * 3 * d);
        w.qkv.multiply(normed, 0, d, rows, qkv, 0, 3 * d);
        Elementwise.addBias(w.qkvBias, qkv, 0, 3 * d, rows, 3 * d);
        for (Batch.Segment s : b.segments) {
            int at = s.row() * 3 * d;
            rotary.apply(qkv, at, 3 * d, s.tokens(), s.from(), c.heads());
            rotary.apply(qkv, at + d, 3 * d, s.tokens(), s.from(), c.heads());
        }
        b.hook(Q, qkv, 0, 3 * d, d);
        b.hook(K, qkv, d, 3 * d, d);
        b.hook(V, qkv, 2 * d, 3 * d, d);

        float[] ctx = b.work.floats(2, rows * d);
        for (Batch.Segment s : b.segments) {
            attend(b, s, qkv, ctx);
        }
        b.hook(ATTN_CTX, ctx, 0, d, d);

        float[] attnOut = b.work.floats(3, rows * d);
        w.dense.multiply(ctx, 0, d, rows, attnOut, 0, d);
        Elementwise.addBias(w.denseBias, attnOut, 0, d, rows, d);
        b.hook(ATTN_OUT, attnOut, 0, d, d);
        if (!c.parallel()) {
            Elementwise.add(attnOut, 0, b.resid, b.at, rows * d);
        }

        LayerNorm.forward(b.resid, b.at, rows, d, w.norm2, w.norm2Bias, c.epsilon(), normed, 0);
        b.hook(LN2, normed, 0, d, d);
        float[] mlp = b.work.floats(4, rows * c.hidden());
        w.up.multiply(normed, 0, d, rows, mlp, 0, c.hidden());
        Elementwise.addBias(w.upBias, mlp, 0, c.hidden(), rows, c.hidden());
        b.hook(MLP_PRE, mlp, 0, c.hidden(), c.hidden());
        Gelu.forward(mlp, 0, rows * c.hidden(), mlp, 0);
        b.hook(MLP_ACT, mlp, 0, c.hidden(), c.hidden());
        float[] mlpOut = normed;                // the norm is not read again
        w.down.multiply(mlp, 0, c.hidden(), rows, mlpOut, 0, d);
        Elementwise.addBias(w.downBias, mlpOut, 0, d, rows, d);
        b.hook(MLP_OUT, mlpOut, 0, d, d);
        if (c.parallel()) {
            Elementwise.add(attnOut, 0, b.resid, b.at, rows * d);
        }
        Elementwise.add(mlpOut, 0, b.resid, b.at, rows * d);
    }

    private void attend(Batch b, Batch.Segment s, float[] qkv, float[] ctx) {
        int d = c.width();
        int at = s.row() * 3 * d;
        float[] keys = s.past() instanceof Past.Attended past ? past.keys() : null;
        float[] values = s.past() instanceof Past.Attended past ? past.values() : null;
        float[] probs = b.keeps(s, ATTN_PROBS) ? new float[c.heads() * s.tokens() * (s.from() + s.tokens())] : null;
        Attention.forward(c.heads(), c.headWidth(), s.tokens(), s.from(), qkv, at, 3 * d, keys, 0, values, 0, d,
                qkv, at + d, qkv, at + 2 * d, 3 * d, probs, 0, ctx, s.row() * d, d);
        if (probs != null) {
            b.keep(s, ATTN_PROBS, probs);
        }
    }

    @Override
    public Past past(Pass pass, int layer, int upTo) {
        return new Past.Attended(pass.values(layer, K), pass.values(layer, V));
    }
}
