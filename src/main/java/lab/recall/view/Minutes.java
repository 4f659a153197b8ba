package lab.recall.view;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How long the sections of a notebook took; shows itself as a table.
 *
 * <pre>{@code
 * var clock = Minutes.start();
 * clock.took("causal tracing");                              // since the start, or since the section before
 * clock.hours()
 * }</pre>
 */
public final class Minutes implements Showable {
    private final Map<String, Double> minutes = new LinkedHashMap<>();
    private long since = System.nanoTime();

    private Minutes() {
    }

    /** Begins to count. */
    public static Minutes start() {
        return new Minutes();
    }

    /** Ends a section; a name that was there before is counted on, as a cell that runs again is. */
    public void took(String section) {
        long now = System.nanoTime();
        minutes.merge(section, (now - since) / 60e9, Double::sum);
        since = now;
    }

    /** Of all sections together. */
    public double hours() {
        return minutes.values().stream().mapToDouble(m -> m).sum() / 60;
    }

    @Override
    public Object view() {
        List<List<Object>> rows = new ArrayList<>();
        minutes.forEach((section, m) -> rows.add(List.of(section, String.format(Locale.ROOT, "%.1f", m))));
        return Tables.of("minutes", List.of("section", "minutes"), rows);
    }
}
