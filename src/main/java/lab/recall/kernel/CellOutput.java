package lab.recall.kernel;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * What a cell prints: gathered and sent a few times a second, for each message costs the page more than a thousand lines do. Of more than
 * a page can hold, the first and the last lines are sent, and between them how much was left out.
 */
final class CellOutput {
    /** Where it goes. */
    interface Sink {
        /** A stretch of text, of one of the two streams. */
        void text(boolean isError, String text);

        /** So much is left out here, so far; replaces what this said before. */
        void leftOut(long lines, long bytes);
    }

    static final int FIRST_LINES = 5_000;
    static final int FIRST_BYTES = 1 << 20;
    static final int LAST_LINES = 200;
    static final int LAST_BYTES = 1 << 15;

    private static final int PORTION = 1 << 16;
    private static final long GATHER_MILLIS = 100;
    private static final long SAY_NANOS = 1_000_000_000L;
    private static final ScheduledExecutorService CLOCK = Executors.newSingleThreadScheduledExecutor(r -> {
        Thread t = new Thread(r, "cell-output");
        t.setDaemon(true);
        return t;
    });

    private final Sink sink;
    private final PrintStream out = new PrintStream(new Side(false), false, StandardCharsets.UTF_8);
    private final PrintStream err = new PrintStream(new Side(true), false, StandardCharsets.UTF_8);
    private final ByteArrayOutputStream pending = new ByteArrayOutputStream();
    private boolean pendingIsError;
    private boolean isScheduled;
    private int firstLines;
    private int firstBytes;
    private boolean isFull;
    /** What came after the first lines: its end, and how much of it there was. */
    private final byte[] last = new byte[2 * LAST_BYTES];
    private int lastLength;
    private long lines;
    private long bytes;
    private long said;

    CellOutput(Sink sink) {
        this.sink = sink;
    }

    PrintStream out() {
        return out;
    }

    PrintStream err() {
        return err;
    }

    /** Sends what has been gathered. */
    synchronized void flush() {
        byte[] all = pending.toByteArray();
        int whole = wholeLetters(all);
        pending.reset();
        pending.write(all, whole, all.length - whole);
        if (whole > 0) {
            sink.text(pendingIsError, new String(all, 0, whole, StandardCharsets.UTF_8));
        }
        if (bytes > lastLength && System.nanoTime() - said > SAY_NANOS) {
            said = System.nanoTime();
            int kept = lastLines();
            sink.leftOut(lines - linesIn(last, kept, lastLength), bytes - (lastLength - kept));
        }
    }

    /** Sends all, with the last lines of what was too much; before the cell's result. */
    synchronized void finish() {
        flush();
        if (pending.size() > 0) {                          // half a letter
            sink.text(pendingIsError, pending.toString(StandardCharsets.UTF_8));
            pending.reset();
        }
        if (lastLength == 0) {
            return;
        }
        int from = lastLines();
        long lost = bytes - (lastLength - from);
        if (lost > 0) {
            sink.leftOut(lines - linesIn(last, from, lastLength), lost);
        }
        sink.text(pendingIsError, new String(last, from, lastLength - from, StandardCharsets.UTF_8));
        lastLength = 0;
        lines = 0;
        bytes = 0;
    }

    private synchronized void write(boolean isError, byte[] b, int offset, int length) {
        int taken = isFull ? 0 : room(b, offset, length);
        if (taken > 0) {
            if (isError != pendingIsError) {
                flush();
            }
            pendingIsError = isError;
            pending.write(b, offset, taken);
            if (pending.size() >= PORTION) {
                flush();
            }
        }
        if (taken < length) {
            isFull = true;
            keepLast(b, offset + taken, length - taken);
        }
        if (!isScheduled) {
            isScheduled = true;
            CLOCK.schedule(this::tick, GATHER_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private synchronized void tick() {
        isScheduled = false;
        flush();
    }

    /** How many of these bytes still belong to the first lines. */
    private int room(byte[] b, int offset, int length) {
        for (int i = 0; i < length; i++) {
            if (firstLines >= FIRST_LINES || firstBytes >= FIRST_BYTES && !isInside(b[offset + i])) {
                return i;
            }
            firstBytes++;
            if (b[offset + i] == '\n') {
                firstLines++;
            }
        }
        return length;
    }

    private void keepLast(byte[] b, int offset, int length) {
        bytes += length;
        lines += linesIn(b, offset, offset + length);
        int from = offset + Math.max(0, length - LAST_BYTES);
        int taken = offset + length - from;
        if (lastLength + taken > last.length) {
            int kept = Math.min(lastLength, LAST_BYTES);
            System.arraycopy(last, lastLength - kept, last, 0, kept);
            lastLength = kept;
        }
        System.arraycopy(b, from, last, lastLength, taken);
        lastLength += taken;
    }

    /** Where the last lines begin in what is kept. */
    private int lastLines() {
        int from = Math.max(0, lastLength - LAST_BYTES);
        int found = 0;
        for (int i = lastLength - 1; i > from; i--) {
            if (last[i - 1] == '\n' && ++found == LAST_LINES) {
                return i;
            }
        }
        if (bytes > lastLength || from > 0) {              // a line, or a letter, that was cut
            while (from < lastLength && isInside(last[from])) {
                from++;
            }
        }
        return from;
    }

    private static long linesIn(byte[] b, int from, int to) {
        long n = 0;
        for (int i = from; i < to; i++) {
            if (b[i] == '\n') {
                n++;
            }
        }
        return n;
    }

    private static boolean isInside(byte b) {
        return (b & 0xC0) == 0x80;
    }

    /** How many bytes there are before a letter whose end has not come. */
    static int wholeLetters(byte[] b) {
        int start = b.length;
        while (start > Math.max(0, b.length - 4) && isInside(b[start - 1])) {
            start--;
        }
        if (start == 0) {
            return b.length;
        }
        int lead = b[start - 1] & 0xFF;
        int needed = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
        return b.length - start + 1 < needed ? start - 1 : b.length;
    }

    private final class Side extends OutputStream {
        private final boolean isError;

        Side(boolean isError) {
            this.isError = isError;
        }

        @Override
        public void write(int b) {
            CellOutput.this.write(isError, new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] b, int offset, int length) {
            CellOutput.this.write(isError, b, offset, length);
        }
    }
}
