package lab.recall.linear;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.function.IntFunction;

/**
 * How tests came out with one setting, a letter each; a text in JSON.
 *
 * @param letters 1 right, 0 wrong, - not tried
 */
record Marks(@JsonValue String letters) {
    private static final char RIGHT = '1';
    private static final char WRONG = '0';
    private static final char UNTRIED = '-';

    /** How one test came out. */
    enum Mark {
        RIGHT, WRONG, UNTRIED;

        static Mark of(boolean right) {
            return right ? RIGHT : WRONG;
        }
    }

    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    Marks {
        if (!letters.chars().allMatch(c -> c == RIGHT || c == WRONG || c == UNTRIED)) {
            throw new IllegalArgumentException("'" + letters + "', expected 1, 0 and - only");
        }
    }

    /** One after another. */
    static Marks of(int tests, IntFunction<Mark> mark) {
        StringBuilder all = new StringBuilder(tests);
        for (int i = 0; i < tests; i++) {
            all.append(switch (mark.apply(i)) {
                case RIGHT -> RIGHT;
                case WRONG -> WRONG;
                case UNTRIED -> UNTRIED;
            });
        }
        return new Marks(all.toString());
    }

    /** These and then those of more tests. */
    Marks and(Marks more) {
        return new Marks(letters + more.letters);
    }

    int tests() {
        return letters.length();
    }

    boolean tried(int test) {
        return letters.charAt(test) != UNTRIED;
    }

    boolean right(int test) {
        return letters.charAt(test) == RIGHT;
    }

    boolean anyTried() {
        return letters.chars().anyMatch(c -> c != UNTRIED);
    }
}
