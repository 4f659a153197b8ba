package lab.recall.math;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The scan with one decay a head, against the same recurrence written plainly in f64. */
class HeadScanTest {
    private static final int TOKENS = 11;

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
        final int stride;
        final float[] rows;
        final float[] delta;
        final float[] a;
        final float[] d;
        final float[] first;

        Case(int heads, int width, int states, int groups) {
            s = new HeadScan.Sizes(heads, width, states, groups);
            stride = s.inner() + 2 * s.shared();
            rows = gaussian(TOKENS * stride, x -> { });
            delta = gaussian(TOKENS * heads, x -> positive(x, 1));
            a = gaussian(heads, x -> positive(x, -1));
            d = gaussian(heads, x -> { });
            first = gaussian(s.size(), x -> { });
        }

        private void positive(float[] x, int sign) {
            for (int i = 0; i < x.length; i++) {
                x[i] = sign * (0.1f + Math.abs(x[i]));
            }
        }

        void forward(int from, int to, float[] state, float[] y) {
            int b = from * stride + s.inner();
            HeadScan.forward(s, to - from, rows, from * stride, stride, delta, from * s.heads(), a, rows, b, b + s.shared(), stride, d,
                    state, 0, y, from * s.inner());
        }

        /** y in f64. */
        double[] exact() {
            double[] y = new double[TOKENS * s.inner()];
            for (int h = 0; h < s.heads(); h++) {
                int g = h / (s.heads() / s.groups()) * s.states();
                for (int p = 0; p < s.width(); p++) {
                    int e = h * s.width() + p;
                    for (int n = 0; n < s.states(); n++) {
                        double state = first[(h * s.states() + n) * s.width() + p];
                        for (int t = 0; t < TOKENS; t++) {
                            double q = delta[t * s.heads() + h];
                            int row = t * stride;
                            state = Math.exp(q * a[h]) * state + q * rows[row + e] * (double) rows[row + s.inner() + g + n];
                            y[t * s.inner() + e] += state * rows[row + s.inner() + s.shared() + g + n];
                        }
                    }
                    for (int t = 0; t < TOKENS; t++) {
                        y[t * s.inner() + e] += (double) d[h] * rows[t * stride + e];
                    }
                }
            }
            return y;
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1,1,1", "4,19,3,2", "6,32,5,3", "3,8,16,1"})
    void inOnePartOrTwo(int heads, int width, int states, int groups) {
        Case c = new Case(heads, width, states, groups);
        float[] state = c.first.clone();
        float[] y = new float[TOKENS * c.s.inner()];
        c.forward(0, TOKENS, state, y);
        double[] exact = c.exact();
        for (int i = 0; i < y.length; i++) {
            assertEquals(exact[i], y[i], 1e-5 * Math.max(1, Math.abs(exact[i])), "y " + i);
        }
        float[] resumed = c.first.clone();
        float[] parts = new float[y.length];
        c.forward(0, 3, resumed, parts);
        c.forward(3, TOKENS, resumed, parts);
        assertArrayEquals(y, parts, "in two parts as in one");
        assertArrayEquals(state, resumed);
        float[] advanced = c.first.clone();
        HeadScan.advance(c.s, TOKENS, c.rows, 0, c.stride, c.delta, 0, c.a, c.rows, c.s.inner(), c.stride, advanced, 0);
        assertArrayEquals(state, advanced, "without y");
        float[] all = new float[TOKENS * c.s.size()];
        HeadScan.states(c.s, TOKENS, c.rows, 0, c.stride, c.delta, 0, c.a, c.rows, c.s.inner(), c.stride, c.first, 0, all, 0,
                new float[TOKENS * heads]);
        assertArrayEquals(state, Arrays.copyOfRange(all, all.length - c.s.size(), all.length), "states on the way");
        int threads = Parallel.threads();
        try {
            Parallel.setThreads(3);
            float[] others = new float[y.length];
            c.forward(0, TOKENS, c.first.clone(), others);
            assertArrayEquals(y, others, "three threads");
        } finally {
            Parallel.setThreads(threads);
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1,1,1", "4,19,3,2", "2,32,2,1"})
    void backward(int heads, int width, int states, int groups) {
        Case c = new Case(heads, width, states, groups);
        HeadScan.Sizes s = c.s;
        float[] g = gaussian(TOKENS * s.inner(), x -> { });
        float[] before = Arrays.copyOf(c.first, (TOKENS + 1) * s.size());
        float[] decays = new float[TOKENS * heads];
        HeadScan.states(s, TOKENS, c.rows, 0, c.stride, c.delta, 0, c.a, c.rows, s.inner(), c.stride, before, 0, before, s.size(), decays);
        float[] dRows = new float[c.rows.length];
        float[] dDelta = new float[c.delta.length];
        float[] dA = new float[heads];
        float[] dD = new float[heads];
        int b = s.inner();
        HeadScan.backward(s, TOKENS, c.rows, 0, c.stride, c.delta, 0, c.a, c.rows, b, b + s.shared(), c.stride, c.d, before, 0, decays, 0,
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
