package lab.recall.model;

/** What the tokens left of a segment have left behind in one layer: all that a causal layer needs to go on. */
public interface Past {
}
