package lab.recall.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.function.Consumer;

/**
 * A run of bytes of any length, mapped from a file or held in an array. Java 17 maps at most 2 GiB at once, so a long run is mapped in
 * chunks; a chunk's size is a multiple of every number's, so that no number lies across two.
 */
final class Bytes {
    static final int CHUNK = 1 << 30;

    private final ByteBuffer[] chunks;
    private final long size;

    private Bytes(ByteBuffer[] chunks, long size) {
        this.chunks = chunks;
        this.size = size;
    }

    static Bytes map(FileChannel channel, long from, long size) throws IOException {
        ByteBuffer[] chunks = new ByteBuffer[(int) ((size + CHUNK - 1) / CHUNK)];
        for (int i = 0; i < chunks.length; i++) {
            long at = (long) i * CHUNK;
            chunks[i] = channel.map(FileChannel.MapMode.READ_ONLY, from + at, Math.min(CHUNK, size - at)).order(ByteOrder.LITTLE_ENDIAN);
        }
        return new Bytes(chunks, size);
    }

    static Bytes of(byte[] bytes) {
        ByteBuffer[] chunks = bytes.length == 0 ? new ByteBuffer[0] : new ByteBuffer[] {ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)};
        return new Bytes(chunks, bytes.length);
    }

    long size() {
        return size;
    }

    /** Hands a range over piece by piece, in order, each a buffer of its own. */
    void forEach(long from, long count, Consumer<ByteBuffer> reader) {
        long at = from;
        while (at < from + count) {
            int chunk = (int) (at / CHUNK);
            int start = (int) (at % CHUNK);
            int length = (int) Math.min(from + count - at, chunks[chunk].capacity() - start);
            reader.accept(chunks[chunk].slice(start, length).order(ByteOrder.LITTLE_ENDIAN));
            at += length;
        }
    }
}
