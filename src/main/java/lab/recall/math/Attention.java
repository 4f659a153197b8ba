package lab.recall.math;

import java.util.Arrays;

/**
 * Causal attention of a segment of tokens, head by head: softmax(q k' / sqrt(head width)) v.
 *
 * <p>Glossary: P past tokens, whose keys and values come from an earlier pass; T tokens of the segment. Rows hold the heads one after
 * another. Token t of the segment reads the P past tokens and the segment's tokens 0..t. Source: Vaswani et al., arXiv 1706.03762.
 */
public final class Attention {
    private static final Scratch WORK = new Scratch();
    /**
     * Queries that go through the products together: a few tiles, little work for keys behind a query. It divides a training's 128 tokens.
     */
    private static final int QUERIES = 16;
    private static final int PAD = 16;

    /**
     * The heads of a layer.
     *
     * @param count of queries
     * @param keys  heads of keys and values, by which {@code count} is divided: query head h reads number h / (count / keys)
     * @param width numbers in a head
     * @param scale of the products of queries and keys
     */
    public record Heads(int count, int keys, int width, float scale) {
        /** Products are divided by the root of a head's width. */
        public static Heads of(int count, int keys, int width) {
            return new Heads(count, keys, width, (float) (1 / Math.sqrt(width)));
        }

        /** Where the keys and values that a query head reads lie in a row. */
        private int keysAt(int head) {
            return head / (count / keys) * width;
        }
    }

    /** Edges that are left out: their scores become minus infinity. */
    public interface Cut {
        /** Whether a head's target does not read this source; tokens are counted with the past ones. */
        boolean has(int head, int source, int target);
    }

    private Attention() {
    }

    /**
     * What a segment's tokens read. The heads are shared out among threads.
     *
     * @param past        P
     * @param q           queries of the segment, row stride {@code qStride}
     * @param kPast       keys of the past tokens, row stride {@code pastStride}; ignored when P is 0, like {@code vPast}
     * @param k           keys of the segment, row stride {@code kvStride}, like {@code v}
     * @param cut         edges that are left out; null for none. Every target keeps a source
     * @param probs       when not null, receives the weights, [heads, T, P + T]
     * @param ctx         receives the read values, row stride {@code ctxStride}
     */
    public static void forward(Heads heads, int tokens, int past, float[] q, int qAt, int qStride,
            float[] kPast, int kPastAt, float[] vPast, int vPastAt, int pastStride, float[] k, int kAt, float[] v, int vAt, int kvStride,
            Cut cut, float[] probs, int probsAt, float[] ctx, int ctxAt, int ctxStride) {
        int all = past + tokens;
        int stride = padded(all);
        int headWidth = heads.width;
        Parallel.forEach(heads.count, head -> {
            int shift = head * headWidth;
            int kvShift = heads.keysAt(head);
            int values = MatMul.rightSize(headWidth, all);
            int weights = values + MatMul.rightSize(all, headWidth);
            float[] work = WORK.floats(weights + QUERIES * stride);
            MatMul.packRightColumns(kPast, kPastAt + kvShift, pastStride, 0, past, headWidth, all, work, 0);
            MatMul.packRightColumns(k, kAt + kvShift, kvStride, past, tokens, headWidth, all, work, 0);
            MatMul.packRight(vPast, vPastAt + kvShift, pastStride, 0, past, all, headWidth, work, values);
            MatMul.packRight(v, vAt + kvShift, kvStride, past, tokens, all, headWidth, work, values);
            for (int t = 0; t < tokens; t += QUERIES) {
                int rows = Math.min(QUERIES, tokens - t);
                int read = past + t + rows;         // by the last of these queries
                MatMul.multiply(q, qAt + t * qStride + shift, qStride, rows, headWidth, work, 0, headWidth,
                        all, read, work, weights, stride);
                for (int r = 0; r < rows; r++) {
                    weights(head, past + t + r, heads.scale, cut, work, weights + r * stride, read);
                    if (probs != null) {
                        System.arraycopy(work, weights + r * stride, probs, probsAt + (head * tokens + t + r) * all, past + t + r + 1);
                    }
                }
                MatMul.multiply(work, weights, stride, rows, read, work, values, all, headWidth, headWidth,
                        ctx, ctxAt + t * ctxStride + shift, ctxStride);
            }
        });
    }

    /** Rows of weights end where whole vectors do. */
    private static int padded(int tokens) {
        return (tokens + PAD - 1) / PAD * PAD;
    }

