package lab.recall.math;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/** Operations against f64, and the promise that a row's numbers never depend on its neighbours. */
class OpsTest {
    private static float[] gaussian(Random random, int count, double scale) {
        float[] x = new float[count];
        for (int i = 0; i < count; i++) {
            x[i] = (float) (random.nextGaussian() * scale);
        }
        return x;
    }

    @Test
    void exponentialWithinTwoUlp() {
        for (int i = 0; i <= 1_000_000; i++) {
            float x = -87f * i / 1_000_000;
            double exact = Math.exp(x);
            assertTrue(Math.abs(Exp.exp(x) - exact) <= 2 * Math.ulp((float) exact), () -> "exp(" + x + ") = " + Exp.exp(x));
        }
        for (float x : new float[] {-87.01f, -88, -104, -1e9f, -Float.MAX_VALUE, Float.NEGATIVE_INFINITY}) {
            assertEquals(0f, Exp.exp(x), "exp(" + x + ")");
        }
        assertTrue(Float.isNaN(Exp.exp(Float.NaN)), "NaN stays NaN");
    }

    @Test
    void powerOfTwoWithinTwoUlpAndNeverLess() {
        for (int i = 0; i <= 1_000_000; i++) {
            float v = -125f * i / 1_000_000;
            double exact = Math.pow(2, v);
            assertTrue(Math.abs(Exp.exp2(v) - exact) <= 2 * Math.ulp((float) exact), () -> "2^" + v + " = " + Exp.exp2(v));
        }
        for (float v : new float[] {-125.01f, -126, -150, -1e9f, -1e30f, -Float.MAX_VALUE}) {
            assertEquals(0f, Exp.exp2(v), 5e-38f, "2^" + v);
            assertTrue(Exp.exp2(v) > 0, "2^" + v);
        }
        assertTrue(Float.isNaN(Exp.exp2(Float.NaN)), "NaN stays NaN");
    }

    @Test
    void transposeMovesEveryEntryAndNoOther() {
        Random random = new Random(3);
        Transpose.of(null, 0, 8, 0, 8, new float[8], 0, 1);         // attention without a past has no array for it
        for (int[] shape : new int[][] {{0, 5}, {1, 16}, {15, 3}, {16, 16}, {33, 17}, {128, 64}}) {
            int rows = shape[0];
            int width = shape[1];
            int stride = width + 2;
            int outStride = rows + 3;
            float[] x = gaussian(random, 4 + rows * stride, 1);
            float[] out = new float[5 + width * outStride];
            Transpose.of(x, 4, stride, rows, width, out, 5, outStride);
            for (int i = -5; i < out.length - 5; i++) {
                int r = Math.floorMod(i, outStride);
                float expected = i >= 0 && r < rows ? x[4 + r * stride + i / outStride] : 0;
                assertEquals(expected, out[5 + i], rows + " x " + width + ", at " + i);
            }
        }
    }

