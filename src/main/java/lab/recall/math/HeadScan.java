package lab.recall.math;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Mamba-2's scan, token by token: a state matrix and one decay a head, h[t] = exp(delta[t] a) h[t-1] + delta[t] B[t] x[t]', and
 * y[t] = C[t] h[t] + D x[t]. {@link ChunkedScan} gives y by products; here are the states on the way, and the way back.
 *
 * <pre>{@code
 * HeadScan.Sizes s = new HeadScan.Sizes(24, 64, 128, 1);    // heads, channels of each, states, groups
 * float[] state = new float[s.size()];                      // zeros: from the first token on
 * HeadScan.advance(s, tokens, x, 0, stride, delta, 0, a, b, bAt, stride, state, 0);
 * }</pre>
 *
 * Glossary: T tokens, H heads of P channels, N states, G groups of heads that share B and C. x is [T, H P], B and C [T, G N], all with a
 * row stride; delta [T, H], a (negative) and D [H], the state [H, N, P]. Each number of the state is computed by itself in the order of
 * time: a segment that starts from a state, and any number of lanes or threads give the same numbers bit for bit. Source: Dao and Gu, arXiv
 * 2405.21060, equation 16.
 */
public final class HeadScan {
    /** Below so many multiply-adds a call stays in its thread. */
    private static final long SPLIT = 200_000;
    private static final Scratch BACK = new Scratch();

    private HeadScan() {
    }

    /**
     * Sizes of a scan.
     *
     * @param heads  H
     * @param width  P, channels of a head
     * @param states N, of each channel
     * @param groups G, of heads with one B and C
     */
    public record Sizes(int heads, int width, int states, int groups) {
        /** Channels of all heads. */
        public int inner() {
            return heads * width;
        }

        /** Numbers of B or C that a token has. */
        public int shared() {
            return groups * states;
        }

        /** Numbers of a state. */
        public int size() {
            return heads * states * width;
        }

        /** Where B and C of a head begin among those of all groups. */
        int group(int head) {
            return head / (heads / groups) * states;
        }
    }

    /**
     * The recurrence without y.
     *
     * @param state in: before the first token; out: after the last one
     */
    public static void advance(Sizes s, int tokens, float[] x, int xAt, int xStride, float[] delta, int deltaAt, float[] a, float[] b,
            int bAt, int bStride, float[] state, int stateAt) {
        each(s, tokens, x, xAt, xStride, delta, deltaAt, a, b, bAt, bStride, state, stateAt, state, stateAt, 0, null);
    }

    /**
     * One token's step taken apart, first part: the term delta B x' that it puts into the state. The three parts one after another give
     * the states of {@link #states} bit for bit, and between them the term and the state can be changed.
     *
     * @param term receives [H, N, P]
     */
    public static void write(Sizes s, float[] x, int xAt, float[] delta, int deltaAt, float[] b, int bAt, float[] term) {
        for (int h = 0; h < s.heads; h++) {
            int u = xAt + h * s.width;
            float q = delta[deltaAt + h];
            for (int n = 0; n < s.states; n++) {
                int at = (h * s.states + n) * s.width;
                float bn = b[bAt + s.group(h) + n];
                for (int e = 0; e < s.width; e++) {
                    term[at + e] = x[u + e] * q * bn;
                }
            }
        }
    }

    /** Second part: h = exp(delta a) h + term. */
    public static void advance(Sizes s, float[] delta, int deltaAt, float[] a, float[] term, float[] state) {
        int each = s.states * s.width;
        for (int h = 0; h < s.heads; h++) {
            float decay = decay(delta[deltaAt + h], a[h]);
            for (int i = h * each; i < (h + 1) * each; i++) {
                state[i] = Math.fma(decay, state[i], term[i]);
            }
        }
    }

    /** Third part: y = C h + D x. */
    public static void read(Sizes s, float[] x, int xAt, float[] c, int cAt, float[] d, float[] state, float[] y, int yAt) {
        Arrays.fill(y, yAt, yAt + s.inner(), 0f);
        for (int h = 0; h < s.heads; h++) {
            int own = h * s.width;
            for (int n = 0; n < s.states; n++) {
                int at = (h * s.states + n) * s.width;
                float cn = c[cAt + s.group(h) + n];
                for (int e = 0; e < s.width; e++) {
                    y[yAt + own + e] = Math.fma(state[at + e], cn, y[yAt + own + e]);
                }
            }
            for (int e = own; e < own + s.width; e++) {
                y[yAt + e] = Math.fma(d[h], x[xAt + e], y[yAt + e]);
            }
        }
    }

