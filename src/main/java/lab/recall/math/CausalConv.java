package lab.recall.math;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Causal depthwise convolution: conv[t] = bias + Σ_k weight[K-1-k] x[t-k], channel by channel.
 *
 * <pre>{@code
 * CausalConv.forward(xz, 0, 2 * inner, tokens, history, 0, 4, inner, weight, bias, conv, 0);
 * }</pre>
 *
 * Glossary: K taps, E channels. The weight is [K][E], tap K-1 meets the current token. {@code history} holds the K-1 rows before the first
 * token, oldest first, zeros where there were none. Terms are added from the oldest token to the current one, so a segment gives the same
 * numbers as the whole. Source: Gu and Dao, arXiv 2312.00752, section 3.4.
 */
public final class CausalConv {
    private CausalConv() {
    }

    /** x has a row stride, conv is contiguous [tokens, E]; bias may be null. */
    public static void forward(float[] x, int xAt, int xStride, int tokens, float[] history, int historyAt, int taps, int channels,
            float[] weight, float[] bias, float[] conv, int convAt) {
        Parallel.rows(tokens, channels, (from, to) -> {
            for (int t = from; t < to; t++) {
                forward(t, null, x, xAt, xStride, history, historyAt, taps, channels, weight, bias, conv, convAt + t * channels);
            }
        });
    }

    /**
     * One token, without the terms of some earlier ones.
     *
     * @param t      the token's row
     * @param cut    for each tap whether its term is left out, [K]; null for none
     * @param convAt where the token's [E] numbers go
     */
    public static void forward(int t, boolean[] cut, float[] x, int xAt, int xStride, float[] history, int historyAt,
            int taps, int channels, float[] weight, float[] bias, float[] conv, int convAt) {
        if (taps == 4 && cut == null && bias != null && Simd.available()) {
            forward4(t, x, xAt, xStride, history, historyAt, channels, weight, bias, conv, convAt);
            return;
        }
        if (bias == null) {
            Arrays.fill(conv, convAt, convAt + channels, 0f);
        } else {
            System.arraycopy(bias, 0, conv, convAt, channels);
        }
        for (int tap = 0; tap < taps; tap++) {
            int token = t - (taps - 1 - tap);
            if (cut != null && cut[tap]) {
                continue;
            }
            if (token >= 0) {
                addProduct(weight, tap * channels, x, xAt + token * xStride, conv, convAt, channels);
            } else {
                addProduct(weight, tap * channels, history, historyAt + (token + taps - 1) * channels, conv, convAt, channels);
            }
        }
    }

    /** The four taps of published models in one pass over memory, each term added in the same order. */
    private static void forward4(int t, float[] x, int xAt, int xStride, float[] history, int historyAt, int channels, float[] weight,
            float[] bias, float[] conv, int convAt) {
        float[] x0 = t < 3 ? history : x;
        float[] x1 = t < 2 ? history : x;
        float[] x2 = t < 1 ? history : x;
        int at = xAt + t * xStride;
        int old = historyAt + t * channels;
        int at0 = t < 3 ? old : at - 3 * xStride;
        int at1 = t < 2 ? old + channels : at - 2 * xStride;
        int at2 = t < 1 ? old + 2 * channels : at - xStride;
        int e = Lanes.forward4(x0, at0, x1, at1, x2, at2, x, at, channels, weight, bias, conv, convAt);
        for (; e < channels; e++) {
            float sum = Math.fma(weight[e], x0[at0 + e], bias[e]);
            sum = Math.fma(weight[channels + e], x1[at1 + e], sum);
            sum = Math.fma(weight[2 * channels + e], x2[at2 + e], sum);
            conv[convAt + e] = Math.fma(weight[3 * channels + e], x[at + e], sum);
        }
    }

    /**
     * dX is added to; only the segment's own rows get any.
     *
     * @param dX gradient of x, with x's stride
     */
    public static void backward(float[] dConv, int dConvAt, int tokens, int taps, int channels, float[] weight, float[] dX, int dXAt,
            int dXStride) {
        for (int token = 0; token < tokens; token++) {
            int to = dXAt + token * dXStride;
            int from = dConvAt + token * channels;
            if (taps == 4 && token < tokens - 3) {
                fourBack(weight, dConv, from, channels, dX, to);
            } else {
                for (int later = 0; later < Math.min(taps, tokens - token); later++) {
                    addProduct(weight, (taps - 1 - later) * channels, dConv, from + later * channels, dX, to, channels);
                }
            }
        }
    }

