package lab.recall.math;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import lab.recall.math.HeadScan.Sizes;

/**
 * The scan of {@link HeadScan} by products: the tokens of a chunk read each other as in attention, Y = (L ∘ C B') delta X, where L holds
 * the decays between two tokens; what lies before the chunk they read from its state. For mamba2-130m's sizes a token costs about a
 * tenth of what a recurrence did that kept four tokens in registers, in a prompt of 32 tokens; a fifth at 128; some less than it at 512.
 *
 * <pre>{@code
 * ChunkedScan.read(s, 0, tokens, x, 0, stride, b, 0, stride, c, 0, stride, delta, 0, a, d, null, y, 0);     // y of a first chunk
 * ChunkedScan.close(s, CHUNK, x, 0, stride, b, 0, stride, delta, 0, a, state, false);                       // the next one's state
 * }</pre>
 *
 * Glossary: T tokens, H heads of P channels, N states, G groups of heads that share B and C. x is [T, H P], B and C [T, G N], all with a
 * row stride; delta [T, H], a (negative) and D [H], a state [H, N, P]. Each number of y is one chain of fused multiply-adds, over the state
 * and then over the chunk's tokens up to its own: from where in a chunk tokens come together, and any number of lanes or threads give the
 * same numbers bit for bit. Where chunks begin does matter to the last bits. Source: Dao and Gu, arXiv 2405.21060, section 6.
 */
public final class ChunkedScan {
    /** Tokens of a chunk. While a prompt is shorter no state is needed; a longer chunk costs more than the state that it saves. */
    public static final int CHUNK = 128;
    /** Tokens that read what lies before them in one product: a few tiles. */
    private static final int QUERIES = 16;
    /** Decays below are nothing: numbers that get smaller and smaller end where processors compute slowly. */
    private static final float LEAST = 1e-30f;
    /** Below so many multiply-adds a call stays in its thread. */
    private static final long SPLIT = 200_000;
    private static final Scratch PRODUCTS = new Scratch();
    private static final Scratch WORK = new Scratch();

    private ChunkedScan() {
    }

    /** Tokens of a chunk, the first at the given places. */
    private record Tokens(Sizes s, int count, float[] x, int xAt, int xStride, float[] b, int bAt, int bStride, float[] delta, int deltaAt,
                          float[] a) {
        /**
         * Goes on to a token: {@code factors} become what the tokens so far and this one count for in the state behind it, decay times
         * delta.
         *
         * @param since decay of what lies before the chunk; the same comes back for this token
         */
        float age(int head, int token, float since, float[] factors, int at) {
            float step = delta[deltaAt + token * s.heads() + head];
            float decay = HeadScan.decay(step, a[head]);
            fade(decay, factors, at, token);
            factors[at + token] = step;
            return small(since * decay);
        }
    }

    /**
     * y of a chunk's tokens from {@code past} on.
     *
     * @param past   tokens of the chunk before them: x, B and delta begin with those, C and y do not
     * @param tokens that y is asked for
     * @param state  before the chunk; null for none
     * @param y      receives [tokens, H P]
     */
    public static void read(Sizes s, int past, int tokens, float[] x, int xAt, int xStride, float[] b, int bAt, int bStride, float[] c,
            int cAt, int cStride, float[] delta, int deltaAt, float[] a, float[] d, float[] state, float[] y, int yAt) {
        int count = past + tokens;
        Tokens all = new Tokens(s, count, x, xAt, xStride, b, bAt, bStride, delta, deltaAt, a);
        float[] products = PRODUCTS.floats(s.groups() * tokens * count);
        for (int g = 0; g < s.groups(); g++) {
            products(all, past, g * s.states(), c, cAt, cStride, products, g * tokens * count);
        }
        long work = (long) tokens * s.inner() * ((state == null ? 0 : s.states()) + past + (tokens + 1) / 2);
        heads(s, work, (from, to) -> {
            for (int h = from; h < to; h++) {
                read(all, h, past, c, cAt + s.group(h), cStride, products, h / (s.heads() / s.groups()) * tokens * count, d[h], state,
                        y, yAt + h * s.width());
            }
        });
    }

    private static void heads(Sizes s, long work, Parallel.Range body) {
        Parallel.ranges(s.heads(), (int) Math.max(1, Math.min(s.heads(), s.heads() * SPLIT / Math.max(1, work))), body);
    }

    /** C B' of a group: of each token that reads with those before it and itself, and with some behind it, which mean nothing. */
    private static void products(Tokens k, int past, int group, float[] c, int cAt, int cStride, float[] products, int to) {
        int all = k.count;
        int states = k.s.states();
        float[] right = WORK.floats(MatMul.rightSize(states, all));
        MatMul.packRightColumns(k.b, k.bAt + group, k.bStride, 0, all, states, all, right, 0);
        for (int t = past; t < all; t += QUERIES) {
            int rows = Math.min(QUERIES, all - t);
            MatMul.multiply(c, cAt + (t - past) * cStride + group, cStride, rows, states, right, 0, states, all, t + rows,
                    products, to + (t - past) * all, all);
        }
    }

