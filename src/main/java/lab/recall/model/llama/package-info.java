/**
 * All that is true of Llama and of what has its form (Mistral, Qwen2): configuration, names and layouts of weights, what can be edited,
 * fresh weights.
 */
package lab.recall.model.llama;
