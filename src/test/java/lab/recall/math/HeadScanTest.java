package lab.recall.math;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The scan with one decay a head, by products and token by token, against the recurrence written plainly in f64. */
class HeadScanTest {
    private final Random random = new Random(3);

    private float[] gaussian(int count, Consumer<float[]> then) {
        float[] x = new float[count];
        for (int i = 0; i < count; i++) {
            x[i] = (float) random.nextGaussian();
        }
        then.accept(x);
        return x;
    }

    /** All that a scan reads: x, B and C in rows [x | B | C]. */
    private final class Case {
        final HeadScan.Sizes s;
        final int tokens;
        final int stride;
        final int b;
        final int c;
        final float[] rows;
        final float[] delta;
        final float[] a;
        final float[] d;
        final float[] first;

        Case(int tokens, int heads, int width, int states, int groups) {
            this.tokens = tokens;
            s = new HeadScan.Sizes(heads, width, states, groups);
            stride = s.inner() + 2 * s.shared();
            b = s.inner();
            c = b + s.shared();
            rows = gaussian(tokens * stride, x -> { });
            delta = gaussian(tokens * heads, x -> positive(x, 1));
            a = gaussian(heads, x -> positive(x, -1));
            d = gaussian(heads, x -> { });
            first = gaussian(s.size(), x -> { });
        }

        private void positive(float[] x, int sign) {
            for (int i = 0; i < x.length; i++) {
                x[i] = sign * (0.1f + Math.abs(x[i]));
            }
        }

        /** y of tokens of the chunk that begins at {@code chunk}. */
        void read(int chunk, int from, int to, float[] state, float[] y) {
            int at = chunk * stride;
            ChunkedScan.read(s, from - chunk, to - from, rows, at, stride, rows, at + b, stride, rows, from * stride + c, stride,
                    delta, chunk * s.heads(), a, d, state, y, from * s.inner());
        }

        void close(int from, int to, float[] state, boolean resume) {
            int at = from * stride;
            ChunkedScan.close(s, to - from, rows, at, stride, rows, at + b, stride, delta, from * s.heads(), a, state, resume);
        }

        void advance(int count, float[] state) {
            HeadScan.advance(s, count, rows, 0, stride, delta, 0, a, rows, b, stride, state, 0);
        }

        /** y in f64. */
        double[] exact() {
            double[] y = new double[tokens * s.inner()];
            for (int h = 0; h < s.heads(); h++) {
                int g = h / (s.heads() / s.groups()) * s.states();
                for (int p = 0; p < s.width(); p++) {
                    int e = h * s.width() + p;
                    for (int n = 0; n < s.states(); n++) {
                        double state = first[(h * s.states() + n) * s.width() + p];
                        for (int t = 0; t < tokens; t++) {
                            double q = delta[t * s.heads() + h];
                            int row = t * stride;
                            state = Math.exp(q * a[h]) * state + q * rows[row + e] * (double) rows[row + s.inner() + g + n];
                            y[t * s.inner() + e] += state * rows[row + s.inner() + s.shared() + g + n];
                        }
                    }
                    for (int t = 0; t < tokens; t++) {
                        y[t * s.inner() + e] += (double) d[h] * rows[t * stride + e];
                    }
                }
            }
            return y;
        }
    }

    private static void close(String what, double[] exact, float[] found, int from) {
        for (int i = from; i < exact.length; i++) {
            assertEquals(exact[i], found[i], 1e-5 * Math.max(1, Math.abs(exact[i])), what + " " + i);
        }
    }

    /** Wherever chunks begin, to rounding; wherever tokens come together in them, to the last bit. */
    @ParameterizedTest
    @CsvSource({"1,1,1,1", "4,19,3,2", "6,32,5,3", "3,8,16,1"})
    void byProducts(int heads, int width, int states, int groups) {
        Case c = new Case(37, heads, width, states, groups);
        float[] y = new float[c.tokens * c.s.inner()];
        c.read(0, 0, c.tokens, c.first, y);
        close("y", c.exact(), y, 0);
        float[] parts = new float[y.length];
        for (int[] part : new int[][] {{0, 3}, {3, 4}, {4, 21}, {21, 37}}) {
            c.read(0, part[0], part[1], c.first, parts);
        }
        assertArrayEquals(y, parts, "in parts as in one");
        float[] state = c.first.clone();
        c.close(0, 5, state, true);
        c.close(5, 7, state, true);
        c.read(7, 7, c.tokens, state, parts);
        close("y of a third chunk", c.exact(), parts, 7 * c.s.inner());
        int threads = Parallel.threads();
        try {
            Parallel.setThreads(3);
            float[] others = new float[y.length];
            c.read(0, 0, c.tokens, c.first, others);
            assertArrayEquals(y, others, "three threads");
        } finally {
            Parallel.setThreads(threads);
        }
        Arrays.fill(c.first, 0f);
        Arrays.fill(state, Float.NaN);
        c.close(0, 7, state, false);
        c.read(0, 0, 7, null, parts);
        c.read(7, 7, c.tokens, state, parts);
        close("y from nothing", c.exact(), parts, 0);
        float[] sum = new float[y.length];
        for (int source = 0; source < c.tokens; source++) {
            float[] terms = new float[(c.tokens - source) * c.s.inner()];
            int at = source * c.stride;
            ChunkedScan.terms(c.s, c.tokens - source, c.rows, at, c.rows, at + c.b, c.rows, at + c.c, c.stride, c.delta, source * heads,
                    c.a, terms);
            for (int i = 0; i < terms.length; i++) {
                sum[source * c.s.inner() + i] += terms[i];
            }
        }
        for (int i = 0; i < sum.length; i++) {
            sum[i] += c.d[i % c.s.inner() / width] * c.rows[i / c.s.inner() * c.stride + i % c.s.inner()];
        }
        close("terms", c.exact(), sum, 0);
    }

