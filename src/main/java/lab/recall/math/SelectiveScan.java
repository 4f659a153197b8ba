package lab.recall.math;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Mamba's selective scan: per channel and state, h[t] = exp(delta[t] A) h[t-1] + delta[t] u[t] B[t], and y[t] = Σ_n C[t] h[t] + D u[t].
 *
 * <pre>{@code
 * float[] state = new float[states * channels];             // zeros: from the first token on
 * SelectiveScan.forward(tokens, channels, states, u, 0, delta, 0, a, bc, bAt, cAt, stride, d, state, 0, y, 0);
 * }</pre>
 *
 * Glossary: T tokens, E channels, N states; u and delta are [T, E], A and the state [N, E] with A negative, B and C [T, N] with a row
 * stride. Each (channel, state) is computed by itself in the order of time, and y adds its states from 0 to N-1: a segment that starts
 * from a state, a range of channels and any number of lanes or threads give the same numbers bit for bit.
 * Source: Gu and Dao, arXiv 2312.00752, equation 2 and algorithm 2.
 */
public final class SelectiveScan {
    /** Channels that one thread takes at a time. */
    private static final int RANGE = 256;
    /** Below so many exponentials a call stays in its thread. */
    private static final long SPLIT = 60_000;
    private static final Scratch WORK = new Scratch();

    private SelectiveScan() {
    }

    /**
     * @param state in: before the first token; out: after the last one
     * @param y     [T, E]
     */
    public static void forward(int tokens, int channels, int states, float[] u, int uAt, float[] delta, int deltaAt, float[] a, float[] bc,
            int bAt, int cAt, int bcStride, float[] d, float[] state, int stateAt, float[] y, int yAt) {
        ranges(tokens, channels, states, (from, to) -> {
            int e = from;
            if (Simd.available()) {
                float[] work = WORK.floats(3 * tokens * Lanes.COUNT);
                for (; e <= to - Lanes.COUNT; e += Lanes.COUNT) {
                    Lanes.forward(tokens, channels, states, e, u, uAt, delta, deltaAt, a, bc, bAt, cAt, bcStride, d, state, stateAt, y, yAt, work);
                }
            }
            for (; e < to; e++) {
                channel(tokens, channels, states, e, u, uAt, delta, deltaAt, a, bc, bAt, cAt, bcStride, d, state, stateAt, y, yAt);
            }
        });
    }

    /**
     * The same recurrence, giving the state after every token instead of y.
     *
     * @param first  state before the first token, [N, E]
     * @param all    receives [T, N, E]
     */
    public static void states(int tokens, int channels, int states, float[] u, int uAt, float[] delta, int deltaAt, float[] a, float[] b,
            int bAt, int bStride, float[] first, int firstAt, float[] all, int allAt) {
        states(tokens, channels, states, u, uAt, delta, deltaAt, a, b, bAt, bStride, first, firstAt, all, allAt, null, 0);
    }

    /**
     * The same, giving the decays too: all that {@link #backward} needs.
     *
     * @param decays receives exp(delta A), [T, N, E]; null for none
     */
    public static void states(int tokens, int channels, int states, float[] u, int uAt, float[] delta, int deltaAt, float[] a, float[] b,
            int bAt, int bStride, float[] first, int firstAt, float[] all, int allAt, float[] decays, int decaysAt) {
        int size = states * channels;
        ranges(tokens, channels, states, (from, to) -> {
            for (int t = 0; t < tokens; t++) {
                for (int n = 0; n < states; n++) {
                    int e = from;
                    int now = allAt + t * size + n * channels;
                    float[] before = t == 0 ? first : all;
                    int last = (t == 0 ? firstAt : allAt + (t - 1) * size) + n * channels;
                    float bn = b[bAt + t * bStride + n];
                    int kept = decaysAt + t * size + n * channels;
                    if (Simd.available()) {
                        e = Lanes.step(from, to, u, uAt + t * channels, delta, deltaAt + t * channels, a, n * channels, bn, before, last, all, now,
                                decays, kept);
                    }
                    for (; e < to; e++) {
                        float q = delta[deltaAt + t * channels + e];
                        float w = q * u[uAt + t * channels + e];
                        float decay = Exp.exp(q * a[n * channels + e]);
                        all[now + e] = Math.fma(decay, before[last + e], w * bn);
                        if (decays != null) {
                            decays[kept + e] = decay;
                        }
                    }
                }
            }
        });
    }

