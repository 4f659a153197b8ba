/**
 * Layers and parts of layers that families share, named after their mechanism: selective scan, state space dual, self-attention,
 * MLP; their points, mixers and cuts.
 */
package lab.recall.model.block;
