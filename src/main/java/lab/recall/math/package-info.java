/**
 * Numbers: matrices packed in the precision in which they are stored, products, each fused operation of a block forward and backward,
 * decompositions, and the threads that share the work. The same bits come out for any number of threads and any width of vectors.
 *
 * <p>It knows {@link lab.recall.base}.
 */
package lab.recall.math;
