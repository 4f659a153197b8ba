package lab.recall.math;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Whether kernels use the Vector API.
 *
 * <p>Until the compilers have worked on a vector loop it is a hundred times slower than the same loop in scalars, and they work on it for
 * long. With {@code -Drecall.cold=true}, as the command line and the notebooks' kernel are started, a process does its first work in the
 * scalar form of each kernel, which gives the same bits: a short question is answered before the vector form would run.
 */
final class Simd {
    /** Multiply-adds of products that come first: a first pass of a few tokens through 130 million weights. */
    private static final long FIRST = 2_000_000_000L;
    private static final boolean PRESENT = find();
    private static final AtomicLong DONE = new AtomicLong();
    /** Not volatile: kernels read it in loops, and which form a kernel takes does not matter. */
    private static boolean available = PRESENT && !Boolean.getBoolean("recall.cold");

    private Simd() {
    }

    /** True when the JVM was started with {@code --add-modules jdk.incubator.vector}. */
    static boolean present() {
        return PRESENT;
    }

    /** Whether vectors are to be used now: they are there, and this process is past its first work. */
    static boolean available() {
        return available;
    }

    /** Counts multiply-adds of the first work. */
    static void did(long products) {
        if (DONE.addAndGet(products) >= FIRST) {
            warm();
        }
    }

    /** Ends the first work. */
    static void warm() {
        available = PRESENT;
    }

    private static boolean find() {
        boolean found = ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
        if (!found) {
            System.err.println(
                    "note: running without the Vector API, several times slower; start java with --add-modules jdk.incubator.vector");
        }
        return found;
    }
}
