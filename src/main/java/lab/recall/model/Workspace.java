package lab.recall.model;

import java.util.Arrays;

/** Scratch buffers that grow and are used again: one per thread at work, so that layers allocate nothing. */
final class Workspace {
    private static final ThreadLocal<Workspace> OWN = ThreadLocal.withInitial(Workspace::new);
    private float[][] buffers = new float[16][];

    /** The calling thread's own. */
    static Workspace own() {
        return OWN.get();
    }

    /** A buffer of at least this many numbers, with whatever was in it. The same slot gives the same buffer. */
    float[] floats(int slot, int size) {
        if (slot >= buffers.length) {
            buffers = Arrays.copyOf(buffers, slot + 8);
        }
        float[] b = buffers[slot];
        if (b == null || b.length < size) {
            b = new float[Math.max(size, 64)];
            buffers[slot] = b;
        }
        return b;
    }
}
