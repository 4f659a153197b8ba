/**
 * Files of weights: safetensors, both of PyTorch's forms and GGUF become tensors that are mapped, not loaded, and tensors become
 * safetensors; a folder's configuration and shards; the cache of the HuggingFace hub. No file is trusted: one that is not what it says is
 * refused.
 *
 * <p>It knows {@link lab.recall.base}.
 */
package lab.recall.checkpoint;