    /** One head; C and y are given from its own place on. */
    private static void read(Tokens k, int head, int past, float[] c, int cAt, int cStride, float[] products, int productsAt, float d,
            float[] state, float[] y, int yAt) {
        int all = k.count;
        int width = k.s.width();
        int inner = k.s.inner();
        int states = state == null ? 0 : k.s.states();
        int depth = states + past + (all - past - 1) / QUERIES * QUERIES;      // what the last tokens' product reads
        int stride = states + all;
        int weights = MatMul.rightSize(depth, width);
        int factors = weights + QUERIES * stride;
        float[] work = WORK.floats(factors + all);
        int x = k.xAt + head * width;
        if (states > 0) {
            MatMul.packRight(state, head * states * width, width, 0, states, depth, width, work, 0);
        }
        MatMul.packRight(k.x, x, k.xStride, states, depth - states, depth, width, work, 0);
        float since = 1f;
        for (int t = 0; t < all; t++) {
            since = k.age(head, t, since, work, factors);
            if (t < past) {
                continue;
            }
            int r = (t - past) % QUERIES;
            int row = weights + r * stride;
            times(since, c, cAt + (t - past) * cStride, work, row, states);
            times(products, productsAt + (t - past) * all, work, factors, work, row + states, t + 1);
            if (r == QUERIES - 1 || t == all - 1) {
                int first = t - r;
                int to = yAt + (first - past) * inner;
                if (states + first > 0) {
                    MatMul.multiply(work, weights, stride, r + 1, states + first, work, 0, depth, width, width, y, to, inner);
                } else {
                    for (int i = 0; i <= r; i++) {
                        Arrays.fill(y, to + i * inner, to + i * inner + width, 0f);
                    }
                }
                for (int i = 0; i <= r; i++) {
                    own(work, weights + i * stride + states + first, i + 1, k.x, x + first * k.xStride, k.xStride, width, d,
                            y, to + i * inner);
                }
            }
        }
    }

    /** Adds to y what a token reads of the last tokens, itself among them, one after another, and its skip term. */
    private static void own(float[] weights, int at, int tokens, float[] x, int xAt, int xStride, int width, float d, float[] y, int yAt) {
        int e = Simd.available() ? Lanes.own(weights, at, tokens, x, xAt, xStride, width, d, y, yAt) : 0;
        for (; e < width; e++) {
            float sum = y[yAt + e];
            for (int t = 0; t < tokens; t++) {
                sum = Math.fma(weights[at + t], x[xAt + t * xStride + e], sum);
            }
            y[yAt + e] = Math.fma(d, x[xAt + (tokens - 1) * xStride + e], sum);
        }
    }

    /**
     * The state behind a chunk's tokens.
     *
     * @param state  in: before the chunk, where there is something; out: behind it
     * @param resume whether there is something
     */
    public static void close(Sizes s, int tokens, float[] x, int xAt, int xStride, float[] b, int bAt, int bStride, float[] delta,
            int deltaAt, float[] a, float[] state, boolean resume) {
        Tokens all = new Tokens(s, tokens, x, xAt, xStride, b, bAt, bStride, delta, deltaAt, a);
        heads(s, (long) tokens * s.size(), (from, to) -> {
            for (int h = from; h < to; h++) {
                close(all, h, state, h * s.states() * s.width(), resume);
            }
        });
    }

    private static void close(Tokens k, int head, float[] state, int at, boolean resume) {
        int tokens = k.count;
        int width = k.s.width();
        int states = k.s.states();
        int scaled = MatMul.rightSize(tokens, width);
        int factors = scaled + tokens * width;
        float[] work = WORK.floats(factors + tokens);
        float since = 1f;
        for (int t = 0; t < tokens; t++) {
            since = k.age(head, t, since, work, factors);
        }
        for (int t = 0; t < tokens; t++) {
            times(work[factors + t], k.x, k.xAt + t * k.xStride + head * width, work, scaled + t * width, width);
        }
        MatMul.packRight(work, scaled, width, 0, tokens, tokens, width, work, 0);
        if (resume) {
            times(since, state, at, state, at, states * width);
        }
        MatMul.outer(k.b, k.bAt + k.s.group(head), k.bStride, states, tokens, work, 0, 0, tokens, width, state, at, width, resume);
    }

