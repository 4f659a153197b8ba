package lab.recall.stats;

import java.util.Arrays;
import lab.recall.base.BadRequest;
import org.apache.commons.math3.stat.correlation.SpearmansCorrelation;

/** Spearman's rank correlation. */
public final class RankCorrelation {
    private RankCorrelation() {
    }

    /**
     * Over the places where both are numbers; ties share their rank. NaN when fewer than three are left or one side is constant.
     *
     * @throws BadRequest when there are not as many of both
     */
    public static double of(double[] a, double[] b) {
        if (a.length != b.length) {
            throw new BadRequest("", "a rank correlation of " + a.length + " with " + b.length + " numbers");
        }
        int n = 0;
        double[] x = new double[a.length];
        double[] y = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            if (!Double.isNaN(a[i]) && !Double.isNaN(b[i])) {
                x[n] = a[i];
                y[n++] = b[i];
            }
        }
        return n < 3 ? Double.NaN : new SpearmansCorrelation().correlation(Arrays.copyOf(x, n), Arrays.copyOf(y, n));
    }
}
