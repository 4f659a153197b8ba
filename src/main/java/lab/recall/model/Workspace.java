package lab.recall.model;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Scratch buffers that grow and are used again: one workspace a thread at work, so that layers allocate nothing.
 *
 * <pre>{@code
 * private static final Workspace.Slot NORMED = Workspace.slot();
 * float[] normed = work.floats(NORMED, rows * width);
 * }</pre>
 */
public final class Workspace {
    /** Names a buffer; each has its own in every workspace. */
    public static final class Slot {
        private final int index;

        private Slot(int index) {
            this.index = index;
        }
    }

    private static final AtomicInteger SLOTS = new AtomicInteger();
    private static final ThreadLocal<Workspace> OWN = ThreadLocal.withInitial(Workspace::new);
    private float[][] buffers = new float[64][];

    /** A new one, for a constant of the class that uses it. */
    public static Slot slot() {
        return new Slot(SLOTS.getAndIncrement());
    }

    /** The calling thread's own. */
    static Workspace own() {
        return OWN.get();
    }

    /** A buffer of at least this many numbers, with whatever was in it. The same slot gives the same buffer. */
    public float[] floats(Slot slot, int size) {
        if (slot.index >= buffers.length) {
            buffers = Arrays.copyOf(buffers, slot.index + 16);
        }
        float[] b = buffers[slot.index];
        if (b == null || b.length < size) {
            b = new float[Math.max(size, 64)];
            buffers[slot.index] = b;
        }
        return b;
    }
}
