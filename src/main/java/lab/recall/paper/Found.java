package lab.recall.paper;

import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import lab.recall.stats.Estimate;
import lab.recall.stats.RelativeDepth;
import lab.recall.stats.Samples;

/**
 * What was found, in words, and what its interval says of a bound. Bounds are ours, as shares of what the paper has:
 *
 * <pre>{@code
 * Found.atLeast(here.highest(), Found.HALF * paper.highest().mean())             // large, as there
 * Found.everywhere(here, layers, Found.TENTH * most, false)                       // little, as there
 * Found.place(Span.until(here), Span.until(paper))                                // as deep as there
 * }</pre>
 */
record Found(String text, Verdict verdict) {
    /** What the paper has much of is to be there at half of its size. */
    static final double HALF = 0.5;
    /** What the paper has little of is to be at most a tenth of its largest effect. */
    static final double TENTH = 0.1;
    /** Shares of the depth within which two places count as one. */
    static final double NEAR = 0.15;
    /** What these are, for titles. */
    static final String OURS = "bounds are ours: half of the paper's size for what is large there, a tenth of its largest effect for what"
            + " is small, 0.15 of the depth for a place";

    /** Where a criterion looks there is nothing to be looked at. */
    static Found nothing(String why) {
        return new Found(why, Verdict.NOT_TESTABLE);
    }

    static Found atLeast(Estimate e, double bound) {
        return e.n() == 0 ? nothing("–") : new Found(said(e), Verdict.of(e.low() >= bound, e.high() >= bound));
    }

    static Found atMost(Estimate e, double bound) {
        return e.n() == 0 ? nothing("–") : new Found(said(e), Verdict.of(e.high() <= bound, e.low() <= bound));
    }

    /** At every one of some layers at least, or at most, as much; the layer that is worst off decides. */
    static Found everywhere(Estimate[] curve, int[] layers, double bound, boolean atLeast) {
        int sign = atLeast ? 1 : -1;
        Found worst = null;
        double least = Double.POSITIVE_INFINITY;
        Verdict all = Verdict.HELD;
        for (int l : layers) {
            Estimate e = curve[l];
            Found one = atLeast ? atLeast(e, bound) : atMost(e, bound);
            all = all.and(one.verdict);
            if (sign * e.mean() < least) {
                least = sign * e.mean();
                worst = one;
            }
        }
        return worst == null ? nothing("no layer there") : new Found((atLeast ? "at least " : "at most ") + worst.text, all);
    }

    /** The same of values on both sides of 0. */
    static Found nearNothing(Estimate[] curve, int[] layers, double bound) {
        Found below = everywhere(curve, layers, -bound, true);
        Found above = everywhere(curve, layers, bound, false);
        return new Found(below.text + ", " + above.text, below.verdict.and(above.verdict));
    }

    /** A place as deep as another, within {@link #NEAR}. */
    static Found place(Span here, Span paper) {
        if (here.first() < 0 || paper.first() < 0) {
            return new Found("nowhere", Verdict.NOT_HELD);
        }
        double depth = (paper.depth(paper.first()) + paper.depth(paper.last())) / 2;
        IntPredicate near = l -> Math.abs(here.depth(l) - depth) <= NEAR + 1e-9;
        if (IntStream.range(0, here.layers()).noneMatch(near)) {
            return nothing(here.text());
        }
        return new Found(here.text(), Verdict.of(here.stream().allMatch(near), here.stream().anyMatch(near)));
    }

    /** Each of several conditions. */
    Found and(Found other) {
        return new Found(text + "; " + other.text, verdict.and(other.verdict));
    }

    /** The same, named. */
    Found as(String name) {
        return new Found(name + " " + text, verdict);
    }

    /** A mean with its interval, shortly; a number without an error alone. */
    static String said(Estimate e) {
        String text = e.low() == e.high() ? String.format(Locale.ROOT, "%.2f", e.mean())
                : String.format(Locale.ROOT, "%.2f [%.2f, %.2f]", e.mean(), e.low(), e.high());
        return text.replace("-0.00", "0.00");
    }

    /** A layer that is not known exactly: from the first to the last that it may be; -1 where there is none. */
    record Span(int first, int last, int layers) {
        /** The last layer at which a curve has at least half of its most. */
        static Span until(Samples curve) {
            double half = RelativeDepth.most(curve.means(), 0, 1) / 2;
            int surely = last(curve.lows(), half);
            int maybe = last(curve.highs(), half);
            int mean = last(curve.means(), half);
            return new Span(surely < 0 ? Math.min(mean, maybe) : surely, maybe, curve.places());
        }

        private static int last(double[] values, double bound) {
            return IntStream.range(0, values.length).filter(l -> values[l] >= bound).max().orElse(-1);
        }

        /** Layers that may be the one at which a curve has its most. */
        static Span peak(Estimate[] curve) {
            double surely = IntStream.range(0, curve.length).mapToDouble(l -> curve[l].low()).max().orElse(Double.NaN);
            int[] maybe = IntStream.range(0, curve.length).filter(l -> curve[l].high() >= surely).toArray();
            return maybe.length == 0 ? new Span(-1, -1, curve.length) : new Span(maybe[0], maybe[maybe.length - 1], curve.length);
        }

        /** Layers that may be the one at which a curve is lowest. */
        static Span trough(Estimate[] curve) {
            return peak(Arrays.stream(curve).map(e -> new Estimate(-e.mean(), -e.high(), -e.low(), e.n())).toArray(Estimate[]::new));
        }

        /** The first layer at which a curve is above a bound; the last layer where that is not sure. */
        static Span firstAbove(Estimate[] curve, double bound) {
            int maybe = IntStream.range(0, curve.length).filter(l -> curve[l].high() > bound).findFirst().orElse(-1);
            int surely = IntStream.range(0, curve.length).filter(l -> curve[l].low() > bound).findFirst().orElse(curve.length - 1);
            return new Span(maybe, maybe < 0 ? -1 : Math.max(maybe, surely), curve.length);
        }

        double depth(int layer) {
            return RelativeDepth.of(layer, layers);
        }

        IntStream stream() {
            return IntStream.rangeClosed(first, last);
        }

        String text() {
            return first < 0 ? "nowhere" : "layer " + (first == last ? first : first + " to " + last) + " of " + layers;
        }
    }
}
