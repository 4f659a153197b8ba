/**
 * Linear relations: operators from Jacobians, their tests, the attribute lens (arXiv 2404.03646, section 5).
 *
 * <p>Knows {@code study} and what is below it, and no other experiment.
 */
package lab.recall.linear;
