package lab.recall.base;

import java.util.Locale;

/**
 * What a file or a user said, as a message repeats it: short, in one line, without letters that would move a terminal's cursor.
 *
 * <pre>{@code
 * throw new BadRequest("form", "'" + Said.of(form) + "', expected edges");
 * Said.visible("a\u001b[2Jb")                                // the control letter as six letters: \u001b
 * }</pre>
 */
public final class Said {
    /** Letters of a value that are repeated. */
    public static final int MOST = 80;
    private static final int LONGEST_SENTENCE = 2_000;
    private static final String CUT = " ..";

    private Said() {
    }

    /** A value: at most {@value #MOST} letters of it, made {@link #visible}. */
    public static String of(Object value) {
        return cut(String.valueOf(value), MOST);
    }

    /** A whole message: in one line, and no longer than anybody reads. */
    public static String sentence(String message) {
        return cut(String.valueOf(message), LONGEST_SENTENCE);
    }

    private static String cut(String text, int most) {
        if (text.length() <= most) {
            return visible(text);
        }
        int end = Character.isHighSurrogate(text.charAt(most - 1)) ? most - 1 : most;
        return visible(text.substring(0, end)) + CUT;
    }

    /** A text in which each letter that is a command, half of one or without a shape is written as an escape of Java. */
    public static String visible(String text) {
        if (text.codePoints().noneMatch(Said::isHidden)) {
            return text;
        }
        StringBuilder b = new StringBuilder();
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> b.append("\\n");
                case '\r' -> b.append("\\r");
                case '\t' -> b.append("\\t");
                default -> {
                    if (!isHidden(c)) {
                        b.appendCodePoint(c);
                    } else {
                        for (char half : Character.toChars(c)) {
                            b.append(String.format(Locale.ROOT, "\\u%04x", (int) half));
                        }
                    }
                }
            }
        });
        return b.toString();
    }

    private static boolean isHidden(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SURROGATE -> true;
            case Character.FORMAT -> c != 0x200c && c != 0x200d;            // which join letters of scripts and of emoji
            default -> false;
        };
    }
}
