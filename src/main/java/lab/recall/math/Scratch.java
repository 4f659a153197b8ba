package lab.recall.math;

/** A buffer that grows and is used again, one for each thread. */
final class Scratch {
    private final ThreadLocal<float[]> own = ThreadLocal.withInitial(() -> new float[0]);
    private final ThreadLocal<short[]> halves = ThreadLocal.withInitial(() -> new short[0]);

    /** The calling thread's, at least so long, with whatever was in it. */
    float[] floats(int size) {
        float[] buffer = own.get();
        if (buffer.length < size) {
            buffer = new float[size];
            own.set(buffer);
        }
        return buffer;
    }

    /** The same for half-size numbers. */
    short[] shorts(int size) {
        short[] buffer = halves.get();
        if (buffer.length < size) {
            buffer = new short[size];
            halves.set(buffer);
        }
        return buffer;
    }
}
