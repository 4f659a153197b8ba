/**
 * Statistics of what experiments found: exact intervals of shares, intervals of effects by resampling whole clusters, choices that are made
 * on other cases than those that are scored, rank correlation, and where in the depth of a model a curve peaks.
 *
 * <p>It knows {@link lab.recall.base}.
 */
package lab.recall.stats;
