package lab.recall.checkpoint;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;

/**
 * A run of bytes of any length, mapped from a file or held in an array. One run serves all tensors of a file: a system maps so many pieces
 * of files and no more.
 *
 * <p>Java 17 maps at most 2 GiB at once, so a long run is mapped in chunks, each a little longer than the step from one to the next, so
 * that each number lies in one of them as a whole. A short run is mapped at once and for good. A chunk is mapped when it is read and let go
 * when nobody reads it: the pages of weights that have been packed would otherwise stay in memory beside the packed ones. Its file must
 * not change meanwhile.
 */
final class Bytes implements Content {
    static final int CHUNK = 64 << 20;
    private static final int WIDEST = 16;
    private static final long SHORT = 4L << 20;
    /** So much may be mapped before unused maps are collected; only a collection lets Java 17 unmap. */
    private static final long MAPPED_AT_ONCE = 1L << 30;
    private static final AtomicLong MAPPED = new AtomicLong();

    private final Path file;
    private final long from;
    private final long size;
    private final FileTime modified;
    /** All of it, where it is in an array or short. */
    private final ByteBuffer whole;
    private final AtomicReferenceArray<WeakReference<ByteBuffer>> chunks;

    private Bytes(Path file, long from, long size, FileTime modified, ByteBuffer whole) {
        this.file = file;
        this.from = from;
        this.size = size;
        this.modified = modified;
        this.whole = whole;
        this.chunks = new AtomicReferenceArray<>(whole == null ? (int) ((size + CHUNK - 1) / CHUNK) : 0);
    }

    /** A part of a file, which must be that long. */
    static Bytes map(Path file, FileChannel channel, long from, long size) throws IOException {
        return size <= SHORT ? new Bytes(file, from, size, null, channel.map(FileChannel.MapMode.READ_ONLY, from, size))
                : new Bytes(file, from, size, Files.getLastModifiedTime(file), null);
    }

    static Bytes of(byte[] bytes) {
        return new Bytes(null, 0, bytes.length, null, ByteBuffer.wrap(bytes));
    }

    long size() {
        return size;
    }

    @Override
    public void forEach(long first, long count, int width, Consumer<ByteBuffer> reader) {
        long at = first;
        long end = first + count;
        while (at < end) {
            ByteBuffer chunk = whole != null ? whole : chunk((int) (at / CHUNK));
            int start = whole != null ? (int) at : (int) (at % CHUNK);
            int there = chunk.capacity() - start;
            int length = end - at <= there ? (int) (end - at) : there - there % width;
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
        long length = Math.min(CHUNK + WIDEST, size - at);
        if (MAPPED.addAndGet(length) > MAPPED_AT_ONCE) {
            MAPPED.set(length);
            System.gc();
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (!Files.getLastModifiedTime(file).equals(modified) || channel.size() < from + size) {
                throw new BadData(file, "has changed since it was opened; open it again");
            }
            chunk = channel.map(FileChannel.MapMode.READ_ONLY, from + at, length);
        } catch (ClosedByInterruptException e) {
            throw new CancellationException("interrupted");
        } catch (IOException e) {
            throw new BadData(file, "", "cannot be mapped (" + AtomicFiles.reason(e) + ")", e);
        }
        chunks.set(number, new WeakReference<>(chunk));
        return chunk;
    }
}
