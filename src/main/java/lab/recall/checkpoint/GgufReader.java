package lab.recall.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import lab.recall.base.BadData;

/** Reads a GGUF header from front to back, through a window: nothing is as large as the file says that it is. */
final class GgufReader {
    private static final int WINDOW = 1 << 16;

    private final Path file;
    private final FileChannel channel;
    private final long size;
    private final ByteBuffer window = ByteBuffer.allocate(WINDOW).order(ByteOrder.LITTLE_ENDIAN).limit(0);
    /** Of the window's end. */
    private long end;

    GgufReader(Path file, FileChannel channel, long from) throws IOException {
        this.file = file;
        this.channel = channel;
        this.size = channel.size();
        this.end = from;
    }

    /** The next byte's place in the file. */
    long at() {
        return end - window.remaining();
    }

    /** Bytes that follow. */
    long left() {
        return size - at();
    }

    BadData bad(String reason) {
        return new BadData(file, "byte " + at(), reason);
    }

    int u8(String what) throws IOException {
        return next(1, what).get() & 0xff;
    }

    long u32(String what) throws IOException {
        return next(4, what).getInt() & 0xffffffffL;
    }

    long i64(String what) throws IOException {
        return next(8, what).getLong();
    }

    /** A count or a length; one of 2^63 or more is longer than any file. */
    long length(String what) throws IOException {
        long n = i64(what);
        if (n < 0) {
            throw bad(what + " is " + Long.toUnsignedString(n) + ", more than any file holds");
        }
        return n;
    }

    /** A text of at most so many bytes. */
    String text(int longest, String what) throws IOException {
        long length = length("the length of " + what);
        if (length > longest) {
            throw bad(what + " is " + length + " bytes long, expected at most " + longest);
        }
        require(length, what);
        byte[] bytes = new byte[(int) length];
        for (int got = 0; got < bytes.length; ) {
            int n = Math.min(WINDOW, bytes.length - got);
            next(n, what).get(bytes, got, n);
            got += n;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new BadData(file, "byte " + (at() - length), what + " is not UTF-8 text", e);
        }
    }

    /** A part of the file that is read later. */
    Bytes mapped(long from, long count) throws IOException {
        return Bytes.map(file, channel, from, count);
    }

    void skip(long count, String what) throws IOException {
        require(count, what);
        if (count <= window.remaining()) {
            window.position(window.position() + (int) count);
        } else {
            end += count - window.remaining();
            window.limit(0);
        }
    }

    private void require(long count, String what) {
        if (count > left()) {
            throw bad("the file ends within " + what + ": " + count + " bytes expected, " + left() + " are left");
        }
    }

    /** The window with at least {@code count} bytes in it. */
    private ByteBuffer next(int count, String what) throws IOException {
        require(count, what);
        if (window.remaining() < count) {
            window.compact();
            while (window.position() < count) {
                int got = channel.read(window, end);
                if (got < 0) {
                    throw new IOException("it became shorter");
                }
                end += got;
            }
            window.flip();
        }
        return window;
    }
}
