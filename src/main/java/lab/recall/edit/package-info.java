/**
 * Rank-one editing: contexts, second moments, the search for a value, sweeps, many facts in one model (arXiv 2404.03646, section 4).
 *
 * <p>Knows {@code study} and what is below it, and no other experiment.
 */
package lab.recall.edit;