    /**
     * One token of the recurrence for several states at once, which share its decay; some of them are not fed by it.
     *
     * @param before state before the token, [N, E]
     * @param after  receives the state behind it
     * @param beside other states [N, E], taken on in place; the array may be longer than {@code fed}
     * @param fed    for each of them whether the token puts its term in
     */
    public static void step(int channels, int states, float[] u, int uAt, float[] delta, int deltaAt, float[] a, float[] b, int bAt,
            float[] before, int beforeAt, float[] after, int afterAt, float[][] beside, boolean[] fed) {
        ranges(1, channels, states, (from, to) -> {
            for (int n = 0; n < states; n++) {
                int at = n * channels;
                int e = from;
                if (Simd.available()) {
                    e = Lanes.step(from, to, u, uAt, delta, deltaAt, a, at, b[bAt + n], before, beforeAt + at, after, afterAt + at, beside, fed);
                }
                for (; e < to; e++) {
                    float q = delta[deltaAt + e];
                    float decay = Exp.exp(q * a[at + e]);
                    float term = q * u[uAt + e] * b[bAt + n];
                    after[afterAt + at + e] = Math.fma(decay, before[beforeAt + at + e], term);
                    for (int i = 0; i < fed.length; i++) {
                        beside[i][at + e] = fed[i] ? Math.fma(decay, beside[i][at + e], term) : decay * beside[i][at + e];
                    }
                }
            }
        });
    }

    /**
     * Gradients of a segment of T tokens from those of y. In the calling thread: callers run many segments side by side.
     *
     * @param u, delta [T, E] of the forward run, like {@code bc}, in which B and C stand
     * @param before   states before each token, [T + 1, N, E]: the last one is the state after the segment
     * @param decay    [T, N, E]
     * @param dY       [T, E]
     * @param dU       written, [T, E], like dDelta
     * @param dBc      dB and dC are written, at {@code dbAt} and {@code dcAt} with a row stride
     * @param dA       added to unless null, [N, E], like dD, [E]
     * @param carry    scratch, [N, E]
     */
    public static void backward(int tokens, int channels, int states, float[] u, int uAt, float[] delta, int deltaAt, float[] a, float[] bc,
            int bAt, int cAt, int bcStride, float[] d, float[] before, int beforeAt, float[] decay, int decayAt, float[] dY, int dYAt,
            float[] dU, int dUAt, float[] dDelta, int dDeltaAt, float[] dBc, int dbAt, int dcAt, int dBcStride, float[] dA, float[] dD,
            float[] carry) {
        int size = states * channels;
        float[] lanes = new float[Simd.available() ? 2 * Lanes.COUNT : 0];
        Arrays.fill(carry, 0, size, 0f);
        for (int t = tokens - 1; t >= 0; t--) {
            int row = t * channels;
            for (int e = 0; e < channels; e++) {
                dU[dUAt + row + e] = d[e] * dY[dYAt + row + e];
                dDelta[dDeltaAt + row + e] = 0f;
            }
            if (dD != null) {
                for (int e = 0; e < channels; e++) {
                    dD[e] = Math.fma(u[uAt + row + e], dY[dYAt + row + e], dD[e]);
                }
            }
            for (int n = 0; n < states; n++) {
                int h = beforeAt + t * size + n * channels;
                int dec = decayAt + t * size + n * channels;
                backwardState(channels, u, uAt + row, delta, deltaAt + row, a, n * channels, bc[bAt + t * bcStride + n],
                        bc[cAt + t * bcStride + n], before, h, h + size, decay, dec, dY, dYAt + row, dU, dUAt + row, dDelta, dDeltaAt + row,
                        carry, n * channels, dBc, dbAt + t * dBcStride + n, dcAt + t * dBcStride + n, dA, lanes);
            }
        }
    }

