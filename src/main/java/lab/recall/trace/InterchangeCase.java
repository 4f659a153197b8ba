package lab.recall.trace;

import java.util.List;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;

/**
 * One question of an interchange.
 *
 * @param clean   a prompt
 * @param corrupt another of equal length
 * @param answer  the token whose probability is measured; null for the clean run's own
 * @param cells   tokens that are put back together, a cell each
 * @param noise   added to the corrupt prompt's run; null for none
 */
record InterchangeCase(int[] clean, int[] corrupt, Integer answer, List<int[]> cells, Noise noise) {
    InterchangeCase {
        if (clean.length != corrupt.length) {
            throw new BadRequest("corrupt", corrupt.length + " tokens, expected as many as clean has, " + clean.length);
        }
    }

    /** Every token by itself, and the clean run's own answer. */
    static InterchangeCase of(int[] clean, int[] corrupt) {
        return new InterchangeCase(clean, corrupt, null, everyToken(clean.length), null);
    }

    static List<int[]> everyToken(int tokens) {
        return IntStream.range(0, tokens).mapToObj(t -> new int[] {t}).toList();
    }

    /** The same question of another answer. */
    InterchangeCase asking(int token) {
        return new InterchangeCase(clean, corrupt, token, cells, noise);
    }

    int samples() {
        return noise == null ? 1 : noise.samples();
    }
}
