package lab.recall.edit;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/** Cuts work into portions that fit in memory. */
final class Portions {
    private static final long BYTES = 256L << 20;
    private static final int MOST = 50;

    private Portions() {
    }

    /** Neighbours of a list together, at least one and at most 50 at a time. */
    static <T> List<List<T>> of(List<T> all, ToLongFunction<T> bytes) {
        List<List<T>> portions = new ArrayList<>();
        int from = 0;
        while (from < all.size()) {
            int to = from;
            long sum = 0;
            while (to < Math.min(all.size(), from + MOST) && (to == from || sum + bytes.applyAsLong(all.get(to)) <= BYTES)) {
                sum += bytes.applyAsLong(all.get(to++));
            }
            portions.add(all.subList(from, to));
            from = to;
        }
        return portions;
    }
}