    /** Turns the products of a query with keys into weights: zero for the keys behind it, up to the padded {@code read}. */
    private static void weights(int head, int target, float scale, Cut cut, float[] work, int at, int read) {
        int seen = target + 1;
        Elementwise.scale(scale, work, at, seen);
        for (int s = 0; s < seen && cut != null; s++) {
            if (cut.has(head, s, target)) {
                work[at + s] = Float.NEGATIVE_INFINITY;
            }
        }
        Arrays.fill(work, at + seen, at + padded(read), Float.NEGATIVE_INFINITY);
        Softmax.apply(work, at, padded(read));
    }

    /**
     * Gradients of a segment from those of ctx; the weights are computed again. In the calling thread.
     *
     * @param k    keys of all tokens from 0 on, row stride {@code kvStride}, like {@code v}; the segment's first token is number
     *             {@code past}
     * @param dQ   written, row stride {@code dStride}, like dK and dV, which only the segment's own tokens get
     */
    public static void backward(Heads heads, int tokens, int past, float[] q, int qAt, int qStride, float[] k, int kAt,
            float[] v, int vAt, int kvStride, float[] dCtx, int dCtxAt, int dCtxStride, float[] dQ, int dQAt, float[] dK, int dKAt,
            float[] dV, int dVAt, int dStride) {
        int headWidth = heads.width;
        float scale = heads.scale;
        int all = past + tokens;
        int stride = padded(all);
        int values = MatMul.rightSize(headWidth, all);          // behind the keys, both by columns
        int keyRows = 2 * values;
        int queries = keyRows + MatMul.rightSize(all, headWidth);
        int dCtxs = queries + MatMul.rightSize(tokens, headWidth);
        int weights = dCtxs + MatMul.rightSize(tokens, headWidth);   // [tokens][stride], like the gradients of the scores behind them
        int dScores = weights + tokens * stride;
        float[] work = WORK.floats(dScores + tokens * stride);
        for (int head = 0; head < heads.count; head++) {
            int shift = head * headWidth;
            int kvShift = heads.keysAt(head);
            boolean isNext = head > 0 && heads.keysAt(head - 1) == kvShift;     // its gradients are added to those of the head before
            MatMul.packRightColumns(k, kAt + kvShift, kvStride, 0, all, headWidth, all, work, 0);
            MatMul.packRightColumns(v, vAt + kvShift, kvStride, 0, all, headWidth, all, work, values);
            MatMul.packRight(k, kAt + kvShift, kvStride, 0, all, all, headWidth, work, keyRows);
            MatMul.packRight(q, qAt + shift, qStride, 0, tokens, tokens, headWidth, work, queries);
            MatMul.packRight(dCtx, dCtxAt + shift, dCtxStride, 0, tokens, tokens, headWidth, work, dCtxs);
            for (int t = 0; t < tokens; t += QUERIES) {
                int rows = Math.min(QUERIES, tokens - t);
                int read = past + t + rows;
                int w = weights + t * stride;
                int d = dScores + t * stride;
                MatMul.multiply(q, qAt + t * qStride + shift, qStride, rows, headWidth, work, 0, headWidth, all, read, work, w, stride);
                MatMul.multiply(dCtx, dCtxAt + t * dCtxStride + shift, dCtxStride, rows, headWidth,
                        work, values, headWidth, all, read, work, d, stride);
                for (int r = 0; r < rows; r++) {
                    weights(head, past + t + r, scale, null, work, w + r * stride, read);
                    Softmax.backward(work, w + r * stride, read, scale, work, d + r * stride);
                }
                MatMul.multiply(work, d, stride, rows, read, work, keyRows, all, headWidth, headWidth,
                        dQ, dQAt + t * dStride + shift, dStride);
            }
            for (int s = 0; s < tokens; s += QUERIES) {         // which only the queries from here on read
                int rows = tokens - s;
                int count = Math.min(QUERIES, rows);
                int from = s * stride + past + s;
                MatMul.outer(work, dScores + from, stride, count, rows, work, queries, s, tokens, headWidth,
                        dK, dKAt + s * dStride + kvShift, dStride, isNext);
                MatMul.outer(work, weights + from, stride, count, rows, work, dCtxs, s, tokens, headWidth,
                        dV, dVAt + s * dStride + kvShift, dStride, isNext);
            }
        }
    }
}
