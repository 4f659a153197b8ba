package lab.recall.model;

import java.util.Optional;
import lab.recall.base.Check;

/** Sizes of a model that has learned nothing yet: a record with its checks in its compact constructor, read from a configuration. */
public interface FreshSizes {
    /**
     * Refuses a residual stream that is not there or too wide.
     *
     * @throws lab.recall.base.BadRequest when it is
     */
    static void requireWidth(Integer width) {
        Check.whole("width", Check.given("width", width), 1, FreshModel.WIDEST);
    }

    /**
     * Refuses a number of layers, heads or states that is not there or too large.
     *
     * @throws lab.recall.base.BadRequest when it is
     */
    static void requireParts(String field, Integer count) {
        Check.whole(field, Check.given(field, count), 1, FreshModel.MOST_PARTS);
    }

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