    /**
     * What the first of some tokens alone gives to y of each of them, without the skip term.
     *
     * @param c     of all of them, with a row stride, like delta
     * @param terms receives [T, H P]
     */
    public static void terms(Sizes s, int tokens, float[] x, int xAt, float[] b, int bAt, float[] c, int cAt, int cStride, float[] delta,
            int deltaAt, float[] a, float[] terms) {
        for (int h = 0; h < s.heads(); h++) {
            float factor = delta[deltaAt + h];
            for (int t = 0; t < tokens; t++) {
                if (t > 0) {
                    factor = small(factor * HeadScan.decay(delta[deltaAt + t * s.heads() + h], a[h]));
                }
                float product = 0f;
                for (int n = s.group(h); n < s.group(h) + s.states(); n++) {
                    product = Math.fma(c[cAt + t * cStride + n], b[bAt + n], product);
                }
                times(product * factor, x, xAt + h * s.width(), terms, t * s.inner() + h * s.width(), s.width());
            }
        }
    }

    private static float small(float x) {
        return Math.abs(x) < LEAST ? 0f : x;
    }

    /** {@code x *= decay}, and nothing where that is too small. */
    private static void fade(float decay, float[] x, int at, int count) {
        int i = Simd.available() ? Lanes.fade(decay, x, at, count) : 0;
        for (; i < count; i++) {
            x[at + i] = small(x[at + i] * decay);
        }
    }

    /** {@code to = factor x}; to may be x. */
    private static void times(float factor, float[] x, int at, float[] to, int toAt, int count) {
        int i = Simd.available() ? Lanes.times(factor, x, at, to, toAt, count) : 0;
        for (; i < count; i++) {
            to[toAt + i] = factor * x[at + i];
        }
    }

    /** {@code to = x y}. */
    private static void times(float[] x, int at, float[] y, int yAt, float[] to, int toAt, int count) {
        int i = Simd.available() ? Lanes.times(x, at, y, yAt, to, toAt, count) : 0;
        for (; i < count; i++) {
            to[toAt + i] = x[at + i] * y[yAt + i];
        }
    }

    private static final class Lanes {
        private static final VectorSpecies<Float> S = VectorMath.LANES;
        private static final int COUNT = S.length();

        static int own(float[] weights, int at, int tokens, float[] x, int xAt, int xStride, int width, float d, float[] y, int yAt) {
            int e = 0;
            for (; e <= width - 2 * COUNT; e += 2 * COUNT) {
                FloatVector sum0 = FloatVector.fromArray(S, y, yAt + e);
                FloatVector sum1 = FloatVector.fromArray(S, y, yAt + e + COUNT);
                int row = xAt + e;
                for (int t = 0; t < tokens; t++) {
                    FloatVector w = FloatVector.broadcast(S, weights[at + t]);
                    sum0 = w.fma(FloatVector.fromArray(S, x, row), sum0);
                    sum1 = w.fma(FloatVector.fromArray(S, x, row + COUNT), sum1);
                    row += xStride;
                }
                FloatVector skip = FloatVector.broadcast(S, d);
                skip.fma(FloatVector.fromArray(S, x, row - xStride), sum0).intoArray(y, yAt + e);
                skip.fma(FloatVector.fromArray(S, x, row - xStride + COUNT), sum1).intoArray(y, yAt + e + COUNT);
            }
            for (; e <= width - COUNT; e += COUNT) {
                FloatVector sum = FloatVector.fromArray(S, y, yAt + e);
                for (int t = 0; t < tokens; t++) {
                    sum = FloatVector.broadcast(S, weights[at + t]).fma(FloatVector.fromArray(S, x, xAt + t * xStride + e), sum);
                }
                FloatVector.broadcast(S, d).fma(FloatVector.fromArray(S, x, xAt + (tokens - 1) * xStride + e), sum)
                        .intoArray(y, yAt + e);
            }
            return e;
        }

        static int fade(float decay, float[] x, int at, int count) {
            int i = 0;
            for (; i <= count - COUNT; i += COUNT) {
                FloatVector v = FloatVector.fromArray(S, x, at + i).mul(decay);
                v.blend(0f, v.abs().lt(LEAST)).intoArray(x, at + i);
            }
            return i;
        }

        static int times(float factor, float[] x, int at, float[] to, int toAt, int count) {
            int i = 0;
            for (; i <= count - COUNT; i += COUNT) {
                FloatVector.fromArray(S, x, at + i).mul(factor).intoArray(to, toAt + i);
            }
            return i;
        }

        static int times(float[] x, int at, float[] y, int yAt, float[] to, int toAt, int count) {
            int i = 0;
            for (; i <= count - COUNT; i += COUNT) {
                FloatVector.fromArray(S, x, at + i).mul(FloatVector.fromArray(S, y, yAt + i)).intoArray(to, toAt + i);
            }
            return i;
        }
    }
}
