package lab.recall.view;

import java.io.Console;
import java.util.Locale;
import java.util.function.LongSupplier;
import lab.recall.base.Progress;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * How far long work is: done, rate, time left; below the cell in a notebook, on a terminal elsewhere, silent where nobody watches.
 *
 * <pre>{@code
 * try (var bar = ProgressBar.of("tracing", "rows", total)) { ..; bar.to(done); }
 * bar.from(done)                     // what an earlier call did: rate and time left are counted from there
 * }</pre>
 */
public final class ProgressBar implements AutoCloseable {
    private static final long EVERY_NANOS = 150_000_000L;

    private final String task;
    private final String unit;
    private final long total;
    private final LongSupplier clock;
    private final long start;
    private final Show.Channel kernel;
    private final String id;
    private final me.tongfei.progressbar.ProgressBar terminal;
    private long last;
    private long done;
    private long before;

    private ProgressBar(String task, String unit, long total, Show.Channel kernel, boolean onTerminal, LongSupplier clock) {
        this.task = task;
        this.unit = unit;
        this.total = total;
        this.clock = clock;
        this.start = clock.getAsLong();
        this.last = start;
        this.kernel = kernel;
        this.id = kernel == null ? null : kernel.show(html(), Display.HTML);
        this.terminal = kernel == null && onTerminal ? new ProgressBarBuilder().setTaskName(task).setInitialMax(total)
                .setUnit(" " + unit, 1).showSpeed().setStyle(ProgressBarStyle.ASCII).setUpdateIntervalMillis(200).build() : null;
    }

    /** A bar for where this program runs. */
    public static ProgressBar of(String task, String unit, long total) {
        return new ProgressBar(task, unit, total, Show.channel(), onTerminal(), System::nanoTime);
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
        return new ProgressBar(task, unit, total, kernel, false, clock);
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
        if (kernel != null && now - last >= EVERY_NANOS) {
            last = now;
            kernel.update(id, html(), Display.HTML);
        }
    }

    /** Draws the last state. */
    @Override
    public void close() {
        if (kernel != null) {
            kernel.update(id, html(), Display.HTML);
        }
        if (terminal != null) {
            terminal.close();
        }
    }

    private String html() {
        double seconds = (clock.getAsLong() - start) / 1e9;
        if (done >= total) {                            // a total of 0: nobody knows how much there is
            return String.format(Locale.ROOT, "<small>%s: %,d %s in %.1f s</small>", Tables.escape(task), done, unit, seconds);
        }
        String rate = before > 0 ? String.format(Locale.ROOT, ", going on after %,d", before) : "";
        if (done > before && seconds > 0) {
            double each = (done - before) / seconds;
            rate += String.format(Locale.ROOT, each < 10 ? ", %.1f a second, %.0f s left" : ", %,.0f a second, %.0f s left",
                    each, (total - done) / each);
        }
        return String.format(Locale.ROOT, "<progress value=\"%d\" max=\"%d\"></progress> <small>%s: %,d of %,d %s%s</small>", done,
                Math.max(1, total), Tables.escape(task), done, total, unit, rate);
    }
}
