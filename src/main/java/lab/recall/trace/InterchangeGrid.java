package lab.recall.trace;

/**
 * What interchange found for one pair of prompts.
 *
 * @param p         probability of the answer with the clean value put back, [layers][tokens]
 * @param pClean    in the clean run
 * @param pCorrupt  in the corrupt run
 * @param answer    the token
 * @param rows      token rows computed; a row is one token through one layer
 * @param naiveRows token rows of one whole run for every cell
 */
public record InterchangeGrid(double[][] p, double pClean, double pCorrupt, int answer, long rows, long naiveRows) {
    /** (p - p_corrupt) / (p_clean - p_corrupt), [layers][tokens]; NaN where that divides by 0. */
    public double[][] effect() {
        double span = pClean - pCorrupt;
        double[][] effect = new double[p.length][];
        for (int l = 0; l < p.length; l++) {
            effect[l] = new double[p[l].length];
            for (int t = 0; t < p[l].length; t++) {
                effect[l][t] = span == 0 ? Double.NaN : (p[l][t] - pCorrupt) / span;
            }
        }
        return effect;
    }
}
