package lab.recall.stats;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;

/**
 * What each case gives at each place, such as a layer, with the cluster that each case is of, such as its relation.
 *
 * <pre>{@code
 * var s = new Samples(effects, relations);                   // [layer][pair]; NaN where a pair has none
 * s.at(4)                                                    // mean and interval, whole relations drawn
 * s.highest(2, 3, 4), s.minus(other).at(4), s.highestMinus(ofAnotherModel)
 * Samples.published(curve)                                   // numbers without an error
 * }</pre>
 */
public final class Samples {
    private static final long SEED = 1;

    private final double[][] values;
    private final List<String> clusters;
    private final Estimate[] estimates;

    /**
     * @param values   [place][case]
     * @param clusters one a case
     */
    public Samples(double[][] values, List<String> clusters) {
        this.values = values;
        this.clusters = List.copyOf(clusters);
        this.estimates = Arrays.stream(values).map(this::estimate).toArray(Estimate[]::new);
    }

    /** Of one case that is known without an error. */
    public static Samples published(double... curve) {
        return new Samples(Arrays.stream(curve).mapToObj(v -> new double[] {v}).toArray(double[][]::new), List.of(""));
    }

    private Estimate estimate(double[] cases) {
        return Estimate.clustered(cases, clusters, SEED);
    }

    /** How many places. */
    public int places() {
        return values.length;
    }

    /** What each case gives at a place; NaN where it has none. */
    public double[] cases(int place) {
        return values[place].clone();
    }

    /** Mean and interval at a place. */
    public Estimate at(int place) {
        return estimates[place];
    }

    /** Mean and interval at each place. */
    public Estimate[] estimates() {
        return estimates.clone();
    }

    /** Means by place. */
    public double[] means() {
        return Arrays.stream(estimates).mapToDouble(Estimate::mean).toArray();
    }

    /** Lower ends by place. */
    public double[] lows() {
        return Arrays.stream(estimates).mapToDouble(Estimate::low).toArray();
    }

    /** Upper ends by place. */
    public double[] highs() {
        return Arrays.stream(estimates).mapToDouble(Estimate::high).toArray();
    }

    /** Case by case the mean over some places. */
    public Estimate mean(int... places) {
        return estimate(IntStream.range(0, clusters.size()).mapToDouble(i -> of(i, places)).toArray());
    }

    /** Case by case, by how much the mean over some places is above that over others. */
    public static Estimate difference(Samples s, int[] more, int[] less) {
        return s.estimate(IntStream.range(0, s.clusters.size()).mapToDouble(i -> s.of(i, more) - s.of(i, less)).toArray());
    }

    private double of(int one, int[] places) {
        return IntStream.of(places).mapToDouble(p -> values[p][one]).average().orElse(Double.NaN);
    }

    /** These less the sum of others of the same cases, case by case. */
    public Samples minus(Samples... others) {
        double[][] rest = Arrays.stream(values).map(double[]::clone).toArray(double[][]::new);
        for (Samples other : others) {
            if (!other.clusters.equals(clusters) || other.values.length != values.length) {
                throw new BadRequest("", "a difference needs samples of the same cases at the same places");
            }
            for (int p = 0; p < rest.length; p++) {
                for (int i = 0; i < rest[p].length; i++) {
                    rest[p][i] -= other.values[p][i];
                }
            }
        }
        return new Samples(rest, clusters);
    }

    /** How much more each place has than the first, case by case. */
    public Samples sinceFirst() {
        return less(values[0]);
    }

    /** How much more the last place has than each, case by case. */
    public Samples toLast() {
        Samples less = less(values[values.length - 1]);
        return new Samples(Arrays.stream(less.values).map(p -> Arrays.stream(p).map(v -> -v).toArray()).toArray(double[][]::new), clusters);
    }

    private Samples less(double[] one) {
        return new Samples(Arrays.stream(values).map(p -> IntStream.range(0, p.length).mapToDouble(i -> p[i] - one[i]).toArray())
                .toArray(double[][]::new), clusters);
    }

    /** The largest mean among some places, which are all if none is named: each case at the place that is best of other cases. */
    public Estimate highest(int... places) {
        return of(this, chosen(this, 1, places));
    }

    /** The smallest mean in the same way. */
    public Estimate lowest(int... places) {
        return of(this, chosen(this, -1, places));
    }

    /**
     * By how much the largest mean is above that of others of the same cases, case by case; each side's places are chosen on other cases.
     *
     * @throws BadRequest of other cases, as far as their clusters tell
     */
    public Estimate highestMinus(Samples other) {
        return bestMinus(other, 1);
    }

    /** The same of the smallest means. */
    public Estimate lowestMinus(Samples other) {
        return bestMinus(other, -1);
    }

    private Estimate bestMinus(Samples other, int sign) {
        if (!other.clusters.equals(clusters)) {
            throw new BadRequest("", "a paired difference needs samples of the same cases");
        }
        double[] mine = read(this, chosen(this, sign));
        double[] others = read(other, chosen(other, sign));
        return estimate(IntStream.range(0, mine.length).mapToDouble(i -> mine[i] - others[i]).toArray());
    }

    /** Others at the places at which these are highest, of the same cases. */
    public Estimate where(Samples read) {
        return of(read, chosen(this, 1));
    }

    /** A single case, as a published curve is, has no others: its own best counts. */
    private static int[] chosen(Samples by, int sign, int... named) {
        int[] places = named.length > 0 ? named : IntStream.range(0, by.values.length).toArray();
        int cases = by.clusters.size();
        CrossFit.Value value = (option, some) -> sign * Arrays.stream(some).mapToDouble(i -> by.values[places[option]][i])
                .filter(v -> !Double.isNaN(v)).average().orElse(Double.NaN);
        if (cases == 1) {
            double[] only = IntStream.of(places).mapToDouble(p -> sign * by.values[p][0]).toArray();
            return new int[] {places[RelativeDepth.peak(only)]};
        }
        return IntStream.of(CrossFit.chosen(cases, places.length, value)).map(o -> o < 0 ? -1 : places[o]).toArray();
    }

    private static Estimate of(Samples read, int[] place) {
        return read.estimate(read(read, place));
    }

    private static double[] read(Samples from, int[] place) {
        return IntStream.range(0, place.length).mapToDouble(i -> place[i] < 0 ? Double.NaN : from.values[place[i]][i]).toArray();
    }
}
