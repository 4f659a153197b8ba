/**
 * All that is true of Falcon-Mamba alone: configuration, names of weights, what can be edited, fresh weights.
 */
package lab.recall.model.falconmamba;
