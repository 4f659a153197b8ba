package lab.recall.base;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToLongFunction;

/** Cuts work into portions that fit in memory. */
public final class Portions {
    private Portions() {
    }

    /** Neighbours of a list together, at least one, and no more than have so many bytes in all. */
    public static <T> List<List<T>> of(List<T> all, ToLongFunction<T> bytes, long most) {
        List<List<T>> portions = new ArrayList<>();
        int from = 0;
        while (from < all.size()) {
            int to = from;
            long sum = 0;
            while (to < all.size() && (to == from || sum + bytes.applyAsLong(all.get(to)) <= most)) {
                sum += bytes.applyAsLong(all.get(to++));
            }
            portions.add(all.subList(from, to));
            from = to;
        }
        return portions;
    }
}
