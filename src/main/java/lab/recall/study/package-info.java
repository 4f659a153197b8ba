/**
 * How experiments run: a request and a result are records, work on many facts is a plan of pieces that depend on their arguments alone,
 * a store gives back by content what was computed before, an engine computes the rest; result folders, what is set beside results, and
 * the registry of experiments stand here.
 *
 * <p>It knows {@link lab.recall.base}, {@link lab.recall.math}, {@link lab.recall.checkpoint}, {@link lab.recall.text}, {@link
 * lab.recall.stats}, {@link lab.recall.model} and {@link lab.recall.view}.
 */
package lab.recall.study;
