package lab.recall.model;

/** At which tokens of a run the head is evaluated; it is as costly as several layers. */
public enum Logits {
    /** Nowhere. */
    NONE,
    /** At the last token. */
    LAST,
    /** At every token that is computed. */
    ALL
}
