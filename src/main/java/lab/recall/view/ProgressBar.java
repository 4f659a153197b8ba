package lab.recall.view;

import java.io.Console;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import lab.recall.base.Progress;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * How far long work is: done, rate, time left, or that it was stopped; below the cell in a notebook, on a terminal elsewhere, silent where
 * nobody watches.
 *
 * <pre>{@code
 * try (var bar = ProgressBar.of("tracing", "rows", total)) { ..; bar.to(done); }
 * bar.from(done)                     // what an earlier call did: rate and time left are counted from there
 * }</pre>
 */
public final class ProgressBar implements AutoCloseable {
    private static final long EVERY_NANOS = 150_000_000L;
    private static final ScheduledExecutorService CLOCK = Executors.newSingleThreadScheduledExecutor(r -> {
        Thread t = new Thread(r, "progress");
        t.setDaemon(true);
        return t;
    });

    private static final Set<ProgressBar> OPEN = ConcurrentHashMap.newKeySet();

    /** How a bar stands, as HTML and as text. */
    record State(String html, String text) {
        @Override
        public String toString() {
            return html;
        }
    }

    private final String task;
    private final String unit;
    private final long total;
    private final LongSupplier clock;
    private final long start;
    private final Show.Channel kernel;
    private final String id;
    private final me.tongfei.progressbar.ProgressBar terminal;
    private long last;
    private volatile long done;
    private volatile long before;
    private State drawn;
    private boolean isClosed;
    private final ScheduledFuture<?> ticks;

    private ProgressBar(String task, String unit, long total, Show.Channel kernel, boolean onTerminal, boolean ticks, LongSupplier clock) {
        this.task = task;
        this.unit = unit;
        this.total = total;
        this.clock = clock;
        this.start = clock.getAsLong();
        this.last = start;
        this.kernel = kernel;
        this.drawn = state();
        this.id = kernel == null ? null : kernel.show(drawn);
        this.terminal = kernel == null && onTerminal ? new ProgressBarBuilder().setTaskName(task).setInitialMax(total)
                .setUnit(" " + unit, 1).showSpeed().setStyle(ProgressBarStyle.ASCII).setUpdateIntervalMillis(200).build() : null;
        // the seconds go on also where the first piece of work takes long
        if (kernel != null) {
            OPEN.add(this);
        }
        this.ticks = ticks && kernel != null ? CLOCK.scheduleAtFixedRate(this::draw, 1, 1, TimeUnit.SECONDS) : null;
    }

    /** A bar for where this program runs. */
    public static ProgressBar of(String task, String unit, long total) {
        return new ProgressBar(task, unit, total, Show.channel(), onTerminal(), true, System::nanoTime);
    }

    /** From Java 22 on there may be a console without a terminal, which it tells. */
    @SuppressWarnings("SystemConsoleNull")
    private static boolean onTerminal() {
        Console console = System.console();
        try {
            return console != null && (Boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (NoSuchMethodException e) {
            return true;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A bar for each piece of work that is told of. */
    public static Progress progress() {
        return new Progress() {
            private ProgressBar bar;

            @Override
            public void start(String task, String unit, long total) {
                bar = of(task, unit, total);
            }

            @Override
            public void to(long done) {
                bar.to(done);
            }

            @Override
            public void finish() {
                bar.close();
            }
        };
    }

    static ProgressBar of(String task, String unit, long total, Show.Channel kernel, LongSupplier clock) {
        return new ProgressBar(task, unit, total, kernel, false, false, clock);
    }

    /** What was done before this work began; said in the bar. */
    public void from(long doneBefore) {
        before = doneBefore;
        to(doneBefore);
    }

    /** Sets how much is done; redraws at most a few times a second. */
    public void to(long nowDone) {
        done = nowDone;
        if (terminal != null) {
            terminal.stepTo(done);
        }
        long now = clock.getAsLong();
        if (kernel != null && now - last >= EVERY_NANOS && (done < total || total == 0)) {      // the end is drawn once
            last = now;
            draw();
        }
    }

    /** Draws the last state: what was done, or that the work was stopped. */
    @Override
    public void close() {
        if (ticks != null) {
            ticks.cancel(false);
        }
        OPEN.remove(this);
        end();
        if (terminal != null) {
            terminal.close();
        }
    }

    /** Says below the cell that the work of all bars was stopped; the kernel knows before the work does. */
    public static void stopAll() {
        OPEN.forEach(ProgressBar::end);
        OPEN.clear();
    }

    private synchronized void end() {
        if (kernel != null && !isClosed && done < total) {
            kernel.update(id, stopped());
        } else {
            draw();
        }
        isClosed = true;
    }

    private synchronized void draw() {
        State now = isClosed || kernel == null ? drawn : state();
        if (!now.equals(drawn)) {
            drawn = now;
            kernel.update(id, now);
        }
    }

    private double seconds() {
        return (clock.getAsLong() - start) / 1e9;
    }

    private State stopped() {
        return ended(String.format(Locale.ROOT, "%s: stopped after %,d of %,d %s, %.1f s", task, done, total, unit, seconds()));
    }

    private static State ended(String text) {
        return new State("<small>" + Tables.escape(text) + "</small>", text);
    }

    private State state() {
        double seconds = seconds();
        if (done >= total) {                            // a total of 0: nobody knows how much there is
            return ended(String.format(Locale.ROOT, "%s: %,d %s in %.1f s", task, done, unit, seconds));
        }
        String rate = before > 0 ? String.format(Locale.ROOT, ", going on after %,d", before) : "";
        if (done > before && seconds > 0) {
            double each = (done - before) / seconds;
            rate += String.format(Locale.ROOT, each < 10 ? ", %.1f a second, %.0f s left" : ", %,.0f a second, %.0f s left",
                    each, (total - done) / each);
        } else if (seconds >= 1) {
            rate += String.format(Locale.ROOT, ", %.0f s so far", seconds);
        }
        String text = String.format(Locale.ROOT, "%s: %,d of %,d %s%s", task, done, total, unit, rate);
        return new State(String.format(Locale.ROOT, "<progress value=\"%d\" max=\"%d\"></progress> <small>%s</small>", done,
                Math.max(1, total), Tables.escape(text)), text);
    }
}
