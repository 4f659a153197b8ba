package lab.recall.checkpoint;

import java.nio.ByteBuffer;
import java.util.function.Consumer;

/** The bytes of tensors: stored ones, or such that are computed where they are read. */
interface Content {
    /**
     * Hands a range over piece by piece, in order, each a little-endian buffer of its own; no number lies across two.
     *
     * @param width bytes of a number, at most 16
     */
    void forEach(long first, long count, int width, Consumer<ByteBuffer> reader);

    /** Rows of {@code rowBytes} each in another order: row r is row {@code order[r]} of this one, counted from {@code from} on. */
    default Content rows(long from, long rowBytes, int[] order) {
        return (first, count, width, reader) -> {
            long at = first;
            while (at < first + count) {
                long inRow = at % rowBytes;
                long length = Math.min(first + count - at, rowBytes - inRow);
                forEach(from + order[(int) (at / rowBytes)] * rowBytes + inRow, length, width, reader);
                at += length;
            }
        };
    }
}