    /**
     * The state after every token, and the decays: all that {@link #backward} needs.
     *
     * @param first  state before the first token
     * @param all    receives [T, H, N, P]
     * @param decays receives exp(delta a), [T, H]
     */
    public static void states(Sizes s, int tokens, float[] x, int xAt, int xStride, float[] delta, int deltaAt, float[] a, float[] b,
            int bAt, int bStride, float[] first, int firstAt, float[] all, int allAt, float[] decays) {
        each(s, tokens, x, xAt, xStride, delta, deltaAt, a, b, bAt, bStride, first, firstAt, all, allAt, s.size(), decays);
    }

    /** @param stride numbers from one token's state to the next one's; 0 where each takes the place of the one before */
    private static void each(Sizes s, int tokens, float[] x, int xAt, int xStride, float[] delta, int deltaAt, float[] a, float[] b,
            int bAt, int bStride, float[] first, int firstAt, float[] all, int allAt, int stride, float[] decays) {
        ranges(s, tokens, (from, to) -> {
            for (int h = from; h < to; h++) {
                int own = h * s.states * s.width;
                for (int t = 0; t < tokens; t++) {
                    float q = delta[deltaAt + t * s.heads + h];
                    float decay = decay(q, a[h]);
                    if (decays != null) {
                        decays[t * s.heads + h] = decay;
                    }
                    float[] before = t == 0 ? first : all;
                    int old = own + (t == 0 ? firstAt : allAt + (t - 1) * stride);
                    int now = own + allAt + t * stride;
                    int u = xAt + t * xStride + h * s.width;
                    for (int n = 0; n < s.states; n++) {
                        float bn = b[bAt + t * bStride + s.group(h) + n];
                        int at = n * s.width;
                        int e = Simd.available() ? Lanes.step(s.width, decay, q, x, u, bn, before, old + at, all, now + at) : 0;
                        for (; e < s.width; e++) {
                            all[now + at + e] = Math.fma(decay, before[old + at + e], x[u + e] * q * bn);
                        }
                    }
                }
            }
        });
    }

    /**
     * Gradients of a segment of T tokens from those of y. In the calling thread: callers run many segments side by side.
     *
     * @param before  states before each token, [T + 1, H, N, P]: the last one is the state after the segment
     * @param decays  [T, H]
     * @param dY      [T, H P]
     * @param dX      written, with a row stride
     * @param dDelta  written, [T, H]
     * @param dBc     dB and dC are written, at {@code dbAt} and {@code dcAt} with a row stride
     * @param dA      added to unless null, [H], like dD
     * @param carry   scratch, [H, N, P]
     */
    public static void backward(Sizes s, int tokens, float[] x, int xAt, int xStride, float[] delta, int deltaAt, float[] a, float[] bc,
            int bAt, int cAt, int bcStride, float[] d, float[] before, int beforeAt, float[] decays, int decaysAt, float[] dY, int dYAt,
            float[] dX, int dXAt, int dXStride, float[] dDelta, int dDeltaAt, float[] dBc, int dbAt, int dcAt, int dBcStride, float[] dA,
            float[] dD, float[] carry) {
        Arrays.fill(carry, 0, s.size(), 0f);
        float[] work = BACK.floats(s.width + (Simd.present() ? 3 * Lanes.COUNT : 0));
        for (int t = tokens - 1; t >= 0; t--) {
            Arrays.fill(dBc, dbAt + t * dBcStride, dbAt + t * dBcStride + s.shared(), 0f);
            Arrays.fill(dBc, dcAt + t * dBcStride, dcAt + t * dBcStride + s.shared(), 0f);
            for (int h = 0; h < s.heads; h++) {
                int own = h * s.states * s.width;
                int state = beforeAt + t * s.size() + own;
                int u = xAt + t * xStride + h * s.width;
                int y = dYAt + t * s.inner() + h * s.width;
                float q = delta[deltaAt + t * s.heads + h];
                float decay = decays[decaysAt + t * s.heads + h];
                Arrays.fill(work, 0, s.width, 0f);
                float past = 0f;
                for (int n = 0; n < s.states; n++) {
                    int g = s.group(h) + n;
                    past += backState(s, bc[bAt + t * bcStride + g], bc[cAt + t * bcStride + g], q, decay, x, u, before,
                            state + n * s.width, state + s.size() + n * s.width, dY, y, carry, own + n * s.width,
                            dBc, dbAt + t * dBcStride + g, dcAt + t * dBcStride + g, work);
                }
                float sum = 0f;
                float skip = 0f;
                for (int e = 0; e < s.width; e++) {
                    dX[dXAt + t * dXStride + h * s.width + e] = Math.fma(q, work[e], d[h] * dY[y + e]);
                    sum = Math.fma(x[u + e], work[e], sum);
                    skip = Math.fma(x[u + e], dY[y + e], skip);
                }
                dDelta[dDeltaAt + t * s.heads + h] = Math.fma(a[h] * decay, past, sum);
                if (dA != null) {
                    dA[h] = Math.fma(q * decay, past, dA[h]);
                    dD[h] += skip;
                }
            }
        }
    }

