package lab.recall.trace;

import java.util.Locale;
import lab.recall.text.Prompt;

/** Groups of tokens over which traces are averaged: the paper's six rows, and the whole subject put back at once. */
public enum Position {
    PREFIX("before the subject"), SUBJECT_EARLY("subject's first tokens"), SUBJECT_SECOND_LAST("subject's last token but one"),
    SUBJECT_LAST("subject's last token"), FURTHER("after the subject"), LAST("prompt's last token"), SUBJECT("whole subject");

    private final String label;

    Position(String label) {
        this.label = label;
    }

    /** Its name in files that programs read, such as {@code subject_last}. */
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Its name in tables and pictures. */
    public String label() {
        return label;
    }

    /** The group of a prompt's token. */
    public static Position of(Prompt prompt, int token) {
        int last = prompt.subjectLast();
        if (token == prompt.length() - 1 && token != last) {
            return LAST;
        }
        if (token < prompt.subjectStart()) {
            return PREFIX;
        }
        return token < last - 1 ? SUBJECT_EARLY : token == last - 1 ? SUBJECT_SECOND_LAST : token == last ? SUBJECT_LAST : FURTHER;
    }
}
