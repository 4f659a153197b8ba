package lab.recall.stats;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Choices that are made on other cases than those that are scored, so that the best of many is not flattered by having been chosen.
 *
 * <pre>{@code
 * int[] layer = CrossFit.chosen(requests, layers, (l, some) -> score(l, some));      // of each request, from the others
 * }</pre>
 *
 * Cases are dealt into five parts; each part takes what is best on the other four. Source: Chernozhukov et al., arXiv 1608.00060.
 */
public final class CrossFit {
    private static final int PARTS = 5;
    private static final long SEED = 1;

    /** The value of an option on some cases; NaN where it has none. */
    @FunctionalInterface
    public interface Value {
        double of(int option, int[] cases);
    }

    private CrossFit() {
    }

    /** For each case the option of the largest value on the cases of other parts, the first of equals; -1 where there is none. */
    public static int[] chosen(int cases, int options, Value value) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, cases).boxed().toList());
        Collections.shuffle(order, new Random(SEED));
        int[] part = new int[cases];
        for (int i = 0; i < cases; i++) {
            part[order.get(i)] = i % PARTS;
        }
        int[] best = IntStream.range(0, PARTS).map(p -> best(options, value,
                IntStream.range(0, cases).filter(i -> part[i] != p).toArray())).toArray();
        return IntStream.range(0, cases).map(i -> best[part[i]]).toArray();
    }

    private static int best(int options, Value value, int[] cases) {
        int best = -1;
        double most = Double.NEGATIVE_INFINITY;
        for (int o = 0; o < options && cases.length > 0; o++) {
            double v = value.of(o, cases);
            if (v > most) {
                most = v;
                best = o;
            }
        }
        return best;
    }
}
