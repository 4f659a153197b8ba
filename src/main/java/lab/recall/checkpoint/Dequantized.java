package lab.recall.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Consumer;

/**
 * Quantised blocks as f32 numbers, decoded where they are read.
 *
 * @param type  of the blocks
 * @param bytes where they stand
 * @param from  byte at which they begin
 */
record Dequantized(GgufType type, Content bytes, long from) implements Content {
    /** Numbers that are decoded at once. */
    private static final int AT_ONCE = 4096;

    @Override
    public void forEach(long first, long count, int width, Consumer<ByteBuffer> reader) {
        long next = first / Float.BYTES;
        long end = (first + count) / Float.BYTES;
        int most = (int) Math.min(AT_ONCE / type.block(), (end - next) / type.block() + 2);
        byte[] packed = new byte[most * type.bytes()];
        float[] numbers = new float[most * type.block()];
        while (next < end) {
            long block = next / type.block();
            int blocks = (int) Math.min(most, (end - 1) / type.block() - block + 1);
            int[] got = {0};
            bytes.forEach(from + block * type.bytes(), (long) blocks * type.bytes(), 1, b -> {
                int n = b.remaining();
                b.get(packed, got[0], n);
                got[0] += n;
            });
            type.decode(packed, blocks, numbers);
            int skipped = (int) (next % type.block());
            int n = (int) Math.min(end - next, (long) blocks * type.block() - skipped);
            ByteBuffer piece = ByteBuffer.allocate(n * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            piece.asFloatBuffer().put(numbers, skipped, n);
            reader.accept(piece);
            next += n;
        }
    }
}
