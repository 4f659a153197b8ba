/**
 * What the paper published (arXiv 2404.03646), beside what was found here: its numbers, its shapes as criteria, its curves in pictures.
 *
 * <p>Which published model stands beside a model is told by the card's family, in {@code PaperModel} alone; a family of
 * which nothing was published has no overlay, and criteria say so. Hook points and matrices are told by their ids.
 *
 * <p>Knows the results of {@link lab.recall.trace}, {@link lab.recall.edit}, {@link lab.recall.linear} and {@link lab.recall.knockout},
 * and what is below them. No experiment knows it: it adds to the files of their results as a {@link lab.recall.study.Overlay}.
 */
package lab.recall.paper;
