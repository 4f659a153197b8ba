package lab.recall.base;

import java.util.concurrent.CancellationException;

/**
 * How long work is stopped: at once, by an interrupt (Ctrl-C, the notebook's stop button), or after the piece at work (SIGTERM).
 *
 * <pre>{@code
 * Interruption.check();                                      // in every loop that may take long
 * }</pre>
 */
public final class Interruption {
    private static volatile boolean soon;

    private Interruption() {
    }

    /** Ends the work of a thread that was interrupted. */
    public static void check() {
        if (Thread.currentThread().isInterrupted()) {
            throw new CancellationException("interrupted");
        }
    }

    /** Ends the work between two pieces: after an interrupt, or when this process was asked to end. */
    public static void betweenPieces() {
        check();
        if (soon) {
            throw new CancellationException("ended");
        }
    }

    /** Asks all work of this process to end after the piece that it is at. */
    public static void afterPiece() {
        soon = true;
    }

    /** Whether this process was asked to end. */
    public static boolean isAsked() {
        return soon;
    }
}