    /** One token and state: with g the gradient of h[t], carries g decay on to h[t-1]. */
    private static void backwardState(int channels, float[] u, int uAt, float[] delta, int deltaAt, float[] a, int aAt, float b, float c,
            float[] before, int h, int after, float[] decay, int dec, float[] dY, int dYAt, float[] dU, int dUAt, float[] dDelta, int dDeltaAt,
            float[] carry, int carryAt, float[] dBc, int db, int dc, float[] dA, float[] lanes) {
        int e = 0;
        float sumB = 0f;
        float sumC = 0f;
        if (Simd.available()) {
            e = Lanes.backwardState(channels, u, uAt, delta, deltaAt, a, aAt, b, c, before, h, after, decay, dec, dY, dYAt, dU, dUAt, dDelta,
                    dDeltaAt, carry, carryAt, dA, lanes);
            // not reduceLanes: its order is the compiler's choice, so interpreted and compiled code would differ
            for (int i = 0; i < lanes.length / 2; i++) {
                sumB += lanes[i];
                sumC += lanes[lanes.length / 2 + i];
            }
        }
        for (; e < channels; e++) {
            float y = dY[dYAt + e];
            float g = Math.fma(y, c, carry[carryAt + e]);
            float kept = g * decay[dec + e];
            sumC = Math.fma(y, before[after + e], sumC);
            sumB = Math.fma(g, delta[deltaAt + e] * u[uAt + e], sumB);
            float past = kept * before[h + e];
            dDelta[dDeltaAt + e] += Math.fma(past, a[aAt + e], g * b * u[uAt + e]);
            if (dA != null) {
                dA[aAt + e] = Math.fma(past, delta[deltaAt + e], dA[aAt + e]);
            }
            dU[dUAt + e] += g * b * delta[deltaAt + e];
            carry[carryAt + e] = kept;
        }
        dBc[db] = sumB;
        dBc[dc] = sumC;
    }

    private static void ranges(int tokens, int channels, int states, Parallel.Range body) {
        Parallel.ranges(channels, (long) tokens * channels * states < SPLIT ? channels : RANGE, body);
    }

    private static void channel(int tokens, int channels, int states, int e, float[] u, int uAt, float[] delta, int deltaAt, float[] a,
            float[] bc, int bAt, int cAt, int bcStride, float[] d, float[] state, int stateAt, float[] y, int yAt) {
        for (int t = 0; t < tokens; t++) {
            float q = delta[deltaAt + t * channels + e];
            float x = u[uAt + t * channels + e];
            float w = q * x;
            float sum = 0f;
            for (int n = 0; n < states; n++) {
                int at = stateAt + n * channels + e;
                float h = Math.fma(Exp.exp(q * a[n * channels + e]), state[at], w * bc[bAt + t * bcStride + n]);
                state[at] = h;
                sum = Math.fma(h, bc[cAt + t * bcStride + n], sum);
            }
            y[yAt + t * channels + e] = Math.fma(d[e], x, sum);
        }
    }

    /**
     * Channels in lanes, two states at a time outside the loop over tokens, so that a state stays in a register. The exponential is
     * written out: neither compiler (17, 25) keeps a call of it in registers inside this loop; v is never above 0, and below
     * {@link Exp#LOWEST} whatever was computed gives way to 0.
     */
    private static final class Lanes {
        private static final VectorSpecies<Float> S = VectorMath.LANES;
        static final int COUNT = S.length();

        static void forward(int tokens, int channels, int states, int e, float[] u, int uAt, float[] delta, int deltaAt, float[] a,
                float[] bc, int bAt, int cAt, int bcStride, float[] d, float[] state, int stateAt, float[] y, int yAt, float[] work) {
            int w = tokens * COUNT;
            for (int t = 0; t < tokens; t++) {
                FloatVector q = FloatVector.fromArray(S, delta, deltaAt + t * channels + e);
                q.intoArray(work, t * COUNT);
                q.mul(FloatVector.fromArray(S, u, uAt + t * channels + e)).intoArray(work, w + t * COUNT);
            }
            Arrays.fill(work, 2 * w, 3 * w, 0f);
            int n = 0;
            for (; n < states - 1; n += 2) {
                pair(tokens, n * channels + e, channels, a, bc, bAt + n, cAt + n, bcStride, state, stateAt + n * channels + e, work, w);
            }
            for (; n < states; n++) {
                single(tokens, n * channels + e, a, bc, bAt + n, cAt + n, bcStride, state, stateAt + n * channels + e, work, w);
            }
            FloatVector skip = FloatVector.fromArray(S, d, e);
            for (int t = 0; t < tokens; t++) {
                skip.fma(FloatVector.fromArray(S, u, uAt + t * channels + e), FloatVector.fromArray(S, work, 2 * w + t * COUNT))
                        .intoArray(y, yAt + t * channels + e);
            }
        }

