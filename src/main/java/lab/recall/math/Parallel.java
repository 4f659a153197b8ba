package lab.recall.math;

import java.util.ArrayDeque;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import lab.recall.base.BadRequest;

/**
 * Splits work over the machine's cores.
 *
 * <pre>{@code
 * Parallel.forEach(panels, p -> multiply(p));               // returns when all are done
 * Parallel.with(1, () -> model.run(ids));                    // this call, whatever others in the process do
 * Parallel.setThreads(1);                                    // all that say nothing else
 * }</pre>
 *
 * The calling thread takes part. Items must be independent of each other, so that results do not depend on the number of threads. A call
 * from inside an item runs in the caller; callers side by side have helpers of their own. Helpers spin for a few microseconds between
 * regions and then park: the other cores are often somebody else's.
 */
public final class Parallel {
    /** Threads at most. */
    public static final int MOST = 1024;
    private static final int SPINS = 2_000;
    /** Elements of an elementwise operation that one thread takes at a time. */
    private static final int ELEMENTS = 16_384;
    private static final ThreadLocal<Boolean> INSIDE = ThreadLocal.withInitial(() -> false);
    private static final ThreadLocal<Integer> OWN = new ThreadLocal<>();
    private static final ArrayDeque<Helper> IDLE = new ArrayDeque<>();
    private static volatile int threads = Runtime.getRuntime().availableProcessors();
    private static int started;

    private Parallel() {
    }

    /** Number of threads that work, the caller's included. */
    public static int threads() {
        Integer own = OWN.get();
        return own == null ? threads : own;
    }

    /** Sets the number of threads of all calls that are not made in {@link #with}, 1 or more. */
    public static void setThreads(int count) {
        threads = checked(count);
    }

    /** Does some work with so many threads, whatever other work of this process does. */
    public static <T> T with(int count, Supplier<T> work) {
        Integer before = OWN.get();
        OWN.set(checked(count));
        try {
            return work.get();
        } finally {
            if (before == null) {
                OWN.remove();
            } else {
                OWN.set(before);
            }
        }
    }

    private static int checked(int count) {
        if (count < 1 || count > MOST) {
            throw new BadRequest("threads", count + ", expected a whole number from 1 to " + MOST);
        }
        return count;
    }

    /**
     * Calls {@code body} once for each of 0..count-1 and returns when all calls have ended. The first exception of an item is thrown again
     * and stops items that have not begun; an interrupted caller stops them as well and gets a {@link CancellationException}, its
     * interrupt flag still set.
     */
    public static void forEach(int count, IntConsumer body) {
        int most = threads();
        if (count < 2 || most < 2 || INSIDE.get()) {
            for (int i = 0; i < count; i++) {
                body.accept(i);
            }
            return;
        }
        Helper[] team = claim(Math.min(most, count) - 1);
        Region region = new Region(count, body, team.length, most);
        INSIDE.set(true);
        try {
            for (Helper h : team) {
                h.give(region);
            }
            region.work();
            region.await();
        } finally {
            INSIDE.set(false);
            synchronized (IDLE) {
                for (Helper h : team) {
                    IDLE.push(h);
                }
            }
        }
        region.rethrow();
    }

    /** Part of a count. */
    public interface Range {
        /** From {@code from} to before {@code to}. */
        void over(int from, int to);
    }

    /** Calls {@code body} for 0..count-1 in ranges of {@code size}, the last one shorter. */
    public static void ranges(int count, int size, Range body) {
        if (count <= size) {
            body.over(0, count);
            return;
        }
        forEach((count + size - 1) / size, i -> body.over(i * size, Math.min(count, (i + 1) * size)));
    }

    /** Rows of an elementwise operation, as many together as are worth handing over. */
    static void rows(int rows, int width, Range body) {
        ranges(rows, Math.max(1, ELEMENTS / width), body);
    }

    /** Helpers for one region: idle ones, and new ones where there are too few. */
    private static Helper[] claim(int wanted) {
        Helper[] team = new Helper[wanted];
        synchronized (IDLE) {
            for (int i = 0; i < wanted; i++) {
                Helper h = IDLE.poll();
                if (h == null) {
                    h = new Helper("recall-math-" + ++started);
                    h.start();
                }
                team[i] = h;
            }
        }
        return team;
    }

    /** One call of {@link #forEach}. */
    private static final class Region {
        private final int count;
        private final IntConsumer body;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger working;
        private final int threads;
        private final Thread caller = Thread.currentThread();
        private volatile Throwable failure;

        Region(int count, IntConsumer body, int helpers, int threads) {
            this.threads = threads;
            this.count = count;
            this.body = body;
            this.working = new AtomicInteger(helpers);
        }

        void work() {
            int i;
            while (failure == null && (i = next.getAndIncrement()) < count) {
                try {
                    body.accept(i);
                } catch (Throwable t) {
                    failure = t;
                }
                if (Thread.currentThread() == caller && caller.isInterrupted() && failure == null && next.get() < count) {
                    failure = new CancellationException("interrupted");
                }
            }
        }

        void helperDone() {
            if (working.decrementAndGet() == 0) {
                LockSupport.unpark(caller);
            }
        }

        void await() {
            boolean interrupted = false;
            for (int spin = 0; working.get() > 0; spin++) {
                if (spin < SPINS) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.parkNanos(this, 1_000_000);
                    interrupted |= Thread.interrupted();        // parking returns at once while the flag is set
                }
            }
            if (interrupted) {
                caller.interrupt();
            }
        }

        void rethrow() {
            Throwable t = failure;
            if (t instanceof RuntimeException e) {
                throw e;
            }
            if (t instanceof Error e) {
                throw e;
            }
        }
    }

    private static final class Helper extends Thread {
        private volatile Region given;

        Helper(String name) {
            super(name);
            setDaemon(true);
        }

        void give(Region region) {
            given = region;
            LockSupport.unpark(this);
        }

        @Override
        public void run() {
            INSIDE.set(true);
            while (true) {
                Region region = given;
                for (int spin = 0; region == null; spin++) {
                    if (spin < SPINS) {
                        Thread.onSpinWait();
                    } else {
                        LockSupport.park(this);
                    }
                    region = given;
                }
                given = null;
                OWN.set(region.threads);
                region.work();
                region.helperDone();
            }
        }
    }
}
