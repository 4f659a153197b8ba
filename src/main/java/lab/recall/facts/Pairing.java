package lab.recall.facts;

/** How the two prompts of a pair are laid token on token. */
public enum Pairing {
    /** Both have the same length, with their subjects at the same tokens; facts without such a partner are passed over and counted. */
    CORRECTED,
    /**
     * As the reference code pairs: any other known fact of the relation; the shorter prompt gets {@code <|endoftext|>} tokens on its left,
     * which the model sees, so that the subjects end at the same token.
     */
    PUBLISHED
}
