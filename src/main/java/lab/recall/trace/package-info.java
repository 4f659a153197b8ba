/**
 * Causal tracing, interchange, path blocking, attribution patching; activations and gradients by request (arXiv 2404.03646, section 3).
 *
 * <p>Knows {@code study} and what is below it, and no other experiment.
 */
package lab.recall.trace;