        private static void pair(int tokens, int aAt, int channels, float[] a, float[] bc, int b, int c, int stride, float[] state,
                int stateAt, float[] work, int w) {
            FloatVector a0 = FloatVector.fromArray(S, a, aAt);
            FloatVector a1 = FloatVector.fromArray(S, a, aAt + channels);
            FloatVector h0 = FloatVector.fromArray(S, state, stateAt);
            FloatVector h1 = FloatVector.fromArray(S, state, stateAt + channels);
            for (int t = 0; t < tokens; t++) {
                FloatVector q = FloatVector.fromArray(S, work, t * COUNT);
                FloatVector x = FloatVector.fromArray(S, work, w + t * COUNT);
                FloatVector sum = FloatVector.fromArray(S, work, 2 * w + t * COUNT);

                FloatVector v0 = q.mul(a0);
                FloatVector f0 = v0.fma(FloatVector.broadcast(S, Exp.LOG2_E), FloatVector.broadcast(S, Exp.ROUND));
                FloatVector n0 = f0.sub(Exp.ROUND);
                FloatVector r0 = n0.fma(FloatVector.broadcast(S, -Exp.LN2_HIGH), v0);
                r0 = n0.fma(FloatVector.broadcast(S, -Exp.LN2_LOW), r0);
                FloatVector p0 = r0.fma(FloatVector.broadcast(S, Exp.P0), FloatVector.broadcast(S, Exp.P1));
                p0 = p0.fma(r0, FloatVector.broadcast(S, Exp.P2));
                p0 = p0.fma(r0, FloatVector.broadcast(S, Exp.P3));
                p0 = p0.fma(r0, FloatVector.broadcast(S, Exp.P4));
                p0 = p0.fma(r0, FloatVector.broadcast(S, Exp.P5));
                p0 = p0.fma(r0.mul(r0), r0).add(1f);
                IntVector k0 = f0.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
                FloatVector e0 = p0.reinterpretAsInts().add(k0).reinterpretAsFloats().blend(0f, v0.lt(Exp.LOWEST));
                h0 = e0.fma(h0, x.mul(bc[b + t * stride]));
                sum = h0.fma(FloatVector.broadcast(S, bc[c + t * stride]), sum);

                FloatVector v1 = q.mul(a1);
                FloatVector f1 = v1.fma(FloatVector.broadcast(S, Exp.LOG2_E), FloatVector.broadcast(S, Exp.ROUND));
                FloatVector n1 = f1.sub(Exp.ROUND);
                FloatVector r1 = n1.fma(FloatVector.broadcast(S, -Exp.LN2_HIGH), v1);
                r1 = n1.fma(FloatVector.broadcast(S, -Exp.LN2_LOW), r1);
                FloatVector p1 = r1.fma(FloatVector.broadcast(S, Exp.P0), FloatVector.broadcast(S, Exp.P1));
                p1 = p1.fma(r1, FloatVector.broadcast(S, Exp.P2));
                p1 = p1.fma(r1, FloatVector.broadcast(S, Exp.P3));
                p1 = p1.fma(r1, FloatVector.broadcast(S, Exp.P4));
                p1 = p1.fma(r1, FloatVector.broadcast(S, Exp.P5));
                p1 = p1.fma(r1.mul(r1), r1).add(1f);
                IntVector k1 = f1.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
                FloatVector e1 = p1.reinterpretAsInts().add(k1).reinterpretAsFloats().blend(0f, v1.lt(Exp.LOWEST));
                h1 = e1.fma(h1, x.mul(bc[b + t * stride + 1]));
                sum = h1.fma(FloatVector.broadcast(S, bc[c + t * stride + 1]), sum);

                sum.intoArray(work, 2 * w + t * COUNT);
            }
            h0.intoArray(state, stateAt);
            h1.intoArray(state, stateAt + channels);
        }

        private static void single(int tokens, int aAt, float[] a, float[] bc, int b, int c, int stride, float[] state, int stateAt,
                float[] work, int w) {
            FloatVector an = FloatVector.fromArray(S, a, aAt);
            FloatVector h = FloatVector.fromArray(S, state, stateAt);
            for (int t = 0; t < tokens; t++) {
                FloatVector q = FloatVector.fromArray(S, work, t * COUNT);
                FloatVector x = FloatVector.fromArray(S, work, w + t * COUNT);
                h = VectorMath.exp(q.mul(an)).fma(h, x.mul(bc[b + t * stride]));
                h.fma(FloatVector.broadcast(S, bc[c + t * stride]), FloatVector.fromArray(S, work, 2 * w + t * COUNT))
                        .intoArray(work, 2 * w + t * COUNT);
            }
            h.intoArray(state, stateAt);
        }

