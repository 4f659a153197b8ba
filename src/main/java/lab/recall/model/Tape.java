package lab.recall.model;

/** What a block has computed of a recorded pass to take gradients back through it. */
public interface Tape {
}