    @Test
    void functionsAgreeWithDoublesAndWithThemselvesInAnyLane() {
        float[] x = gaussian(new Random(2), 4_099, 6);
        x[0] = -100;
        x[1] = 100;
        x[2] = 0;
        check("silu", x, v -> v / (1 + Math.exp(-v)), (in, n, out) -> Silu.forward(in, 0, n, 1, n, out, 0));
        check("softplus", x, v -> Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))), (in, n, out) -> {
            System.arraycopy(in, 0, out, 0, n);
            Softplus.forward(out, 0, 1, n);
        });
        check("gelu", x, v -> v * normal(v), (in, n, out) -> Gelu.forward(in, 0, n, out, 0));
        check("gelu by its tangent form", x, v -> 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v))),
                (in, n, out) -> TanhGelu.forward(in, 0, n, out, 0));
        float[] ones = new float[x.length];
        Arrays.fill(ones, 1f);
        check("gate", x, v -> v / (1 + Math.exp(-v)), (in, n, out) -> Gate.forward(ones, 0, in, 0, n, 1, n, out, 0));
    }

    /** The normal distribution's integral, by Simpson's rule. */
    private static double normal(double v) {
        int steps = 2000;
        double to = Math.max(-12, Math.min(12, v));
        double h = (to + 12) / steps;
        double sum = 0;
        for (int i = 0; i <= steps; i++) {
            double t = -12 + i * h;
            sum += (i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2) * Math.exp(-t * t / 2);
        }
        return sum * h / 3 / Math.sqrt(2 * Math.PI);
    }

    private interface Op {
        void apply(float[] in, int count, float[] out);
    }

    private static void check(String name, float[] x, DoubleUnaryOperator exact, Op op) {
        float[] all = new float[x.length];
        op.apply(x, x.length, all);
        float[] one = new float[1];
        for (int i = 0; i < x.length; i++) {
            double e = exact.applyAsDouble(x[i]);
            assertEquals(e, all[i], 1e-6 * Math.max(1e-2, Math.abs(e)) + 3e-7, name + "(" + x[i] + ")");
            op.apply(new float[] {x[i]}, 1, one);
            assertEquals(one[0], all[i], name + " alone and among others, at " + x[i]);
        }
    }

    @Test
    void theScanGoesOnFromAState() {
        Random random = new Random(3);
        int tokens = 11;
        int channels = 77;
        int states = 5;
        float[] u = gaussian(random, tokens * channels, 1);
        float[] delta = gaussian(random, tokens * channels, 1);
        for (int i = 0; i < delta.length; i++) {
            delta[i] = Math.abs(delta[i]);
        }
        float[] a = gaussian(random, states * channels, 3);
        for (int i = 0; i < a.length; i++) {
            a[i] = -Math.abs(a[i]);
        }
        a[7] = -3e8f;
        a[8] = -Float.MAX_VALUE;
        float[] bc = gaussian(random, tokens * 2 * states, 1);
        float[] d = gaussian(random, channels, 1);
        float[] state = new float[states * channels];
        float[] y = new float[tokens * channels];
        Rows b = Rows.of(bc, 0, 2 * states);
        Rows c = Rows.of(bc, states, 2 * states);
        SelectiveScan.Sizes of = new SelectiveScan.Sizes(tokens, channels, states);
        SelectiveScan.forward(of, Rows.of(u, 0, channels), Rows.of(delta, 0, channels), a, b, c, d, state, Rows.of(y, 0, channels));
        double[] exact = scan(tokens, channels, states, u, delta, a, bc, d);
        for (int i = 0; i < y.length; i++) {
            assertEquals(exact[i], y[i], 1e-4 * Math.max(1, Math.abs(exact[i])));
        }
        float[] resumed = new float[states * channels];
        float[] parts = new float[tokens * channels];
        SelectiveScan.forward(new SelectiveScan.Sizes(4, channels, states), Rows.of(u, 0, channels), Rows.of(delta, 0, channels), a, b, c,
                d, resumed, Rows.of(parts, 0, channels));
        float[] all = new float[tokens * states * channels];
        int size = states * channels;
        SelectiveScan.states(of, Rows.of(u, 0, channels), Rows.of(delta, 0, channels), a, b, Rows.of(new float[size], 0, size),
                Rows.of(all, 0, size));
        assertArrayEquals(resumed, Arrays.copyOfRange(all, 3 * states * channels, 4 * states * channels), "states on the way");
        SelectiveScan.forward(new SelectiveScan.Sizes(tokens - 4, channels, states), Rows.of(u, 4 * channels, channels),
                Rows.of(delta, 4 * channels, channels), a, Rows.of(bc, 8 * states, 2 * states), Rows.of(bc, 9 * states, 2 * states), d,
                resumed, Rows.of(parts, 4 * channels, channels));
        assertArrayEquals(y, parts, "in two parts as in one");
        assertArrayEquals(state, resumed);
    }

    private static double[] scan(int tokens, int channels, int states, float[] u, float[] delta, float[] a, float[] bc, float[] d) {
        double[] y = new double[tokens * channels];
        for (int e = 0; e < channels; e++) {
            double[] h = new double[states];
            for (int t = 0; t < tokens; t++) {
                double q = delta[t * channels + e];
                y[t * channels + e] = d[e] * u[t * channels + e];
                for (int n = 0; n < states; n++) {
                    h[n] = Math.exp(q * a[n * channels + e]) * h[n] + q * u[t * channels + e] * bc[t * 2 * states + n];
                    y[t * channels + e] += h[n] * bc[t * 2 * states + states + n];
                }
            }
        }
        return y;
    }

    @Test
    void parallelWorkIsDoneOnceAndFailuresComeBack() {
        int threads = Parallel.threads();
        for (int n : new int[] {1, 2, 5}) {
            Parallel.setThreads(n);
            AtomicInteger[] done = new AtomicInteger[1000];
            Arrays.setAll(done, i -> new AtomicInteger());
            Parallel.forEach(done.length, i -> Parallel.forEach(2, j -> done[i].incrementAndGet()));
            assertTrue(Arrays.stream(done).allMatch(d -> d.get() == 2), "each item once, nested ones too");
            assertThrows(IllegalStateException.class, () -> Parallel.forEach(100, i -> {
                if (i == 50) {
                    throw new IllegalStateException();
                }
            }));
        }
        Parallel.setThreads(2);
        Thread.currentThread().interrupt();
        AtomicInteger count = new AtomicInteger();
        assertThrows(CancellationException.class, () -> Parallel.forEach(1_000_000, i -> count.incrementAndGet()));
        assertTrue(Thread.interrupted(), "the flag is still set");
        assertTrue(count.get() < 1_000_000, "stopped early");
        Parallel.setThreads(threads);
        assertThrows(IllegalArgumentException.class, () -> Parallel.setThreads(0));
    }
}
