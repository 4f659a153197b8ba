/**
 * All that is true of GPT-2 alone: configuration, names and layouts of weights, what can be edited, fresh weights.
 */
package lab.recall.model.gpt2;
