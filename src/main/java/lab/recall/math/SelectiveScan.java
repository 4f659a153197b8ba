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
 * SelectiveScan.forward(new Sizes(tokens, channels, states), u, delta, a, b, c, d, state, y);
 * }</pre>
 *
 * Glossary: T tokens, E channels, N states; u and delta are [T, E], A and the state [N, E] with A negative, B and C [T, N].
 * All but A, D and the state are {@link Rows} with strides of their own or, where it says so, without gaps. Each (channel, state) is
 * computed by itself in the order of time, and y adds its states from 0 to N-1: a segment that starts from a state, a range of channels and
 * any number of lanes or threads give the same numbers bit for bit.
 * Source: Gu and Dao, arXiv 2312.00752, equation 2 and algorithm 2.
 */
public final class SelectiveScan {
    /** Channels that one thread takes at a time. */
    private static final int RANGE = 256;
    /** Below so many exponentials a call stays in its thread. */
    private static final long SPLIT = 60_000;
    private static final Scratch WORK = new Scratch();
    /** Powers of two a step that forget a state at once, and stay finite times any step size. */
    static final float STEEPEST = -1e30f;
    private static final Scratch TERMS = new Scratch();
    private static final Rows NONE = Rows.of(null, 0, 0);

    /**
     * Of a scan.
     *
     * @param tokens   T
     * @param channels E
     * @param states   N
     */
    public record Sizes(int tokens, int channels, int states) {
    }

    private SelectiveScan() {
    }

    /**
     * The scan over all tokens, from a state on.
     *
     * @param u     [T, E] without gaps, like delta and y
     * @param state in: before the first token; out: after the last one
     */
    public static void forward(Sizes of, Rows u, Rows delta, float[] a, Rows b, Rows c, float[] d, float[] state, Rows y) {
        int tokens = of.tokens;
        int channels = of.channels;
        int states = of.states;
        float[] us = u.array();
        int uAt = u.at();
        float[] deltas = delta.array();
        int deltaAt = delta.at();
        float[] ys = y.array();
        int yAt = y.at();
        boolean lanes = Simd.available();
        float[] terms = byStates(of, b, c);
        ranges(tokens, channels, states, (from, to) -> {
            int e = from;
            if (lanes) {
                float[] work = Lanes.work();
                for (; e <= to - Lanes.COUNT; e += Lanes.COUNT) {
                    Lanes.forward(tokens, channels, states, e, us, uAt, deltas, deltaAt, a, terms, d, state, 0, ys, yAt, work);
                }
            }
            for (; e < to; e++) {
                channel(tokens, channels, states, e, us, uAt, deltas, deltaAt, a, terms, d, state, ys, yAt);
            }
        });
    }

    /** B and C of a state and all tokens side by side, [N][t][B C]. */
    private static float[] byStates(Sizes of, Rows b, Rows c) {
        int tokens = of.tokens;
        float[] terms = TERMS.floats(of.states * tokens * 2);
        for (int n = 0; n < of.states; n++) {
            for (int t = 0; t < tokens; t++) {
                terms[(n * tokens + t) * 2] = b.array()[b.at() + t * b.stride() + n];
                terms[(n * tokens + t) * 2 + 1] = c.array()[c.at() + t * c.stride() + n];
            }
        }
        return terms;
    }

    /**
     * The same recurrence, giving the state after every token instead of y.
     *
     * @param first state before the first token, [N, E], from its index on
     * @param all   receives [T, N, E]
     */
    public static void states(Sizes of, Rows u, Rows delta, float[] a, Rows b, Rows first, Rows all) {
        states(of, u, delta, a, b, first, all, NONE);
    }

    /**
     * The same, giving the decays too: all that {@link #backward} needs.
     *
     * @param decays receives exp(delta A), [T, N, E]; without an array: none
     */
    public static void states(Sizes of, Rows u, Rows delta, float[] a, Rows b, Rows first, Rows all, Rows decays) {
        run(of, u.array(), u.at(), delta.array(), delta.at(), a, b.array(), b.at(), b.stride(), first.array(), first.at(), all.array(),
                all.at(), decays.array(), decays.at());
    }

