package lab.recall.study;

import lab.recall.stats.Estimate;

/**
 * A number that was found, and what it is of.
 *
 * <pre>{@code
 * new Measured("resid_post/subject_last/3", trace.at(SUBJECT_LAST, 3))
 * }</pre>
 *
 * @param place what was measured, where, and in which layer, with slashes between
 * @param value with its interval
 */
public record Measured(String place, Estimate value) {
    /** One without an interval. */
    public static Measured of(String place, double value, int n) {
        return new Measured(place, new Estimate(value, Double.NaN, Double.NaN, n));
    }
}
