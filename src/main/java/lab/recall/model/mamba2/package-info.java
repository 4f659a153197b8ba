/**
 * All that is true of Mamba-2 alone: configuration, names and layouts of weights, what can be edited, fresh weights.
 */
package lab.recall.model.mamba2;
