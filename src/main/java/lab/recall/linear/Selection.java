package lab.recall.linear;

/** On which tests the layer, and beta or the rank, are chosen. */
public enum Selection {
    /** On other facts than the one that is scored: facts are dealt into five parts, each part is scored with what is best on the others. */
    NESTED,
    /** On the very facts that are scored, as the reference code did: the best of many settings, which flatters. */
    PUBLISHED;

    /** Its name in requests. */
    public String id() {
        return this == NESTED ? "nested" : "published";
    }

    /** For titles. */
    String label() {
        return this == NESTED ? "" : ", chosen on the tests";
    }
}
