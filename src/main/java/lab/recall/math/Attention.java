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
    private static final Scratch SUM = new Scratch();

    /** Edges that are left out: their scores become minus infinity. */
    public interface Cut {
        /** Whether a head's target does not read this source; tokens are counted with the past ones. */
        boolean has(int head, int source, int target);
    }

    private Attention() {
    }

    /**
     * @param past        P
     * @param q           queries of the segment, row stride {@code qStride}
     * @param kPast       keys of the past tokens, row stride {@code pastStride}; ignored when P is 0, like {@code vPast}
     * @param k           keys of the segment, row stride {@code kvStride}, like {@code v}
     * @param cut         edges that are left out; null for none. Every target keeps a source
     * @param probs       when not null, receives the weights, [heads, T, P + T]
     * @param ctx         receives the read values, row stride {@code ctxStride}
     */
    public static void forward(int heads, int headWidth, int tokens, int past, float[] q, int qAt, int qStride,
            float[] kPast, int kPastAt, float[] vPast, int vPastAt, int pastStride, float[] k, int kAt, float[] v, int vAt, int kvStride,
            Cut cut, float[] probs, int probsAt, float[] ctx, int ctxAt, int ctxStride) {
        int all = past + tokens;
        float scale = (float) (1 / Math.sqrt(headWidth));
        Parallel.forEach(heads, head -> {
            int shift = head * headWidth;
            float[] work = WORK.floats(2 * all * headWidth + all);
            int values = all * headWidth;
            int weights = 2 * values;
            for (int s = 0; s < all; s++) {         // keys with their tokens side by side, values row by row
                float[] keys = s < past ? kPast : k;
                int key = s < past ? kPastAt + s * pastStride : kAt + (s - past) * kvStride;
                for (int i = 0; i < headWidth; i++) {
                    work[i * all + s] = keys[key + shift + i];
                }
                System.arraycopy(s < past ? vPast : v, (s < past ? vPastAt + s * pastStride : vAt + (s - past) * kvStride) + shift,
                        work, values + s * headWidth, headWidth);
            }
            for (int t = 0; t < tokens; t++) {
                int seen = past + t + 1;
                RowProduct.of(q, qAt + t * qStride + shift, headWidth, work, 0, all, work, weights, seen);
                for (int s = 0; s < seen; s++) {
                    work[weights + s] *= scale;
                }
                for (int s = 0; s < seen && cut != null; s++) {
                    if (cut.has(head, s, past + t)) {
                        work[weights + s] = Float.NEGATIVE_INFINITY;
                    }
                }
                Softmax.forward(work, weights, seen, work, weights);
                RowProduct.of(work, weights, seen, work, values, headWidth, ctx, ctxAt + t * ctxStride + shift, headWidth);
                if (probs != null) {
                    System.arraycopy(work, weights, probs, probsAt + (head * tokens + t) * all, seen);
                }
            }
        });
    }

    /**
     * Gradients of a segment from those of ctx; the weights are computed again. In the calling thread.
     *
     * @param k    keys of all tokens from 0 on, row stride {@code kvStride}, like {@code v}; the segment's first token is number {@code past}
     * @param dQ   written, row stride {@code dStride}, like dK and dV, which only the segment's own tokens get
     */
    public static void backward(int heads, int headWidth, int tokens, int past, float[] q, int qAt, int qStride, float[] k, int kAt,
            float[] v, int vAt, int kvStride, float[] dCtx, int dCtxAt, int dCtxStride, float[] dQ, int dQAt, float[] dK, int dKAt,
            float[] dV, int dVAt, int dStride) {
        float scale = (float) (1 / Math.sqrt(headWidth));
        int all = past + tokens;
        int keys = 0;                                   // [head width][all], like the values behind them
        int values = all * headWidth;
        int weights = 2 * values;                       // [tokens][all], like the gradients of the scores behind them
        int dScores = weights + tokens * all;
        float[] work = WORK.floats(dScores + tokens * all);
        float[] sum = SUM.floats(tokens * headWidth);
        for (int head = 0; head < heads; head++) {
            int shift = head * headWidth;
            for (int s = 0; s < all; s++) {
                for (int i = 0; i < headWidth; i++) {
                    work[keys + i * all + s] = k[kAt + s * kvStride + shift + i];
                    work[values + i * all + s] = v[vAt + s * kvStride + shift + i];
                }
            }
            for (int t = 0; t < tokens; t++) {
                int seen = past + t + 1;
                int w = weights + t * all;
                int d = dScores + t * all;
                RowProduct.of(q, qAt + t * qStride + shift, headWidth, work, keys, all, work, w, seen);
                for (int s = 0; s < seen; s++) {
                    work[w + s] *= scale;
                }
                Softmax.forward(work, w, seen, work, w);
                RowProduct.of(dCtx, dCtxAt + t * dCtxStride + shift, headWidth, work, values, all, work, d, seen);
                double dot = 0;
                for (int s = 0; s < seen; s++) {
                    dot += (double) work[d + s] * work[w + s];
                }
                float mean = (float) dot;
                for (int s = 0; s < seen; s++) {
                    work[d + s] = scale * work[w + s] * (work[d + s] - mean);
                }
                Arrays.fill(work, w + seen, w + all, 0f);
                Arrays.fill(work, d + seen, d + all, 0f);
                RowProduct.of(work, d, seen, k, kAt + shift, kvStride, dQ, dQAt + t * dStride + shift, headWidth);
            }
            sums(work, dScores + past, all, q, qAt + shift, qStride, tokens, headWidth, sum, dK, dKAt + shift, dStride);
            sums(work, weights + past, all, dCtx, dCtxAt + shift, dCtxStride, tokens, headWidth, sum, dV, dVAt + shift, dStride);
        }
    }

    /** to[s] = sum over t of a[t][s] b[t], for the segment's own tokens. */
    private static void sums(float[] a, int aAt, int aStride, float[] b, int bAt, int bStride, int tokens, int width, float[] sum, float[] to,
            int toAt, int toStride) {
        Arrays.fill(sum, 0, tokens * width, 0f);
        MatMul.addOuter(a, aAt, aStride, b, bAt, bStride, tokens, tokens, width, sum);
        for (int s = 0; s < tokens; s++) {
            System.arraycopy(sum, s * width, to, toAt + s * toStride, width);
        }
    }
}