    /** What four tokens' outputs give back to the first one's input. */
    private static void fourBack(float[] w, float[] d, int dAt, int channels, float[] to, int toAt) {
        int w1 = channels;
        int w2 = 2 * channels;
        int w3 = 3 * channels;
        int d1 = dAt + channels;
        int d2 = d1 + channels;
        int d3 = d2 + channels;
        for (int i = 0; i < channels; i++) {
            float sum = Math.fma(w[w2 + i], d[d1 + i], Math.fma(w[w3 + i], d[dAt + i], to[toAt + i]));
            to[toAt + i] = Math.fma(w[i], d[d3 + i], Math.fma(w[w1 + i], d[d2 + i], sum));
        }
    }

    /** Adds to the gradients of weight [K][E] and, unless null, bias [E] of a run from its first token on. */
    public static void backwardWeights(float[] x, int xAt, int xStride, float[] dConv, int dConvAt, int tokens, int taps, int channels,
            float[] dWeight, float[] dBias) {
        for (int tap = 0; tap < taps; tap++) {
            int back = taps - 1 - tap;
            int t = back;
            for (; t < tokens - 3; t += 4) {
                addFour(x, xAt + (t - back) * xStride, xStride, dConv, dConvAt + t * channels, channels, dWeight, tap * channels);
            }
            for (; t < tokens; t++) {
                addProduct(x, xAt + (t - back) * xStride, dConv, dConvAt + t * channels, dWeight, tap * channels, channels);
            }
        }
        for (int t = 0; t < tokens && dBias != null; t++) {
            Elementwise.add(dConv, dConvAt + t * channels, dBias, 0, channels);
        }
    }

    /** Products of four tokens' inputs and gradients, in the order of the tokens. */
    private static void addFour(float[] x, int xAt, int xStride, float[] d, int dAt, int channels, float[] to, int toAt) {
        int x1 = xAt + xStride;
        int x2 = x1 + xStride;
        int x3 = x2 + xStride;
        int d1 = dAt + channels;
        int d2 = d1 + channels;
        int d3 = d2 + channels;
        for (int i = 0; i < channels; i++) {
            float sum = Math.fma(x[x1 + i], d[d1 + i], Math.fma(x[xAt + i], d[dAt + i], to[toAt + i]));
            to[toAt + i] = Math.fma(x[x3 + i], d[d3 + i], Math.fma(x[x2 + i], d[d2 + i], sum));
        }
    }

    private static void addProduct(float[] a, int aAt, float[] b, int bAt, float[] to, int toAt, int count) {
        for (int i = 0; i < count; i++) {
            to[toAt + i] = Math.fma(a[aAt + i], b[bAt + i], to[toAt + i]);
        }
    }

    /** The vector form; a class of its own, so that it is loaded only where it can be used. */
    private static final class Lanes {
        private static final VectorSpecies<Float> S = VectorMath.LANES;

        static int forward4(float[] x0, int at0, float[] x1, int at1, float[] x2, int at2, float[] x3, int at3,
                int channels, float[] weight, float[] bias, float[] conv, int convAt) {
            int e = 0;
            for (; e <= channels - VectorMath.COUNT; e += VectorMath.COUNT) {
                FloatVector sum = FloatVector.fromArray(S, weight, e)
                        .fma(FloatVector.fromArray(S, x0, at0 + e), FloatVector.fromArray(S, bias, e));
                sum = FloatVector.fromArray(S, weight, channels + e).fma(FloatVector.fromArray(S, x1, at1 + e), sum);
                sum = FloatVector.fromArray(S, weight, 2 * channels + e).fma(FloatVector.fromArray(S, x2, at2 + e), sum);
                FloatVector.fromArray(S, weight, 3 * channels + e).fma(FloatVector.fromArray(S, x3, at3 + e), sum)
                        .intoArray(conv, convAt + e);
            }
            return e;
        }
    }
}
