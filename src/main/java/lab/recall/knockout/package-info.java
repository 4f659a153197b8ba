/**
 * Edges cut, tokens knocked out, hidden attention, what still gets through (arXiv 2404.03646, section 6).
 *
 * <p>Knows {@code study} and what is below it, and no other experiment.
 */
package lab.recall.knockout;
