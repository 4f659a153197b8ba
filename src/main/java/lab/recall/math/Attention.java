package lab.recall.math;

import java.util.Arrays;

/**
 * Causal attention of a segment of tokens, head by head: softmax(q k' / sqrt(head width)) v.
 *
 * <p>Glossary: P past tokens, whose keys and values come from an earlier pass; T tokens of the segment. Rows hold the heads one after
 * another. Token t of the segment reads the P past tokens and the segment's tokens 0..t. Source: Vaswani et al., arXiv 1706.03762.
 */
public final class Attention {
    private static final ThreadLocal<float[]> SCRATCH = ThreadLocal.withInitial(() -> new float[0]);

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
            float[] work = scratch(2 * all * headWidth + all);
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
        float[] weights = new float[past + tokens];
        float[] dWeights = new float[past + tokens];
        for (int t = 0; t < tokens; t++) {
            Arrays.fill(dQ, dQAt + t * dStride, dQAt + t * dStride + heads * headWidth, 0f);
            Arrays.fill(dK, dKAt + t * dStride, dKAt + t * dStride + heads * headWidth, 0f);
            Arrays.fill(dV, dVAt + t * dStride, dVAt + t * dStride + heads * headWidth, 0f);
        }
        for (int head = 0; head < heads; head++) {
            int shift = head * headWidth;
            for (int t = 0; t < tokens; t++) {
                int seen = past + t + 1;
                int query = qAt + t * qStride + shift;
                int from = dCtxAt + t * dCtxStride + shift;
                for (int s = 0; s < seen; s++) {
                    weights[s] = scale * dot(q, query, k, kAt + s * kvStride + shift, headWidth);
                }
                Softmax.forward(weights, 0, seen, weights, 0);
                double sum = 0;
                for (int s = 0; s < seen; s++) {
                    dWeights[s] = dot(dCtx, from, v, vAt + s * kvStride + shift, headWidth);
                    sum += (double) dWeights[s] * weights[s];
                }
                for (int s = 0; s < seen; s++) {
                    float dScore = scale * weights[s] * (float) (dWeights[s] - sum);
                    addScaled(dScore, k, kAt + s * kvStride + shift, dQ, dQAt + t * dStride + shift, headWidth);
                    if (s >= past) {
                        addScaled(dScore, q, query, dK, dKAt + (s - past) * dStride + shift, headWidth);
                        addScaled(weights[s], dCtx, from, dV, dVAt + (s - past) * dStride + shift, headWidth);
                    }
                }
            }
        }
    }

    private static float[] scratch(int size) {
        float[] work = SCRATCH.get();
        if (work.length < size) {
            work = new float[size];
            SCRATCH.set(work);
        }
        return work;
    }

    private static float dot(float[] a, int aAt, float[] b, int bAt, int count) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        int i = 0;
        for (; i < count - 3; i += 4) {
            s0 = Math.fma(a[aAt + i], b[bAt + i], s0);
            s1 = Math.fma(a[aAt + i + 1], b[bAt + i + 1], s1);
            s2 = Math.fma(a[aAt + i + 2], b[bAt + i + 2], s2);
            s3 = Math.fma(a[aAt + i + 3], b[bAt + i + 3], s3);
        }
        for (; i < count; i++) {
            s0 = Math.fma(a[aAt + i], b[bAt + i], s0);
        }
        return (s0 + s1) + (s2 + s3);
    }

    private static void addScaled(float factor, float[] from, int fromAt, float[] to, int toAt, int count) {
        for (int i = 0; i < count; i++) {
            to[toAt + i] = Math.fma(factor, from[fromAt + i], to[toAt + i]);
        }
    }
}