    /**
     * One token, head and state: with g the gradient of h[t], adds g B to {@code work}, carries g decay on to h[t-1], and gives the sum of
     * g h[t-1].
     */
    private static float backState(Sizes s, float b, float c, float q, float decay, float[] x, int xAt, float[] before, int old, int now,
            float[] dY, int dYAt, float[] carry, int carryAt, float[] dBc, int db, int dc, float[] work) {
        float sumB = 0f;
        float sumC = 0f;
        float past = 0f;
        int e = 0;
        if (Simd.available()) {
            int lanes = Lanes.COUNT;
            e = Lanes.backState(s.width, b, c, decay, x, xAt, before, old, now, dY, dYAt, carry, carryAt, work);
            // not reduceLanes: its order is the compiler's choice, so interpreted and compiled code would differ
            for (int i = 0; i < lanes && e > 0; i++) {
                sumB += work[s.width + i];
                sumC += work[s.width + lanes + i];
                past += work[s.width + 2 * lanes + i];
            }
        }
        for (; e < s.width; e++) {
            float y = dY[dYAt + e];
            float g = Math.fma(y, c, carry[carryAt + e]);
            sumC = Math.fma(y, before[now + e], sumC);
            sumB = Math.fma(g, x[xAt + e], sumB);
            past = Math.fma(g, before[old + e], past);
            work[e] = Math.fma(g, b, work[e]);
            carry[carryAt + e] = g * decay;
        }
        dBc[db] = Math.fma(q, sumB, dBc[db]);
        dBc[dc] += sumC;
        return past;
    }

    /** exp(q a), by the scan's own power: see {@link Exp#exp2}. */
    static float decay(float q, float a) {
        return Exp.exp2(q * Math.max(a * Exp.LOG2_E, SelectiveScan.STEEPEST));
    }

    private static void ranges(Sizes s, int tokens, Parallel.Range body) {
        long work = (long) tokens * s.size();
        Parallel.ranges(s.heads, (int) Math.max(1, Math.min(s.heads, s.heads * SPLIT / Math.max(1, work))), body);
    }

    /** Channels in lanes. */
    private static final class Lanes {
        private static final VectorSpecies<Float> S = VectorMath.LANES;
        static final int COUNT = S.length();

        static int step(int width, float decay, float q, float[] x, int xAt, float b, float[] before, int old, float[] after, int now) {
            FloatVector a = FloatVector.broadcast(S, decay);
            int e = 0;
            for (; e <= width - COUNT; e += COUNT) {
                a.fma(FloatVector.fromArray(S, before, old + e), FloatVector.fromArray(S, x, xAt + e).mul(q).mul(b))
                        .intoArray(after, now + e);
            }
            return e;
        }

        static int backState(int width, float b, float c, float decay, float[] x, int xAt, float[] before, int old, int now, float[] dY,
                int dYAt, float[] carry, int carryAt, float[] work) {
            FloatVector sumB = FloatVector.zero(S);
            FloatVector sumC = sumB;
            FloatVector past = sumB;
            FloatVector bs = FloatVector.broadcast(S, b);
            FloatVector cs = FloatVector.broadcast(S, c);
            int e = 0;
            for (; e <= width - COUNT; e += COUNT) {
                FloatVector y = FloatVector.fromArray(S, dY, dYAt + e);
                FloatVector g = y.fma(cs, FloatVector.fromArray(S, carry, carryAt + e));
                sumC = y.fma(FloatVector.fromArray(S, before, now + e), sumC);
                sumB = g.fma(FloatVector.fromArray(S, x, xAt + e), sumB);
                past = g.fma(FloatVector.fromArray(S, before, old + e), past);
                g.fma(bs, FloatVector.fromArray(S, work, e)).intoArray(work, e);
                g.mul(decay).intoArray(carry, carryAt + e);
            }
            sumB.intoArray(work, width);
            sumC.intoArray(work, width + COUNT);
            past.intoArray(work, width + 2 * COUNT);
            return e;
        }
    }
}
