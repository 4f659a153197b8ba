package lab.recall.checkpoint;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;

/**
 * A run of bytes of any length, mapped from a file or held in an array.
 *
 * <p>Java 17 maps at most 2 GiB at once, so a long run is mapped in chunks; a chunk's size is a multiple of every number's, so that no number
 * lies across two. A chunk is mapped when it is first read and let go when nobody reads it: the pages of weights that have been packed
 * would otherwise stay in memory beside the packed ones.
 */
final class Bytes {
    static final int CHUNK = 1 << 30;
    /** So much may be mapped before unused maps are collected; only a collection lets Java 17 unmap. */
    private static final long MAPPED_AT_ONCE = 512L << 20;
    private static final AtomicLong MAPPED = new AtomicLong();

    private final Path file;
    private final long from;
    private final long size;
    private final ByteBuffer array;
    private final AtomicReferenceArray<WeakReference<ByteBuffer>> chunks;

    private Bytes(Path file, long from, long size, ByteBuffer array) {
        this.file = file;
        this.from = from;
        this.size = size;
        this.array = array;
        this.chunks = new AtomicReferenceArray<>((int) ((size + CHUNK - 1) / CHUNK));
    }

    /** A part of a file, which must be that long. */
    static Bytes map(Path file, long from, long size) {
        return new Bytes(file, from, size, null);
    }

    static Bytes of(byte[] bytes) {
        return new Bytes(null, 0, bytes.length, ByteBuffer.wrap(bytes));
    }

    long size() {
        return size;
    }

    /** Hands a range over piece by piece, in order, each a buffer of its own. */
    void forEach(long first, long count, Consumer<ByteBuffer> reader) {
        long at = first;
        while (at < first + count) {
            ByteBuffer chunk = array != null ? array : chunk((int) (at / CHUNK));
            int start = (int) (at % CHUNK);
            int length = (int) Math.min(first + count - at, chunk.capacity() - start);
            reader.accept(chunk.slice(start, length).order(ByteOrder.LITTLE_ENDIAN));
            at += length;
        }
    }

    private ByteBuffer chunk(int number) {
        WeakReference<ByteBuffer> known = chunks.get(number);
        ByteBuffer chunk = known == null ? null : known.get();
        if (chunk != null) {
            return chunk;
        }
        long at = (long) number * CHUNK;
        long length = Math.min(CHUNK, size - at);
        if (MAPPED.addAndGet(length) > MAPPED_AT_ONCE) {
            MAPPED.set(length);
            System.gc();
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (channel.size() < from + at + length) {
                throw new IllegalArgumentException(file + ": has become shorter since it was opened");
            }
            chunk = channel.map(FileChannel.MapMode.READ_ONLY, from + at, length);
        } catch (ClosedByInterruptException e) {
            throw new CancellationException("interrupted");
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": cannot be mapped (" + e.getMessage() + ")", e);
        }
        chunks.set(number, new WeakReference<>(chunk));
        return chunk;
    }
}
