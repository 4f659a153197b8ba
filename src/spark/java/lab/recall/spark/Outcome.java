package lab.recall.spark;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What an executor says of a piece, as bytes: a letter and what it found, or a sentence.
 *
 * @param kind  how it went
 * @param value JSON, or a sentence
 */
record Outcome(Kind kind, byte[] value) {
    /** How it went. */
    enum Kind {
        /** The value is JSON of what the piece gives. */
        FOUND,
        /** This executor cannot compute any piece of this work. */
        REFUSED,
        /** The piece cannot be computed anywhere. */
        UNSOLVABLE,
        /** Something broke; another try may help. */
        BROKEN
    }

    static Outcome of(Kind kind, String sentence) {
        return new Outcome(kind, sentence.getBytes(StandardCharsets.UTF_8));
    }

    String sentence() {
        return new String(value, StandardCharsets.UTF_8);
    }

    byte[] bytes() {
        byte[] all = new byte[1 + value.length];
        all[0] = (byte) kind.ordinal();
        System.arraycopy(value, 0, all, 1, value.length);
        return all;
    }

    static Outcome read(byte[] bytes) {
        return new Outcome(Kind.values()[bytes[0]], Arrays.copyOfRange(bytes, 1, bytes.length));
    }
}
