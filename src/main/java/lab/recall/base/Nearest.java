package lab.recall.base;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/**
 * The name that was perhaps meant.
 *
 * <pre>{@code
 * Nearest.to("resid_pots", names)                            // resid_post
 * }</pre>
 */
public final class Nearest {
    /** Longer words are no slips of a finger. */
    private static final int LONGEST = 200;

    private Nearest() {
    }

    /** The known name with the fewest letters changed, no more than half of them; none where all are farther. */
    public static Optional<String> to(String said, Collection<String> known) {
        if (said.length() > LONGEST) {
            return Optional.empty();
        }
        String name = said.toLowerCase(Locale.ROOT);
        return known.stream().min(Comparator.comparingInt(k -> distance(name, k.toLowerCase(Locale.ROOT))))
                .filter(k -> distance(name, k.toLowerCase(Locale.ROOT)) <= Math.max(1, k.length() / 2));
    }

    /** {@code "; did you mean 'x'?"}, or nothing. */
    public static String question(String said, Collection<String> known) {
        return to(said, known).map(k -> "; did you mean '" + k + "'?").orElse("");
    }

    /** Letters to be put in, left out or changed (Levenshtein). */
    private static int distance(String a, String b) {
        int[] before = new int[b.length() + 1];
        int[] now = new int[b.length() + 1];
        for (int j = 0; j < before.length; j++) {
            before[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            now[0] = i;
            for (int j = 1; j < now.length; j++) {
                int changed = before[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                now[j] = Math.min(changed, 1 + Math.min(before[j], now[j - 1]));
            }
            int[] swap = before;
            before = now;
            now = swap;
        }
        return before[b.length()];
    }
}
