package lab.recall.math;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Every operation's backward against central differences of the same operation written plainly in f64: for random weights g, the gradient
 * of Σ g · out.
 */
class BackwardTest {
    private final Random random = new Random(11);

    private float[] gaussian(int count) {
        float[] x = new float[count];
        for (int i = 0; i < count; i++) {
            x[i] = (float) random.nextGaussian();
        }
        return x;
    }

    private static double[] doubles(float[] x) {
        double[] d = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            d[i] = x[i];
        }
        return d;
    }

    /** Central differences of Σ g · out(x). */
    private static void check(String what, float[] x, float[] g, Function<double[], double[]> op, float[] gradient) {
        double[] at = doubles(x);
        double[] numeric = new double[x.length];
        double norm = 0;
        double error = 0;
        for (int i = 0; i < at.length; i++) {
            double step = 1e-5;
            at[i] = x[i] + step;
            double up = dot(g, op.apply(at));
            at[i] = x[i] - step;
            double down = dot(g, op.apply(at));
            at[i] = x[i];
            numeric[i] = (up - down) / (2 * step);
            norm += numeric[i] * numeric[i];
            error += (numeric[i] - gradient[i]) * (numeric[i] - gradient[i]);
        }
        assertEquals(0, Math.sqrt(error), 1e-5 * Math.sqrt(norm) + 1e-9, what);
    }

    private static double dot(float[] g, double[] out) {
        double sum = 0;
        for (int i = 0; i < out.length; i++) {
            sum += g[i] * out[i];
        }
        return sum;
    }

    private static double[] each(double[] x, DoubleUnaryOperator f) {
        return Arrays.stream(x).map(f).toArray();
    }

    @Test
    void silu() {
        float[] x = gaussian(37);
        float[] g = gaussian(37);
        float[] dX = new float[37];
        Silu.backward(x, 0, 37, 1, 37, g, 0, dX, 0, 37);
        check("silu", x, g, v -> each(v, z -> z / (1 + Math.exp(-z))), dX);
    }

    @Test
    void sigmoidIsTheSlopeOfSoftplus() {
        float[] x = gaussian(37);
        float[] g = gaussian(37);
        float[] dX = x.clone();
        Sigmoid.forward(dX, 0, 37);
        Elementwise.multiply(g, 0, dX, 0, 37);
        check("softplus", x, g, v -> each(v, z -> Math.log1p(Math.exp(z))), dX);
    }

    @Test
    void gelu() {
        float[] x = gaussian(37);
        float[] g = gaussian(37);
        float[] dX = new float[37];
        Gelu.backward(x, 0, 37, g, 0, dX, 0);
        check("gelu", x, g, v -> each(v, z -> z * (0.5 + normalBetween(0, z))), dX);
    }

    @Test
    void geluByItsTangentForm() {
        float[] x = gaussian(37);
        float[] g = gaussian(37);
        float[] dX = new float[37];
        TanhGelu.backward(x, 0, 37, g, 0, dX, 0);
        check("gelu", x, g, v -> each(v, z -> 0.5 * z * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z * z * z)))), dX);
    }

    private static double normalBetween(double from, double to) {
        int steps = 200;
        double h = (to - from) / steps;
        double sum = 0;
        for (int i = 0; i <= steps; i++) {
            double t = from + i * h;
            sum += (i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2) * Math.exp(-t * t / 2);
        }
        return sum * h / 3 / Math.sqrt(2 * Math.PI);
    }

    @Test
    void norms() {
        int rows = 3;
        int width = 19;
        float[] x = gaussian(rows * width);
        float[] w = gaussian(width);
        float[] b = gaussian(width);
        float[] g = gaussian(rows * width);
        float[] dX = new float[x.length];
        float[] dW = new float[width];
        RmsNorm.backward(x, 0, rows, width, w, 1e-5f, g, 0, dX, 0, dW);
        check("rms norm, x", x, g, v -> rms(v, doubles(w), rows, width), dX);
        check("rms norm, weight", w, g, v -> rms(doubles(x), v, rows, width), dW);
        float[] unit = g.clone();
        RmsNorm.unitBackward(x, 0, width, rows, width, 1e-5f, unit, 0);
        double[] ones = new double[width];
        Arrays.fill(ones, 1);
        check("rms norm without weight", x, g, v -> rms(v, ones, rows, width), unit);
        float[] dY = new float[x.length];
        float[] dV = new float[width];
        float[] dB = new float[width];
        LayerNorm.backward(x, 0, rows, width, w, 1e-5f, g, 0, dY, 0, dV, dB);
        check("layer norm, x", x, g, v -> layer(v, doubles(w), doubles(b), rows, width), dY);
        check("layer norm, weight", w, g, v -> layer(doubles(x), v, doubles(b), rows, width), dV);
        check("layer norm, bias", b, g, v -> layer(doubles(x), doubles(w), v, rows, width), dB);
    }

    @Test
    void normsOfGroups() {
        int rows = 2;
        int groups = 3;
        int width = 19;
        float[] x = gaussian(rows * groups * width);
        float[] w = gaussian(groups * width);
        float[] g = gaussian(x.length);
        float[] dX = new float[x.length];
        float[] dW = new float[w.length];
        RmsNorm.backward(x, 0, rows, groups, width, w, 1e-5f, g, 0, dX, 0, dW);
        check("groups, x", x, g, v -> groups(v, doubles(w), rows, groups, width), dX);
        check("groups, weight", w, g, v -> groups(doubles(x), v, rows, groups, width), dW);
    }

    private static double[] groups(double[] x, double[] w, int rows, int groups, int width) {
        double[] out = new double[x.length];
        for (int r = 0; r < rows * groups; r++) {
            int at = r % groups * width;
            System.arraycopy(rms(Arrays.copyOfRange(x, r * width, (r + 1) * width), Arrays.copyOfRange(w, at, at + width), 1, width), 0,
                    out, r * width, width);
        }
        return out;
    }

    private static double[] rms(double[] x, double[] w, int rows, int width) {
        double[] out = new double[x.length];
        for (int r = 0; r < rows; r++) {
            double sum = 0;
            for (int i = 0; i < width; i++) {
                sum += x[r * width + i] * x[r * width + i];
            }
            for (int i = 0; i < width; i++) {
                out[r * width + i] = x[r * width + i] / Math.sqrt(sum / width + 1e-5f) * w[i];
            }
        }
        return out;
    }

    private static double[] layer(double[] x, double[] w, double[] b, int rows, int width) {
        double[] centred = x.clone();
        for (int r = 0; r < rows; r++) {
            double mean = 0;
            for (int i = 0; i < width; i++) {
                mean += x[r * width + i] / width;
            }
            for (int i = 0; i < width; i++) {
                centred[r * width + i] -= mean;
            }
        }
        double[] out = rms(centred, w, rows, width);
        for (int i = 0; i < out.length; i++) {
            out[i] += b[i % width];
        }
        return out;
    }

    @Test
    void convolution() {
        int tokens = 6;
        int taps = 4;
        int channels = 9;
        float[] x = gaussian(tokens * channels);
        float[] w = gaussian(taps * channels);
        float[] b = gaussian(channels);
        float[] g = gaussian(tokens * channels);
        float[] dX = new float[x.length];
        float[] dW = new float[w.length];
        float[] dB = new float[channels];
        CausalConv.backward(g, 0, tokens, taps, channels, w, dX, 0, channels);
        CausalConv.backwardWeights(x, 0, channels, g, 0, tokens, taps, channels, dW, dB);
        check("conv, x", x, g, v -> conv(v, doubles(w), doubles(b), tokens, taps, channels), dX);
        check("conv, weight", w, g, v -> conv(doubles(x), v, doubles(b), tokens, taps, channels), dW);
        check("conv, bias", b, g, v -> conv(doubles(x), doubles(w), v, tokens, taps, channels), dB);
    }

    private static double[] conv(double[] x, double[] w, double[] b, int tokens, int taps, int channels) {
        double[] out = new double[tokens * channels];
        for (int t = 0; t < tokens; t++) {
            for (int e = 0; e < channels; e++) {
                out[t * channels + e] = b[e];
                for (int k = 0; k < taps && k <= t; k++) {
                    out[t * channels + e] += w[(taps - 1 - k) * channels + e] * x[(t - k) * channels + e];
                }
            }
        }
        return out;
    }

    /** All of the scan's gradients, also of a segment that starts from a state. */
    @Test
    void scan() {
        int tokens = 5;
        int channels = 19;
        int states = 3;
        int size = states * channels;
        float[] u = gaussian(tokens * channels);
        float[] delta = gaussian(tokens * channels);
        float[] a = gaussian(size);
        for (int i = 0; i < delta.length; i++) {
            delta[i] = 0.1f + Math.abs(delta[i]);
        }
        for (int i = 0; i < size; i++) {
            a[i] = -0.1f - Math.abs(a[i]);
        }
        float[] bc = gaussian(tokens * 2 * states);
        float[] d = gaussian(channels);
        float[] first = gaussian(size);
        float[] g = gaussian(tokens * channels);
        float[] before = new float[(tokens + 1) * size];
        System.arraycopy(first, 0, before, 0, size);
        float[] decay = new float[tokens * size];
        SelectiveScan.Sizes of = new SelectiveScan.Sizes(tokens, channels, states);
        Rows b = Rows.of(bc, 0, 2 * states);
        Rows c = Rows.of(bc, states, 2 * states);
        SelectiveScan.states(of, Rows.of(u, 0, channels), Rows.of(delta, 0, channels), a, b, Rows.of(before, 0, size),
                Rows.of(before, size, size), Rows.of(decay, 0, size));
        SelectiveScan.Inputs in = new SelectiveScan.Inputs(Rows.of(u, 0, channels), Rows.of(delta, 0, channels), a, b, c, d,
                Rows.of(before, 0, size), Rows.of(decay, 0, size));
        float[] dU = new float[u.length];
        float[] dDelta = new float[u.length];
        float[] dBc = new float[bc.length];
        float[] dA = new float[size];
        float[] dD = new float[channels];
        SelectiveScan.backward(of, in, Rows.of(g, 0, channels), new SelectiveScan.Gradients(Rows.of(dU, 0, channels),
                Rows.of(dDelta, 0, channels), Rows.of(dBc, 0, 2 * states), Rows.of(dBc, states, 2 * states), dA, dD), new float[size]);
        double[] U = doubles(u);
        double[] q = doubles(delta);
        double[] A = doubles(a);
        double[] BC = doubles(bc);
        double[] D = doubles(d);
        check("scan, u", u, g, v -> scan(v, q, A, BC, D, first, tokens, channels, states), dU);
        check("scan, delta", delta, g, v -> scan(U, v, A, BC, D, first, tokens, channels, states), dDelta);
        check("scan, B and C", bc, g, v -> scan(U, q, A, v, D, first, tokens, channels, states), dBc);
        check("scan, A", a, g, v -> scan(U, q, v, BC, D, first, tokens, channels, states), dA);
        check("scan, D", d, g, v -> scan(U, q, A, BC, v, first, tokens, channels, states), dD);

        // compiled code, which stands in sooner or later, must sum in the same order
        float[] again = new float[bc.length];
        for (int i = 0; i < 20_000 && Arrays.equals(dBc, again) == (i > 0); i++) {
            SelectiveScan.backward(of, in, Rows.of(g, 0, channels), new SelectiveScan.Gradients(Rows.of(dU, 0, channels),
                    Rows.of(dDelta, 0, channels), Rows.of(again, 0, 2 * states), Rows.of(again, states, 2 * states), null, null),
                    new float[size]);
        }
        assertArrayEquals(dBc, again, "interpreted and compiled");
    }

    private static double[] scan(double[] u, double[] delta, double[] a, double[] bc, double[] d, float[] first, int tokens, int channels,
            int states) {
        double[] y = new double[tokens * channels];
        for (int e = 0; e < channels; e++) {
            for (int t = 0; t < tokens; t++) {
                y[t * channels + e] = d[e] * u[t * channels + e];
            }
            for (int n = 0; n < states; n++) {
                double h = first[n * channels + e];
                for (int t = 0; t < tokens; t++) {
                    double q = delta[t * channels + e];
                    h = Math.exp(q * a[n * channels + e]) * h + q * u[t * channels + e] * bc[t * 2 * states + n];
                    y[t * channels + e] += h * bc[t * 2 * states + states + n];
                }
            }
        }
        return y;
    }

    /** The second case fills vectors and takes a second block of queries; in the last two, heads share keys and values. */
    @ParameterizedTest
    @CsvSource({"2, 2, 6, 2, 3", "2, 2, 5, 17, 19", "4, 2, 6, 2, 3", "3, 1, 16, 17, 19"})
    void attention(int heads, int keyHeads, int hw, int past, int tokens) {
        Attention.Heads all = Attention.Heads.of(heads, keyHeads, hw);
        int d = heads * hw;
        int kd = keyHeads * hw;
        float[] q = gaussian(tokens * d);
        float[] k = gaussian((past + tokens) * kd);
        float[] v = gaussian((past + tokens) * kd);
        float[] g = gaussian(tokens * d);
        float[] ctx = new float[tokens * d];
        Attention.forward(all, tokens, past, q, 0, d, k, 0, v, 0, kd, k, past * kd, v, past * kd, kd, null, null, 0, ctx, 0, d);
        double[] exact = attention(doubles(q), doubles(k), doubles(v), all, past, tokens);
        for (int i = 0; i < exact.length; i++) {
            assertEquals(exact[i], ctx[i], 1e-6, "ctx " + i);
        }
        int row = d + 2 * kd;
        float[] dQkv = gaussian(tokens * row);
        Attention.backward(all, tokens, past, q, 0, d, k, 0, v, 0, kd, g, 0, d, dQkv, 0, dQkv, d, dQkv, d + kd, row);
        check("attention, q", q, g, x -> attention(x, doubles(k), doubles(v), all, past, tokens), part(dQkv, 0, tokens, d, row));
        float[] own = Arrays.copyOfRange(k, past * kd, k.length);
        check("attention, k", own, g, x -> attention(doubles(q), joined(k, x, past * kd), doubles(v), all, past, tokens),
                part(dQkv, d, tokens, kd, row));
        float[] ownV = Arrays.copyOfRange(v, past * kd, v.length);
        check("attention, v", ownV, g, x -> attention(doubles(q), doubles(k), joined(v, x, past * kd), all, past, tokens),
                part(dQkv, d + kd, tokens, kd, row));
    }

    private static float[] part(float[] all, int at, int rows, int width, int stride) {
        float[] out = new float[rows * width];
        for (int r = 0; r < rows; r++) {
            System.arraycopy(all, r * stride + at, out, r * width, width);
        }
        return out;
    }

    private static double[] joined(float[] whole, double[] own, int at) {
        double[] all = doubles(whole);
        System.arraycopy(own, 0, all, at, own.length);
        return all;
    }

    private static double[] attention(double[] q, double[] k, double[] v, Attention.Heads all, int past, int tokens) {
        int heads = all.count();
        int hw = all.width();
        int d = heads * hw;
        int kd = all.keys() * hw;
        double[] out = new double[tokens * d];
        for (int h = 0; h < heads; h++) {
            for (int t = 0; t < tokens; t++) {
                double[] w = new double[past + t + 1];
                double sum = 0;
                for (int s = 0; s < w.length; s++) {
                    double score = 0;
                    for (int i = 0; i < hw; i++) {
                        score += q[t * d + h * hw + i] * k[s * kd + h / (heads / all.keys()) * hw + i];
                    }
                    w[s] = Math.exp(score / Math.sqrt(hw));
                    sum += w[s];
                }
                for (int s = 0; s < w.length; s++) {
                    for (int i = 0; i < hw; i++) {
                        out[t * d + h * hw + i] += w[s] / sum * v[s * kd + h / (heads / all.keys()) * hw + i];
                    }
                }
            }
        }
        return out;
    }

    @Test
    void rotaryTurnsBack() {
        Rotary rotary = new Rotary(8, 4, 10000);
        float[] x = gaussian(3 * 16);
        float[] turned = x.clone();
        rotary.apply(turned, 0, 16, 3, 5, 2);
        float[] g = gaussian(3 * 16);
        float[] back = g.clone();
        rotary.applyInverse(back, 0, 16, 3, 5, 2);
        double forward = 0;
        double backward = 0;
        for (int i = 0; i < x.length; i++) {
            forward += turned[i] * g[i];
            backward += x[i] * back[i];
        }
        assertEquals(forward, backward, 1e-5, "the inverse is the transpose");
        rotary.applyInverse(turned, 0, 16, 3, 5, 2);
        assertArrayEquals(x, turned, 1e-6f);
    }

    @Test
    void crossEntropyAndOuterProducts() {
        float[] x = gaussian(23);
        float[] dX = new float[23];
        CrossEntropy.backward(x, 0, 23, 7, 2f, dX, 0);
        check("cross-entropy", x, new float[] {2f}, v -> new double[] {Math.log(Arrays.stream(v).map(Math::exp).sum()) - v[7]}, dX);
        float[] a = gaussian(11 * 6);
        float[] b = gaussian(11 * 5);
        float[] sum = new float[30];
        MatMul.addOuter(a, 0, 6, b, 0, 5, 11, 6, 5, sum);
        for (int m = 0; m < 6; m++) {
            for (int n = 0; n < 5; n++) {
                double expected = 0;
                for (int r = 0; r < 11; r++) {
                    expected += (double) a[r * 6 + m] * b[r * 5 + n];
                }
                assertEquals(expected, sum[m * 5 + n], 1e-5);
            }
        }
        PackedMatrix w = PackedMatrix.of(gaussian(35), 7, 5);
        float[] column = new float[7];
        float[] row = new float[5];
        w.transposed().copyRow(3, column, 0);
        for (int o = 0; o < 7; o++) {
            w.copyRow(o, row, 0);
            assertEquals(row[3], column[o]);
        }
    }
}