    /** What a token reads no later one touches, were it infinite. */
    @Test
    void nothingComesFromLaterTokens() {
        Case c = new Case(20, 2, 16, 8, 1);
        float[] y = new float[c.tokens * c.s.inner()];
        c.read(0, 0, c.tokens, c.first, y);
        Arrays.fill(c.rows, 9 * c.stride, c.rows.length, Float.NaN);
        float[] broken = new float[y.length];
        c.read(0, 0, c.tokens, c.first, broken);
        assertArrayEquals(Arrays.copyOf(y, 9 * c.s.inner()), Arrays.copyOf(broken, 9 * c.s.inner()));
        assertTrue(Float.isNaN(broken[9 * c.s.inner()]));
    }

    @ParameterizedTest
    @CsvSource({"1,1,1,1", "4,19,3,2", "6,32,5,3", "3,8,16,1"})
    void tokenByToken(int heads, int width, int states, int groups) {
        Case c = new Case(11, heads, width, states, groups);
        float[] state = c.first.clone();
        float[] term = new float[state.length];
        float[] y = new float[c.tokens * c.s.inner()];
        for (int t = 0; t < c.tokens; t++) {
            int row = t * c.stride;
            HeadScan.write(c.s, c.rows, row, c.delta, t * heads, c.rows, row + c.b, term);
            HeadScan.advance(c.s, c.delta, t * heads, c.a, term, state);
            HeadScan.read(c.s, c.rows, row, c.rows, row + c.c, c.d, state, y, t * c.s.inner());
        }
        close("y", c.exact(), y, 0);
        float[] advanced = c.first.clone();
        c.advance(c.tokens, advanced);
        assertArrayEquals(state, advanced, "without y");
        float[] all = new float[c.tokens * c.s.size()];
        HeadScan.states(c.s, c.tokens, c.rows, 0, c.stride, c.delta, 0, c.a, c.rows, c.b, c.stride, c.first, 0, all, 0,
                new float[c.tokens * heads]);
        assertArrayEquals(state, Arrays.copyOfRange(all, all.length - c.s.size(), all.length), "states on the way");
        float[] closed = c.first.clone();
        c.close(0, c.tokens, closed, true);
        for (int i = 0; i < closed.length; i++) {
            assertEquals(state[i], closed[i], 1e-5 * Math.max(1, Math.abs(state[i])), "state " + i);
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1,1,1", "4,19,3,2", "2,32,2,1"})
    void backward(int heads, int width, int states, int groups) {
        Case c = new Case(11, heads, width, states, groups);
        HeadScan.Sizes s = c.s;
        float[] g = gaussian(c.tokens * s.inner(), x -> { });
        float[] before = Arrays.copyOf(c.first, (c.tokens + 1) * s.size());
        float[] decays = new float[c.tokens * heads];
        HeadScan.states(s, c.tokens, c.rows, 0, c.stride, c.delta, 0, c.a, c.rows, s.inner(), c.stride, before, 0, before, s.size(),
                decays);
        float[] dRows = new float[c.rows.length];
        float[] dDelta = new float[c.delta.length];
        float[] dA = new float[heads];
        float[] dD = new float[heads];
        int b = s.inner();
        HeadScan.backward(s, c.tokens, c.rows, 0, c.stride, c.delta, 0, c.a, c.rows, b, b + s.shared(), c.stride, c.d, before, 0, decays, 0,
                g, 0, dRows, 0, c.stride, dDelta, 0, dRows, b, b + s.shared(), c.stride, dA, dD, new float[s.size()]);
        differences("x, B and C", c, c.rows, g, dRows);
        differences("delta", c, c.delta, g, dDelta);
        differences("a", c, c.a, g, dA);
        differences("D", c, c.d, g, dD);
    }

    /** Central differences of the f64 form, in steps that f32 holds exactly enough. */
    private static void differences(String what, Case c, float[] x, float[] g, float[] gradient) {
        double norm = 0;
        double error = 0;
        for (int i = 0; i < x.length; i++) {
            float at = x[i];
            x[i] = at + 1e-3f;
            double high = x[i];
            double up = dot(g, c.exact());
            x[i] = at - 1e-3f;
            double slope = (up - dot(g, c.exact())) / (high - x[i]);
            x[i] = at;
            norm += slope * slope;
            error += (slope - gradient[i]) * (slope - gradient[i]);
        }
        assertEquals(0, Math.sqrt(error), 1e-3 * Math.sqrt(norm), what);
    }

    private static double dot(float[] g, double[] y) {
        double sum = 0;
        for (int i = 0; i < y.length; i++) {
            sum += g[i] * y[i];
        }
        return sum;
    }
}
