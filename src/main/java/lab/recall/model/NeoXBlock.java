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
import static lab.recall.model.HookPoint.RESID_PRE;
import static lab.recall.model.HookPoint.V;

import java.util.Arrays;
import java.util.List;
import lab.recall.math.Attention;
import lab.recall.math.Elementwise;
import lab.recall.math.Gelu;
import lab.recall.math.LayerNorm;
import lab.recall.math.MatMul;
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
    public void forward(Batch batch) {
        int d = c.width();
        float[] qkv = batch.work.floats(1, batch.rows * 3 * d);
        float[] ctx = batch.work.floats(2, batch.rows * d);
        for (Batch b : batch.blocks()) {
            project(b, qkv, (b.at - batch.at) * 3);
        }
        for (Batch.Segment s : batch.segments) {
            attend(batch, s, qkv, ctx);
        }
        for (Batch b : batch.blocks()) {
            afterAttention(b, ctx, b.at - batch.at);
        }
    }

    /** Queries, keys and values of some rows, written from {@code at} on. */
    private void project(Batch b, float[] qkv, int at) {
        int rows = b.rows;
        int d = c.width();
        float[] normed = b.work.floats(0, rows * d);
        LayerNorm.forward(b.resid, b.at, rows, d, w.norm1, w.norm1Bias, c.epsilon(), normed, 0);
        b.hook(LN1, normed, 0, d, d);
        w.qkv.multiply(normed, 0, d, rows, w.qkvBias, qkv, at, 3 * d);
        for (Batch.Segment s : b.segments) {
            int first = at + s.row() * 3 * d;
            rotary.apply(qkv, first, 3 * d, s.tokens(), s.from(), c.heads());
            rotary.apply(qkv, first + d, 3 * d, s.tokens(), s.from(), c.heads());
        }
        b.hook(Q, qkv, at, 3 * d, d);
        b.hook(K, qkv, at + d, 3 * d, d);
        b.hook(V, qkv, at + 2 * d, 3 * d, d);
    }

    private void afterAttention(Batch b, float[] ctx, int at) {
        int rows = b.rows;
        int d = c.width();
        b.hook(ATTN_CTX, ctx, at, d, d);
        float[] attnOut = b.work.floats(3, rows * d);
        w.dense.multiply(ctx, at, d, rows, w.denseBias, attnOut, 0, d);
        b.hook(ATTN_OUT, attnOut, 0, d, d);
        if (!c.parallel()) {
            Elementwise.add(attnOut, 0, b.resid, b.at, rows * d);
        }
        float[] normed = b.work.floats(0, rows * d);
        LayerNorm.forward(b.resid, b.at, rows, d, w.norm2, w.norm2Bias, c.epsilon(), normed, 0);
        b.hook(LN2, normed, 0, d, d);
        float[] mlp = b.work.floats(4, rows * c.hidden());
        w.up.multiply(normed, 0, d, rows, w.upBias, mlp, 0, c.hidden());
        b.hook(MLP_PRE, mlp, 0, c.hidden(), c.hidden());
        Gelu.forward(mlp, 0, rows * c.hidden(), mlp, 0);
        b.hook(MLP_ACT, mlp, 0, c.hidden(), c.hidden());
        if (c.parallel()) {
            Elementwise.add(attnOut, 0, b.resid, b.at, rows * d);
        }
        if (!b.asks(MLP_OUT)) {
            w.down.addProduct(mlp, 0, c.hidden(), rows, w.downBias, b.resid, b.at, d);
            return;
        }
        float[] mlpOut = normed;                // the norm is not read again
        w.down.multiply(mlp, 0, c.hidden(), rows, w.downBias, mlpOut, 0, d);
        b.hook(MLP_OUT, mlpOut, 0, d, d);
        Elementwise.add(mlpOut, 0, b.resid, b.at, rows * d);
    }

    private void attend(Batch b, Batch.Segment s, float[] qkv, float[] ctx) {
        int d = c.width();
        int at = s.row() * 3 * d;
        float[] keys = s.past() instanceof Past.Attended past ? past.keys() : null;
        float[] values = s.past() instanceof Past.Attended past ? past.values() : null;
        float[] probs = b.keeps(s, ATTN_PROBS) ? new float[c.heads() * s.tokens() * (s.from() + s.tokens())] : null;
        Attention.forward(c.heads(), c.headWidth(), s.tokens(), s.from(), qkv, at, 3 * d, keys, 0, values, 0, d,
                qkv, at + d, qkv, at + 2 * d, 3 * d, cut(b, s), probs, 0, ctx, s.row() * d, d);
        if (probs != null) {
            b.keep(s, ATTN_PROBS, probs);
        }
    }

    /** The edges that a run leaves out; null for none. */
    private static Attention.Cut cut(Batch b, Batch.Segment s) {
        Cuts cuts = b.cuts(s);
        if (cuts == null) {
            return null;
        }
        return (head, source, target) -> cuts.heads()[head] != null && cuts.heads()[head].has(source, target);
    }

    @Override
    public List<HookPoint> tapePoints() {
        return List.of(RESID_PRE, LN1, Q, K, V, ATTN_CTX, ATTN_OUT, LN2, MLP_PRE, MLP_ACT);
    }

    /** Keys and values of all tokens, the base's included; input of the second norm. */
    private record Tape(float[] keys, float[] values, float[] norm2Input) {
    }

    @Override
    public Tape tape(Pass pass, int layer) {
        float[] h = pass.values(layer, RESID_PRE);
        float[] input = h;
        if (!c.parallel()) {
            input = h.clone();
            Elementwise.add(pass.values(layer, ATTN_OUT), 0, input, 0, input.length);
        }
        return new Tape(whole(pass, layer, K), whole(pass, layer, V), input);
    }

    private float[] whole(Pass pass, int layer, HookPoint point) {
        float[] own = pass.values(layer, point);
        if (pass.from() == 0) {
            return own;
        }
        int d = c.width();
        float[] all = Arrays.copyOf(pass.base().values(layer, point), pass.length() * d);
        System.arraycopy(own, 0, all, pass.from() * d, own.length);
        return all;
    }

    /** A segment's tape; made here when it was not prepared. */
    private Tape tape(BackBatch b, BackBatch.Segment s) {
        return s.tape() instanceof Tape prepared ? prepared : tape(s.cotangent().pass, b.layer);
    }

    @Override
    public void backward(BackBatch b) {
        int rows = b.rows;
        int d = c.width();
        int hidden = c.hidden();
        int layer = b.layer;
        float[] dMlpOut = b.work.floats(0, rows * d);
        System.arraycopy(b.grad, b.at, dMlpOut, 0, rows * d);
        float[] dAttnOut = b.work.floats(1, rows * d);
        System.arraycopy(b.grad, b.at, dAttnOut, 0, rows * d);
        b.hook(MLP_OUT, dMlpOut, 0, d, d);
        float[] dMlp = b.work.floats(2, rows * hidden);
        w.down.transposed().multiply(dMlpOut, 0, d, rows, dMlp, 0, hidden);
        b.hook(MLP_ACT, dMlp, 0, hidden, hidden);
        for (BackBatch.Segment s : b.segments) {
            Gelu.backward(s.values(layer, MLP_PRE), s.first() * hidden, s.tokens() * hidden,
                    dMlp, s.row() * hidden, dMlp, s.row() * hidden);
        }
        b.hook(MLP_PRE, dMlp, 0, hidden, hidden);
        float[] dNormed = b.work.floats(3, rows * d);
        w.up.transposed().multiply(dMlp, 0, hidden, rows, dNormed, 0, d);
        b.hook(LN2, dNormed, 0, d, d);
        float[] weight = b.parameters == null ? null : b.parameter(name(layer, "post_attention_layernorm.weight"), d);
        float[] bias = b.parameters == null ? null : b.parameter(name(layer, "post_attention_layernorm.bias"), d);
        List<Tape> tapes = b.segments.stream().map(s -> tape(b, s)).toList();
        for (int i = 0; i < tapes.size(); i++) {
            BackBatch.Segment s = b.segments.get(i);
            LayerNorm.backward(tapes.get(i).norm2Input, s.first() * d, s.tokens(), d, w.norm2, c.epsilon(), dNormed, s.row() * d,
                    b.grad, b.at + s.row() * d, weight, bias);
        }
        if (!c.parallel()) {
            System.arraycopy(b.grad, b.at, dAttnOut, 0, rows * d);      // the second norm reads the attention's output too
        }
        b.hook(ATTN_OUT, dAttnOut, 0, d, d);
        float[] dCtx = b.work.floats(4, rows * d);
        w.dense.transposed().multiply(dAttnOut, 0, d, rows, dCtx, 0, d);
        b.hook(ATTN_CTX, dCtx, 0, d, d);
        float[] dQkv = b.work.floats(5, rows * 3 * d);
        for (int i = 0; i < tapes.size(); i++) {
            BackBatch.Segment s = b.segments.get(i);
            Tape tape = tapes.get(i);
            int at = s.row() * 3 * d;
            Attention.backward(c.heads(), c.headWidth(), s.tokens(), s.from(), s.values(layer, Q), s.first() * d, d,
                    tape.keys, 0, tape.values, 0, d, dCtx, s.row() * d, d, dQkv, at, dQkv, at + d, dQkv, at + 2 * d, 3 * d);
        }
        b.hook(Q, dQkv, 0, 3 * d, d);
        b.hook(K, dQkv, d, 3 * d, d);
        b.hook(V, dQkv, 2 * d, 3 * d, d);
        for (BackBatch.Segment s : b.segments) {
            rotary.applyInverse(dQkv, s.row() * 3 * d, 3 * d, s.tokens(), s.from(), c.heads());
            rotary.applyInverse(dQkv, s.row() * 3 * d + d, 3 * d, s.tokens(), s.from(), c.heads());
        }
        w.qkv.transposed().multiply(dQkv, 0, 3 * d, rows, dNormed, 0, d);
        b.hook(LN1, dNormed, 0, d, d);
        weight = b.parameters == null ? null : b.parameter(name(layer, "input_layernorm.weight"), d);
        bias = b.parameters == null ? null : b.parameter(name(layer, "input_layernorm.bias"), d);
        for (BackBatch.Segment s : b.segments) {
            LayerNorm.backward(s.values(layer, RESID_PRE), s.first() * d, s.tokens(), d, w.norm1, c.epsilon(), dNormed, s.row() * d,
                    b.grad, b.at + s.row() * d, weight, bias);
        }
        if (b.parameters != null) {
            weightGradients(b, layer, "mlp.dense_4h_to_h", dMlpOut, d, MLP_ACT, hidden);
            weightGradients(b, layer, "mlp.dense_h_to_4h", dMlp, hidden, LN2, d);
            weightGradients(b, layer, "attention.dense", dAttnOut, d, ATTN_CTX, d);
            weightGradients(b, layer, "attention.query_key_value", dQkv, 3 * d, LN1, d);
        }
    }

    private static void weightGradients(BackBatch b, int layer, String matrix, float[] dY, int outputs, HookPoint input, int inputs) {
        float[] weight = b.parameter(name(layer, matrix + ".weight"), outputs * inputs);
        for (BackBatch.Segment s : b.segments) {
            MatMul.addOuter(dY, s.row() * outputs, outputs, s.values(layer, input), s.first() * inputs, inputs,
                    s.tokens(), outputs, inputs, weight);
        }
        Elementwise.addRows(dY, 0, outputs, b.rows, outputs, b.parameter(name(layer, matrix + ".bias"), outputs));
    }

    static String name(int layer, String part) {
        return "gpt_neox.layers." + layer + "." + part;
    }

    @Override
    public Past past(Pass pass, int layer, List<Run> runs) {
        return new Past.Attended(pass.values(layer, K), pass.values(layer, V));
    }
}
