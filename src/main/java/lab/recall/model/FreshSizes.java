package lab.recall.model;

import java.util.Optional;

/** Sizes of a model that has learned nothing yet: a record with its checks in its compact constructor, read from a configuration. */
public interface FreshSizes {
    /** The model's first weights. */
    FreshModel fresh(int vocabulary, long seed);

    /** Share of C's mean diagonal that edits of such a small model need on its diagonal; none where C is not singular. */
    default Optional<Double> ridge() {
        return Optional.empty();
    }

    /** The longest row that such a model can read. */
    default int positions() {
        return Integer.MAX_VALUE;
    }
}
