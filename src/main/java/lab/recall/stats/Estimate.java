package lab.recall.stats;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import org.apache.commons.math3.distribution.BetaDistribution;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.apache.commons.math3.distribution.TDistribution;

/**
 * A mean with its 95 % interval.
 *
 * <pre>{@code
 * Estimate.share(25, 25)                                     // 1.000 [0.863, 1.000], exact
 * Estimate.share(values)                                     // of cases that are met, not met, or met in part; NaN is left out
 * Estimate.clustered(effects, relations, seed)               // whole relations are drawn
 * Estimate.mean(values, seed)                                // cases that have nothing in common
 * e.mean(), e.low(), e.high(), e.n()
 * }</pre>
 *
 * Shares have Clopper and Pearson's interval (Biometrika 26, 1934). Means have the percentile interval of 2,000 resamples, whose ends lie
 * further out the fewer there are to draw from, as Student's t does beside the normal: z = sqrt(n / (n - 1)) t (Hesterberg, The American
 * Statistician 69, 2015: the expanded percentile interval). No interval knows of other seeds, nor of other tests.
 *
 * <p>Of one value there is no interval: it is shown as a dash, and both of its ends are the value.
 *
 * @param mean of the values; NaN when there are none
 * @param low  end of the interval
 * @param high its other end
 * @param n    number of values
 */
public record Estimate(double mean, double low, double high, int n) {
    private static final int RESAMPLES = 2_000;
    private static final double TAIL = 0.025;

    /** A number without an error, such as a published one. */
    public static Estimate exactly(double value) {
        return new Estimate(value, value, value, Double.isNaN(value) ? 0 : 1);
    }

    /** The mean of the values that are numbers; the same seed gives the same interval. */
    public static Estimate mean(double[] values, long seed) {
        double[] v = Arrays.stream(values).filter(x -> !Double.isNaN(x)).toArray();
        return drawn(v, IntStream.rangeClosed(1, v.length).map(i -> 1).toArray(), v.length, seed);
    }

    /**
     * The same where cases of a cluster, such as a relation, are alike: whole clusters are drawn. Within one cluster alone its cases are.
     *
     * @throws BadRequest when there are not as many clusters as values
     */
    public static Estimate clustered(double[] values, List<String> clusters, long seed) {
        if (values.length != clusters.size()) {
            throw new BadRequest("", values.length + " values of cases of " + clusters.size() + " clusters, expected as many");
        }
        Map<String, List<Double>> all = new LinkedHashMap<>();
        for (int i = 0; i < values.length; i++) {
            if (!Double.isNaN(values[i])) {
                all.computeIfAbsent(clusters.get(i), c -> new ArrayList<>()).add(values[i]);
            }
        }
        if (all.size() < 2) {
            return mean(values, seed);
        }
        double[] sums = all.values().stream().mapToDouble(c -> c.stream().mapToDouble(v -> v).sum()).toArray();
        int[] sizes = all.values().stream().mapToInt(List::size).toArray();
        return drawn(sums, sizes, IntStream.of(sizes).sum(), seed);
    }

    /** Draws clusters with repetition, each by the sum of its values and their number. */
    private static Estimate drawn(double[] sums, int[] sizes, int n, long seed) {
        if (n == 0) {
            return exactly(Double.NaN);
        }
        Random random = new Random(seed);
        double[] means = new double[RESAMPLES];
        for (int r = 0; r < RESAMPLES; r++) {
            double sum = 0;
            int size = 0;
            for (int i = 0; i < sums.length; i++) {
                int drawn = random.nextInt(sums.length);
                sum += sums[drawn];
                size += sizes[drawn];
            }
            means[r] = sum / size;
        }
        return between(Arrays.stream(sums).sum() / n, means, sums.length, n);
    }

    /**
     * A number computed from cases, such as a rank correlation, with its interval over resampled cases.
     *
     * @param cases how many
     * @param of    computes it from the numbers of some cases, with repetitions; NaN where it has none
     */
    public static Estimate of(int cases, ToDoubleFunction<int[]> of, long seed) {
        double whole = of.applyAsDouble(IntStream.range(0, cases).toArray());
        if (Double.isNaN(whole)) {
            return exactly(Double.NaN);
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
        return between(whole, resampled, cases, cases);
    }

    /** A draw without a value, as where no case of it was asked what another was, says nothing of the interval. */
    private static Estimate between(double mean, double[] resampled, int units, int n) {
        double[] values = Arrays.stream(resampled).filter(v -> !Double.isNaN(v)).sorted().toArray();
        if (values.length == 0) {
            return new Estimate(mean, Double.NaN, Double.NaN, n);
        }
        double tail = tail(units);
        return new Estimate(mean, values[(int) (tail * values.length)], values[(int) Math.ceil((1 - tail) * values.length) - 1], n);
    }

    /** Which share of the resamples lies beyond each end. */
    private static double tail(int units) {
        return units < 2 ? TAIL : new NormalDistribution(null, 0, 1).cumulativeProbability(
                Math.sqrt(units / (units - 1.0)) * new TDistribution(null, units - 1).inverseCumulativeProbability(TAIL));
    }

    /**
     * The share of so many of n, with its exact interval.
     *
     * @throws BadRequest if it is below 0 or above n, or n is below 0
     */
    public static Estimate share(int of, int n) {
        if (n < 0 || of < 0 || of > n) {
            throw new BadRequest("", of + " of " + n + " is no share");
        }
        return beta(of, n, TAIL);
    }

    /**
     * The mean of values from 0 to 1, each the share of its case that is met; NaN is left out. Where cases are met wholly or not at all,
     * the interval is exact; a case that is met in part scatters less than it allows for, so that it is rather too wide.
     *
     * @throws BadRequest if a value is below 0 or above 1
     */
    public static Estimate share(double[] values) {
        return shared(values, TAIL);
    }

    /** The same with an interval of another level, such as that of each of several shares that are to be right together. */
    public static Estimate share(double[] values, double level) {
        return shared(values, (1 - level) / 2);
    }

    /**
     * A share that is known of so many cases, such as a published one.
     *
     * @throws BadRequest if it is below 0 or above 1
     */
    public static Estimate share(double share, int n, double level) {
        if (!(share >= 0 && share <= 1)) {
            throw new BadRequest("", share + " is no share, expected a number from 0 to 1");
        }
        return beta(share * n, n, (1 - level) / 2);
    }

    private static Estimate shared(double[] values, double tail) {
        double[] v = Arrays.stream(values).filter(x -> !Double.isNaN(x)).toArray();
        double wrong = Arrays.stream(v).filter(x -> x < 0 || x > 1).findFirst().orElse(0);
        if (wrong != 0) {
            throw new BadRequest("", wrong + " is no share of a case, expected a number from 0 to 1");
        }
        return beta(Arrays.stream(v).sum(), v.length, tail);
    }

    private static Estimate beta(double met, int n, double tail) {
        if (n == 0) {
            return exactly(Double.NaN);
        }
        double low = met <= 0 ? 0 : new BetaDistribution(null, met, n - met + 1).inverseCumulativeProbability(tail);
        double high = met >= n ? 1 : new BetaDistribution(null, met + 1, n - met).inverseCumulativeProbability(1 - tail);
        return new Estimate(met / n, low, high, n);
    }

    @Override
    public String toString() {
        if (n == 0) {
            return "–";
        }
        String text = n == 1 && low == high ? String.format(Locale.ROOT, "%.3f [–]", mean)
                : String.format(Locale.ROOT, "%.3f [%.3f, %.3f]", mean, low, high);
        return text.replace("-0.000", "0.000");
    }
}
