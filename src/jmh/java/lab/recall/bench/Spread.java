package lab.recall.bench;

import java.util.Arrays;

/** The middle of some times, and how far apart they lie. */
final class Spread {
    private Spread() {
    }

    static double median(double[] times) {
        return quantile(times, 0.5);
    }

    /** From the first quartile to the third, as a share of the median. */
    static double of(double[] times) {
        return (quantile(times, 0.75) - quantile(times, 0.25)) / median(times);
    }

    private static double quantile(double[] times, double share) {
        double[] sorted = times.clone();
        Arrays.sort(sorted);
        double at = share * (sorted.length - 1);
        int below = (int) at;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    }
}
