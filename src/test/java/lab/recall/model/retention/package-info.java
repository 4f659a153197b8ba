/**
 * A third family, known to the tests alone: gated retention, whose states are matrices. It shows that a family is one folder and one line
 * of registration; {@link lab.recall.model.retention.DenseRetention} says what it has to compute.
 */
package lab.recall.model.retention;
