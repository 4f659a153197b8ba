package lab.recall.model;

/** Sizes of a model that has learned nothing yet: a record with its checks in its compact constructor, read from a configuration. */
public interface FreshSizes {
    /** The model's first weights. */
    FreshModel fresh(int vocabulary, long seed);

    /** The longest row that such a model can read. */
    default int positions() {
        return Integer.MAX_VALUE;
    }
}
