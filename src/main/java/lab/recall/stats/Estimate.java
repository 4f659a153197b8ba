package lab.recall.stats;

import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * A mean with its 95 % bootstrap interval.
 *
 * <pre>{@code
 * Estimate e = Estimate.mean(values, seed);                  // NaN entries are left out
 * e.mean(), e.low(), e.high(), e.n()
 * }</pre>
 *
 * The interval is the percentile interval of 2,000 resamples (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13).
 *
 * <p>Of one value there is no interval: it is shown as a dash, and both of its ends are the value.
 *
 * @param mean of the values; NaN when there are none
 * @param low  2.5th percentile of the resampled means
 * @param high 97.5th percentile
 * @param n    number of values
 */
public record Estimate(double mean, double low, double high, int n) {
    private static final int RESAMPLES = 2_000;

    /** The mean of the values that are numbers; the same seed gives the same interval. */
    public static Estimate mean(double[] values, long seed) {
        double[] v = Arrays.stream(values).filter(x -> !Double.isNaN(x)).toArray();
        if (v.length == 0) {
            return new Estimate(Double.NaN, Double.NaN, Double.NaN, 0);
        }
        Random random = new Random(seed);
        double[] means = new double[RESAMPLES];
        for (int r = 0; r < RESAMPLES; r++) {
            double sum = 0;
            for (int i = 0; i < v.length; i++) {
                sum += v[random.nextInt(v.length)];
            }
            means[r] = sum / v.length;
        }
        return between(Arrays.stream(v).average().orElseThrow(), means, v.length);
    }

    /**
     * A number computed from cases, such as the harmonic mean of several means, with its interval over resampled cases.
     *
     * @param cases how many
     * @param of    computes it from the numbers of some cases, with repetitions; NaN where it has none
     */
    public static Estimate of(int cases, ToDoubleFunction<int[]> of, long seed) {
        double whole = of.applyAsDouble(IntStream.range(0, cases).toArray());
        if (Double.isNaN(whole)) {
            return new Estimate(Double.NaN, Double.NaN, Double.NaN, 0);
        }
        Random random = new Random(seed);
        double[] resampled = new double[RESAMPLES];
        int[] drawn = new int[cases];
        for (int r = 0; r < RESAMPLES; r++) {
            for (int i = 0; i < cases; i++) {
                drawn[i] = random.nextInt(cases);
            }
            resampled[r] = of.applyAsDouble(drawn);
        }
        return between(whole, resampled, cases);
    }

    /** A draw without a value, as where no case of it was asked what another was, says nothing of the interval. */
    private static Estimate between(double mean, double[] resampled, int n) {
        double[] values = Arrays.stream(resampled).filter(v -> !Double.isNaN(v)).sorted().toArray();
        if (values.length == 0) {
            return new Estimate(mean, Double.NaN, Double.NaN, n);
        }
        return new Estimate(mean, values[(int) (0.025 * values.length)], values[(int) Math.ceil(0.975 * values.length) - 1], n);
    }

    @Override
    public String toString() {
        if (n == 0) {
            return "–";
        }
        String text = n == 1 ? String.format(Locale.ROOT, "%.3f [–]", mean)
                : String.format(Locale.ROOT, "%.3f [%.3f, %.3f]", mean, low, high);
        return text.replace("-0.000", "0.000");
    }
}
