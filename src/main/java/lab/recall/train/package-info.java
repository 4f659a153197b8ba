/**
 * Small models from nothing: a byte-pair tokenizer, the text of a world, AdamW, and a training that goes on after a kill as if there had
 * been none. Its weights depend on the configuration alone.
 *
 * <p>It knows {@link lab.recall.facts}, {@link lab.recall.study} and what stands above them.
 */
package lab.recall.train;
