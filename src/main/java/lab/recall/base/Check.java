package lab.recall.base;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;

/**
 * Checks of what a request says, each with one sentence that names the field.
 *
 * <pre>{@code
 * int pairs = Check.whole("pairs", given, 1, 1_000_000);     // pairs: 0, expected a whole number from 1 to 1000000
 * }</pre>
 *
 * @see BadRequest thrown by all
 */
public final class Check {
    private Check() {
    }

    /** A value, or what stands for one that was not given. */
    public static <T> T or(T given, T otherwise) {
        return given == null ? otherwise : given;
    }

    /** A field that has to be given. */
    public static <T> T given(String field, T value) {
        if (value == null) {
            throw new BadRequest(field, "missing");
        }
        return value;
    }

    /** A whole number in a range. */
    public static int whole(String field, int value, int low, int high) {
        if (value < low || value > high) {
            throw new BadRequest(field, value + ", expected a whole number " + range(low, high));
        }
        return value;
    }

    private static String range(int low, int high) {
        return high == Integer.MAX_VALUE ? "of at least " + low : "from " + low + " to " + high;
    }

    /** A finite number of at least {@code low}. */
    public static double number(String field, double value, double low) {
        if (!Double.isFinite(value) || value < low) {
            throw new BadRequest(field, value + ", expected a finite number"
                    + (low > Double.NEGATIVE_INFINITY ? " of at least " + low : ""));
        }
        return value;
    }

    /** A finite number above 0. */
    public static double positive(String field, double value) {
        if (!Double.isFinite(value) || value <= 0) {
            throw new BadRequest(field, value + ", expected a finite number above 0");
        }
        return value;
    }

    /** One of some words. */
    public static String word(String field, String value, Collection<String> words) {
        if (!words.contains(value)) {
            throw new BadRequest(field, "'" + Said.of(value) + "', expected " + String.join(" or ", words)
                    + Nearest.question(value, words));
        }
        return value;
    }

    /** What names a file or folder, or null; whether there is one is not asked. */
    public static String path(String field, String name) {
        try {
            if (name == null || !Path.of(name).toString().isEmpty()) {
                return name;
            }
        } catch (InvalidPathException e) {
            throw new BadRequest(field, "'" + Said.of(name) + "' cannot be the name of a file or folder", e);
        }
        throw new BadRequest(field, "empty, expected the name of a file or folder");
    }

    /** A list that is not empty and holds nothing twice. */
    public static <T> List<T> different(String field, List<T> values) {
        if (values.isEmpty() || values.stream().distinct().count() < values.size()) {
            throw new BadRequest(field, Said.of(values) + ", expected different values, at least one");
        }
        return values;
    }
}