        /** The whole vectors of {@link SelectiveScan#backwardState}; leaves their sums, lane by lane, in lanes. */
        static int backwardState(int channels, float[] u, int uAt, float[] delta, int deltaAt, float[] a, int aAt, float b, float c,
                float[] before, int h, int after, float[] decay, int dec, float[] dY, int dYAt, float[] dU, int dUAt, float[] dDelta,
                int dDeltaAt, float[] carry, int carryAt, float[] dA, float[] lanes) {
            FloatVector sumB = FloatVector.zero(S);
            FloatVector sumC = FloatVector.zero(S);
            int e = 0;
            for (; e <= channels - COUNT; e += COUNT) {
                FloatVector y = FloatVector.fromArray(S, dY, dYAt + e);
                FloatVector q = FloatVector.fromArray(S, delta, deltaAt + e);
                FloatVector x = FloatVector.fromArray(S, u, uAt + e);
                FloatVector g = y.fma(FloatVector.broadcast(S, c), FloatVector.fromArray(S, carry, carryAt + e));
                FloatVector kept = g.mul(FloatVector.fromArray(S, decay, dec + e));
                sumC = y.fma(FloatVector.fromArray(S, before, after + e), sumC);
                sumB = g.fma(q.mul(x), sumB);
                FloatVector gb = g.mul(b);
                FloatVector past = kept.mul(FloatVector.fromArray(S, before, h + e));
                past.fma(FloatVector.fromArray(S, a, aAt + e), gb.mul(x)).add(FloatVector.fromArray(S, dDelta, dDeltaAt + e))
                        .intoArray(dDelta, dDeltaAt + e);
                if (dA != null) {
                    past.fma(q, FloatVector.fromArray(S, dA, aAt + e)).intoArray(dA, aAt + e);
                }
                gb.fma(q, FloatVector.fromArray(S, dU, dUAt + e)).intoArray(dU, dUAt + e);
                kept.intoArray(carry, carryAt + e);
            }
            sumB.intoArray(lanes, 0);
            sumC.intoArray(lanes, COUNT);
            return e;
        }

        /** One state of {@link SelectiveScan#step}; returns the first channel that is left. */
        static int step(int from, int to, float[] u, int uAt, float[] delta, int deltaAt, float[] a, int aAt, float b, float[] before,
                int beforeAt, float[] after, int afterAt, float[][] beside, boolean[] fed) {
            int e = from;
            for (; e <= to - COUNT; e += COUNT) {
                FloatVector q = FloatVector.fromArray(S, delta, deltaAt + e);
                FloatVector decay = VectorMath.exp(q.mul(FloatVector.fromArray(S, a, aAt + e)));
                FloatVector term = q.mul(FloatVector.fromArray(S, u, uAt + e)).mul(b);
                decay.fma(FloatVector.fromArray(S, before, beforeAt + e), term).intoArray(after, afterAt + e);
                for (int i = 0; i < fed.length; i++) {
                    FloatVector old = FloatVector.fromArray(S, beside[i], aAt + e);
                    (fed[i] ? decay.fma(old, term) : decay.mul(old)).intoArray(beside[i], aAt + e);
                }
            }
            return e;
        }

        /** One token and state of {@link SelectiveScan#states}; returns the first channel that is left. */
        static int step(int from, int to, float[] u, int uAt, float[] delta, int deltaAt, float[] a, int aAt, float b, float[] before,
                int last, float[] all, int now, float[] decays, int kept) {
            int e = from;
            for (; e <= to - COUNT; e += COUNT) {
                FloatVector q = FloatVector.fromArray(S, delta, deltaAt + e);
                FloatVector x = q.mul(FloatVector.fromArray(S, u, uAt + e));
                FloatVector decay = VectorMath.exp(q.mul(FloatVector.fromArray(S, a, aAt + e)));
                decay.fma(FloatVector.fromArray(S, before, last + e), x.mul(b)).intoArray(all, now + e);
                if (decays != null) {
                    decay.intoArray(decays, kept + e);
                }
            }
            return e;
        }
    }
}
