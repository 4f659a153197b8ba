package lab.recall.trace;

import java.util.Arrays;
import java.util.Objects;

/**
 * What interchange found for one pair of prompts.
 *
 * @param p         probability of the answer with the other run's value put in, [layers][cells]
 * @param pClean    in the clean run
 * @param pCorrupt  in the corrupt run
 * @param answer    the token
 * @param reverse   whether the corrupt run's value was put into the clean run
 * @param rows      token rows computed; a row is one token through one layer
 * @param naiveRows token rows of one whole run for every cell
 */
public record InterchangeGrid(double[][] p, double pClean, double pCorrupt, int answer, boolean reverse, long rows, long naiveRows) {
    /**
     * (p - p_corrupt) / (p_clean - p_corrupt), the share that returns; in reverse (p_clean - p) / (p_clean - p_corrupt), the share that is
     * lost. [layers][cells]; NaN where that divides by 0.
     */
    public double[][] effect() {
        double span = pClean - pCorrupt;
        double[][] effect = new double[p.length][];
        for (int l = 0; l < p.length; l++) {
            effect[l] = new double[p[l].length];
            for (int t = 0; t < p[l].length; t++) {
                effect[l][t] = span == 0 ? Double.NaN : (reverse ? pClean - p[l][t] : p[l][t] - pCorrupt) / span;
            }
        }
        return effect;
    }

    /** This answer's changes where another's are measured: its effect is a share of what the other gains from corrupt to clean. */
    InterchangeGrid inUnitsOf(InterchangeGrid other) {
        double shift = reverse ? other.pClean - pClean : other.pCorrupt - pCorrupt;
        double[][] shifted = Arrays.stream(p).map(row -> Arrays.stream(row).map(v -> v + shift).toArray()).toArray(double[][]::new);
        return new InterchangeGrid(shifted, other.pClean, other.pCorrupt, answer, reverse, rows + other.rows, naiveRows + other.naiveRows);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof InterchangeGrid g && Arrays.deepEquals(p, g.p) && Double.compare(pClean, g.pClean) == 0
                && Double.compare(pCorrupt, g.pCorrupt) == 0 && answer == g.answer && reverse == g.reverse
                && rows == g.rows && naiveRows == g.naiveRows;
    }

    @Override
    public int hashCode() {
        return Objects.hash(Arrays.deepHashCode(p), pClean, pCorrupt, answer);
    }
}
