package lab.recall.math;

/** Whether the Vector API can be used on this machine; found once, by capability. */
final class Simd {
    private static final boolean AVAILABLE = find();

    private Simd() {
    }

    /** True when the JVM was started with {@code --add-modules jdk.incubator.vector}. */
    static boolean available() {
        return AVAILABLE;
    }

    private static boolean find() {
        boolean found = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        if (!found) {
            System.err.println("note: running without the Vector API, several times slower; start java with --add-modules jdk.incubator.vector");
        }
        return found;
    }
}