    private static void run(Sizes of, float[] u, int uAt, float[] delta, int deltaAt, float[] a, float[] b, int bAt, int bStride,
            float[] first, int firstAt, float[] all, int allAt, float[] decays, int decaysAt) {
        int tokens = of.tokens;
        int channels = of.channels;
        int states = of.states;
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
                        e = Lanes.step(from, to, u, uAt + t * channels, delta, deltaAt + t * channels, a, n * channels, bn,
                                before, last, all, now, decays, kept);
                    }
                    for (; e < to; e++) {
                        float q = delta[deltaAt + t * channels + e];
                        float w = q * u[uAt + t * channels + e];
                        float decay = decay(q, a[n * channels + e]);
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
     * @param of     of one token
     * @param before state before the token, [N, E], from its index on
     * @param after  receives the state behind it
     * @param beside other states [N, E], taken on in place; the array may be longer than {@code fed}
     * @param fed    for each of them whether the token puts its term in
     */
    public static void step(Sizes of, Rows u, Rows delta, float[] a, Rows b, Rows before, Rows after, float[][] beside, boolean[] fed) {
        step(of.channels, of.states, u.array(), u.at(), delta.array(), delta.at(), a, b.array(), b.at(), before.array(), before.at(),
                after.array(), after.at(), beside, fed);
    }

    private static void step(int channels, int states, float[] u, int uAt, float[] delta, int deltaAt, float[] a, float[] b, int bAt,
            float[] before, int beforeAt, float[] after, int afterAt, float[][] beside, boolean[] fed) {
        ranges(1, channels, states, (from, to) -> {
            for (int n = 0; n < states; n++) {
                int at = n * channels;
                int e = from;
                if (Simd.available()) {
                    e = Lanes.step(from, to, u, uAt, delta, deltaAt, a, at, b[bAt + n],
                            before, beforeAt + at, after, afterAt + at, beside, fed);
                }
                for (; e < to; e++) {
                    float q = delta[deltaAt + e];
                    float decay = decay(q, a[at + e]);
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
     * One token's step taken apart, first part: the term delta u B that it puts into the state. The three parts one after another give the
     * numbers of {@link #forward} bit for bit, and between them the term and the state can be changed.
     *
     * @param of   of one token, like those of {@link #advance} and {@link #read}
     * @param term receives [N, E]
     */
    public static void write(Sizes of, Rows u, Rows delta, Rows b, float[] term) {
        int channels = of.channels;
        float[] us = u.array();
        float[] deltas = delta.array();
        int uAt = u.at();
        int deltaAt = delta.at();
        for (int n = 0; n < of.states; n++) {
            float bn = b.array()[b.at() + n];
            int at = n * channels;
            for (int e = 0; e < channels; e++) {
                term[at + e] = deltas[deltaAt + e] * us[uAt + e] * bn;
            }
        }
    }

    /** Second part: h = exp(delta A) h + term. */
    public static void advance(Sizes of, Rows delta, float[] a, float[] term, float[] state) {
        int channels = of.channels;
        float[] deltas = delta.array();
        int deltaAt = delta.at();
        for (int n = 0; n < of.states; n++) {
            int at = n * channels;
            int e = Simd.available() ? Lanes.advance(channels, deltas, deltaAt, a, at, term, state) : 0;
            for (; e < channels; e++) {
                state[at + e] = Math.fma(decay(deltas[deltaAt + e], a[at + e]), state[at + e], term[at + e]);
            }
        }
    }

    /** Third part: y = Σ_n C h + D u. */
    public static void read(Sizes of, Rows u, Rows c, float[] d, float[] state, Rows y) {
        int channels = of.channels;
        float[] us = u.array();
        float[] ys = y.array();
        int uAt = u.at();
        int yAt = y.at();
        Arrays.fill(ys, yAt, yAt + channels, 0f);
        for (int n = 0; n < of.states; n++) {
            float cn = c.array()[c.at() + n];
            int at = n * channels;
            for (int e = 0; e < channels; e++) {
                ys[yAt + e] = Math.fma(state[at + e], cn, ys[yAt + e]);
            }
        }
        for (int e = 0; e < channels; e++) {
            ys[yAt + e] = Math.fma(d[e], us[uAt + e], ys[yAt + e]);
        }
    }

    /**
     * Gradients of a segment of T tokens from those of y. In the calling thread: callers run many segments side by side.
     *
     * @param in    of the forward run
     * @param dY    [T, E] without gaps
     * @param found receives the gradients
     * @param carry scratch, [N, E]
     */
    public static void backward(Sizes of, Inputs in, Rows dY, Gradients found, float[] carry) {
        backward(of, in.u.array(), in.u.at(), in.delta.array(), in.delta.at(), in.a, in.b, in.c, in.d, in.before.array(), in.before.at(),
                in.decay.array(), in.decay.at(), dY.array(), dY.at(), found.u.array(), found.u.at(), found.delta.array(),
                found.delta.at(), found.b, found.c, found.a, found.d, carry);
    }

    /**
     * What a forward run read and left.
     *
     * @param u      [T, E] without gaps, like delta
     * @param before states before each token, [T + 1, N, E]: the last one is the state after the segment
     * @param decay  [T, N, E]
     */
    public record Inputs(Rows u, Rows delta, float[] a, Rows b, Rows c, float[] d, Rows before, Rows decay) {
    }

    /**
     * Where gradients go.
     *
     * @param u written, [T, E] without gaps, like delta
     * @param b written, [T, N], like c; both rows of one array
     * @param a added to unless null, [N, E], like d, [E]
     */
    public record Gradients(Rows u, Rows delta, Rows b, Rows c, float[] a, float[] d) {
    }

    private static void backward(Sizes of, float[] u, int uAt, float[] delta, int deltaAt, float[] a, Rows b, Rows c, float[] d,
            float[] before, int beforeAt, float[] decay, int decayAt, float[] dY, int dYAt, float[] dU, int dUAt, float[] dDelta,
            int dDeltaAt, Rows dB, Rows dC, float[] dA, float[] dD, float[] carry) {
        int tokens = of.tokens;
        int channels = of.channels;
        int states = of.states;
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
                backwardState(channels, u, uAt + row, delta, deltaAt + row, a, n * channels, b.array()[b.at() + t * b.stride() + n],
                        c.array()[c.at() + t * c.stride() + n], before, h, h + size, decay, dec, dY, dYAt + row, dU, dUAt + row,
                        dDelta, dDeltaAt + row, carry, n * channels, dB.array(), dB.at() + t * dB.stride() + n,
                        dC.at() + t * dC.stride() + n, dA, lanes);
            }
        }
    }

    /** One token and state: with g the gradient of h[t], carries g decay on to h[t-1]. */
    private static void backwardState(int channels, float[] u, int uAt, float[] delta, int deltaAt, float[] a, int aAt, float b, float c,
            float[] before, int h, int after, float[] decay, int dec, float[] dY, int dYAt, float[] dU, int dUAt,
            float[] dDelta, int dDeltaAt, float[] carry, int carryAt, float[] dBc, int db, int dc, float[] dA, float[] lanes) {
        int e = 0;
        float sumB = 0f;
        float sumC = 0f;
        if (lanes.length > 0) {
            e = Lanes.backwardState(channels, u, uAt, delta, deltaAt, a, aAt, b, c, before, h, after, decay, dec,
                    dY, dYAt, dU, dUAt, dDelta, dDeltaAt, carry, carryAt, dA, lanes);
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

    /** exp(q a). */
    private static float decay(float q, float a) {
        return Exp.exp2(q * Math.max(a * Exp.LOG2_E, STEEPEST));
    }

    private static void ranges(int tokens, int channels, int states, Parallel.Range body) {
        Parallel.ranges(channels, (long) tokens * channels * states < SPLIT ? channels : RANGE, body);
    }

    private static void channel(int tokens, int channels, int states, int e, float[] u, int uAt, float[] delta, int deltaAt, float[] a,
            float[] terms, float[] d, float[] state, float[] y, int yAt) {
        for (int t = 0; t < tokens; t++) {
            float q = delta[deltaAt + t * channels + e];
            float x = u[uAt + t * channels + e];
            float w = q * x;
            float sum = 0f;
            for (int n = 0; n < states; n++) {
                int at = n * channels + e;
                float h = Math.fma(decay(q, a[n * channels + e]), state[at], w * terms[(n * tokens + t) * 2]);
                state[at] = h;
                sum = Math.fma(h, terms[(n * tokens + t) * 2 + 1], sum);
            }
            y[yAt + t * channels + e] = Math.fma(d[e], x, sum);
        }
    }

    /**
     * Channels in lanes, one state at a time outside the loop over tokens, so that the state stays in a register and most constants too:
     * with two states neither compiler (17, 25) has registers enough.
     */
    private static final class Lanes {
        private static final VectorSpecies<Float> S = VectorMath.LANES;
        static final int COUNT = S.length();

        static void forward(int tokens, int channels, int states, int e, float[] u, int uAt, float[] delta, int deltaAt, float[] a,
                float[] terms, float[] d, float[] state, int stateAt, float[] y, int yAt, float[] work) {
            FloatVector skip = FloatVector.fromArray(S, d, e);
            for (int first = 0; first < tokens; first += TOGETHER) {
                int count = Math.min(TOGETHER, tokens - first);
                int at = first * channels + e;
                for (int t = 0; t < count; t++) {
                    FloatVector q = FloatVector.fromArray(S, delta, deltaAt + at + t * channels);
                    q.intoArray(work, t * ROW + DELTA);
                    q.mul(FloatVector.fromArray(S, u, uAt + at + t * channels)).intoArray(work, t * ROW + INPUT);
                    FloatVector.zero(S).intoArray(work, t * ROW + SUM);
                }
                for (int n = 0; n < states; n++) {
                    state(count, a, n * channels + e, terms, 2 * (n * tokens + first), state, stateAt, work);
                }
                for (int t = 0; t < count; t++) {
                    skip.fma(FloatVector.fromArray(S, u, uAt + at + t * channels), FloatVector.fromArray(S, work, t * ROW + SUM))
                            .intoArray(y, yAt + at + t * channels);
                }
            }
        }

        /** A token's row of {@code work}: its numbers of some channels, and constants, which as operands in memory take no register. */
        private static final int ROW = 8 * COUNT;
        /** Tokens whose rows stay in the first-level cache. */
        private static final int TOGETHER = 64;
        private static final int DELTA = 0;
        private static final int INPUT = COUNT;
        private static final int SUM = 2 * COUNT;
        private static final int C6 = 3 * COUNT;
        private static final int C4 = 4 * COUNT;
        private static final int C2 = 5 * COUNT;

        static float[] work() {
            float[] work = WORK.floats(TOGETHER * ROW);
            for (int t = 0; t < TOGETHER; t++) {
                FloatVector.broadcast(S, Exp.C6).intoArray(work, t * ROW + C6);
                FloatVector.broadcast(S, Exp.C4).intoArray(work, t * ROW + C4);
                FloatVector.broadcast(S, Exp.C2).intoArray(work, t * ROW + C2);
            }
            return work;
        }

        private static void state(int tokens, float[] a, int at, float[] terms, int termsAt, float[] state, int stateAt, float[] work) {
            FloatVector rate = FloatVector.fromArray(S, a, at).mul(Exp.LOG2_E);
            FloatVector an = rate.blend(STEEPEST, rate.lt(STEEPEST));
            FloatVector h = FloatVector.fromArray(S, state, stateAt + at);
            for (int t = 0; t < tokens; t++) {
                FloatVector v = FloatVector.fromArray(S, work, t * ROW + DELTA).mul(an);
                FloatVector f = v.add(Exp.ROUND);
                FloatVector r = v.sub(f.sub(Exp.ROUND));
                FloatVector square = r.mul(r);
                FloatVector p = r.fma(FloatVector.fromArray(S, work, t * ROW + C6), FloatVector.broadcast(S, Exp.C5));
                p = p.fma(square, r.fma(FloatVector.fromArray(S, work, t * ROW + C4), FloatVector.broadcast(S, Exp.C3)));
                p = p.fma(square, r.fma(FloatVector.fromArray(S, work, t * ROW + C2), FloatVector.broadcast(S, Exp.C1)));
                p = p.fma(r, FloatVector.broadcast(S, 1f));
                IntVector k = f.reinterpretAsInts().max(Exp.LEAST_POWER).lanewise(VectorOperators.LSHL, 23);
                FloatVector decay = p.reinterpretAsInts().add(k).reinterpretAsFloats();
                h = decay.fma(h, FloatVector.fromArray(S, work, t * ROW + INPUT).mul(terms[termsAt + 2 * t]));
                h.fma(FloatVector.broadcast(S, terms[termsAt + 2 * t + 1]), FloatVector.fromArray(S, work, t * ROW + SUM))
                        .intoArray(work, t * ROW + SUM);
            }
            h.intoArray(state, stateAt + at);
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
            float[] decays = VectorMath.work();
            int e = from;
            for (int count; (count = VectorMath.block(e - from, to - from)) > 0; e += count) {
                decays(count, delta, deltaAt + e, a, aAt + e, decays, 0);
                for (int i = 0; i < count; i += COUNT) {
                    FloatVector q = FloatVector.fromArray(S, delta, deltaAt + e + i);
                    FloatVector term = q.mul(FloatVector.fromArray(S, u, uAt + e + i)).mul(b);
                    FloatVector decay = FloatVector.fromArray(S, decays, i);
                    decay.fma(FloatVector.fromArray(S, before, beforeAt + e + i), term).intoArray(after, afterAt + e + i);
                    for (int j = 0; j < fed.length; j++) {
                        FloatVector old = FloatVector.fromArray(S, beside[j], aAt + e + i);
                        (fed[j] ? decay.fma(old, term) : decay.mul(old)).intoArray(beside[j], aAt + e + i);
                    }
                }
            }
            return e;
        }

        /** One token and state of {@link SelectiveScan#states}; returns the first channel that is left. */
        static int step(int from, int to, float[] u, int uAt, float[] delta, int deltaAt, float[] a, int aAt, float b, float[] before,
                int last, float[] all, int now, float[] decays, int kept) {
            float[] own = decays == null ? VectorMath.work() : decays;
            int e = from;
            for (int count; (count = VectorMath.block(e - from, to - from)) > 0; e += count) {
                int at = decays == null ? 0 : kept + e;
                decays(count, delta, deltaAt + e, a, aAt + e, own, at);
                for (int i = 0; i < count; i += COUNT) {
                    FloatVector x = FloatVector.fromArray(S, delta, deltaAt + e + i).mul(FloatVector.fromArray(S, u, uAt + e + i));
                    FloatVector.fromArray(S, own, at + i).fma(FloatVector.fromArray(S, before, last + e + i), x.mul(b))
                            .intoArray(all, now + e + i);
                }
            }
            return e;
        }

        /** One state of {@link SelectiveScan#advance}; returns the first channel that is left. */
        static int advance(int channels, float[] delta, int deltaAt, float[] a, int at, float[] term, float[] state) {
            float[] decays = VectorMath.work();
            int e = 0;
            for (int count; (count = VectorMath.block(e, channels)) > 0; e += count) {
                decays(count, delta, deltaAt + e, a, at + e, decays, 0);
                for (int i = 0; i < count; i++) {
                    state[at + e + i] = Math.fma(decays[i], state[at + e + i], term[at + e + i]);
                }
            }
            return e;
        }

        /** exp(delta A) of some channels. */
        private static void decays(int count, float[] delta, int deltaAt, float[] a, int aAt, float[] decays, int at) {
            for (int i = 0; i < count; i += COUNT) {
                FloatVector rate = FloatVector.fromArray(S, a, aAt + i).mul(Exp.LOG2_E);
                FloatVector.fromArray(S, delta, deltaAt + i).mul(rate.blend(STEEPEST, rate.lt(STEEPEST))).intoArray(decays, at + i);
            }
            VectorMath.exp2(decays, at, count);
        }
    }
}
