/**
 * All that is true of GPT-NeoX alone: configuration, block, names and layouts of weights, what can be edited, fresh weights.
 */
package lab.recall.model.neox;
