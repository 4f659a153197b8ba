/**
 * Statistics of what experiments found: intervals by resampling whole clusters, rank correlation, and where in the depth of a model a
 * curve peaks.
 *
 * <p>It knows {@link lab.recall.base}.
 */
package lab.recall.stats;
