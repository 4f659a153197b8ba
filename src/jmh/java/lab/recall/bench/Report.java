package lab.recall.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import lab.recall.model.RowBlocks;
import lab.recall.view.Tables;

/** The rows: printed as they come, as a table at the end, and in a file that is complete after every row. */
final class Report {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> COLUMNS = List.of("job", "model", "tokens", "threads", "process", "rows", "seconds", "GFLOP/s",
            "peak", "share of peak", "GB streamed", "cells", "baseline", "baseline seconds", "ratio", "largest difference");

    private final String file;
    private final Map<String, Object> always;
    private final List<Map<String, Object>> rows = new ArrayList<>();

    /** @param always what all rows say of the machine */
    Report(String file, Map<String, Object> always) {
        this.file = file;
        this.always = always;
    }

    /**
     * What a row is set beside.
     *
     * @param spread     of times that are medians, how far apart they lie, as a share of it
     * @param ownSpread  the same of ours
     * @param difference between its numbers and ours, at most
     */
    record Baseline(String name, double seconds, double spread, double ownSpread, double difference) {
        Baseline(String name, double seconds) {
            this(name, seconds, Double.NaN);
        }

        Baseline(String name, double seconds, double difference) {
            this(name, seconds, Double.NaN, Double.NaN, difference);
        }
    }

    /**
     * Adds a row.
     *
     * @param job     its name
     * @param process what the process had done before
     * @param answer  of the worker
     * @param peer    version of PyTorch, or of the tool beside it; or null
     */
    void add(Job j, String job, String process, double seconds, JsonNode answer, Machine machine, Baseline baseline, JsonNode peer)
            throws IOException {
        double speed = answer.path("flops").asDouble(Double.NaN) / seconds / 1e9;
        Map<String, Object> r = new LinkedHashMap<>();
        r.put("job", job);
        r.put("model", j.model());
        r.put("tokens", j.tokens());
        r.put("threads", j.threads());
        r.put("process", process);
        r.put("rows", answer.path("rows").asLong());
        r.put("seconds", seconds);
        r.put("GFLOP/s", speed);
        r.put("peak", machine.peak(j.threads()));
        r.put("peak of one thread", machine.peak(1));
        r.put("share of peak", speed / machine.peak(j.threads()));
        r.put("baseline", baseline.name);
        r.put("baseline seconds", baseline.seconds);
        r.put("ratio", baseline.seconds / seconds);
        r.put("cells", answer.path("grid").isEmpty() ? null : answer.path("grid").size());
        r.put("largest difference", baseline.difference);
        r.put("spread", baseline.ownSpread);
        r.put("baseline spread", baseline.spread);
        long states = answer.path("states").asLong();
        r.put("ns a state", states == 0 ? Double.NaN : seconds * 1e9 / states);
        r.put("weight bytes", answer.path("weight bytes").asLong());
        r.put("block rows", RowBlocks.ROWS);
        r.put("bytes streamed", answer.path("bytes streamed").asLong() == 0 ? null : answer.path("bytes streamed").asLong());
        r.put("memory MB", answer.path("memory MB").asLong());
        r.putAll(always);
        r.put("peer", peer);
        r.replaceAll((k, v) -> v instanceof Double d && !Double.isFinite(d) ? null : v);
        rows.add(r);
        System.out.println(line(r));
        if (!file.isEmpty()) {
            Files.writeString(Path.of(file), JSON.writerWithDefaultPrettyPrinter().writeValueAsString(rows));
        }
    }

    private static String line(Map<String, Object> r) {
        StringBuilder b = new StringBuilder(String.format(Locale.ROOT, "%s, %s, %s tokens, threads %s, %s: %s", r.get("job"),
                r.get("model"), r.get("tokens"), r.get("threads"), r.get("process"), time((Double) r.get("seconds"))));
        if (r.get("share of peak") != null) {
            b.append(String.format(Locale.ROOT, ", %.1f of %.1f GFLOP/s (%.0f %%)", (Double) r.get("GFLOP/s"), (Double) r.get("peak"),
                    100 * (Double) r.get("share of peak")));
        }
        if (r.get("ns a state") != null) {
            b.append(String.format(Locale.ROOT, ", %.2f ns per token, channel and state", (Double) r.get("ns a state")));
        }
        if (r.get("bytes streamed") != null) {
            b.append(String.format(Locale.ROOT, ", %.2f GB of weights in blocks of %d rows", gigabytes(r), (Integer) r.get("block rows")));
        }
        if (r.get("ratio") != null) {
            b.append(String.format(Locale.ROOT, "; %s %s: ratio %.2f", r.get("baseline"), time((Double) r.get("baseline seconds")),
                    (Double) r.get("ratio")));
        }
        if (r.get("largest difference") != null) {
            b.append(String.format(Locale.ROOT, "; numbers at most %.1e apart", (Double) r.get("largest difference")));
        }
        if (r.get("spread") != null) {
            b.append(String.format(Locale.ROOT, "; quartiles %.0f %% apart, theirs %.0f %%", 100 * (Double) r.get("spread"),
                    100 * (Double) r.get("baseline spread")));
        }
        return b.toString();
    }

    private static double gigabytes(Map<String, Object> r) {
        return r.get("bytes streamed") instanceof Long bytes ? bytes / 1e9 : Double.NaN;
    }

    private static String time(double seconds) {
        return seconds < 1e-3 ? String.format(Locale.ROOT, "%.1f us", seconds * 1e6)
                : seconds < 1 ? String.format(Locale.ROOT, "%.2f ms", seconds * 1e3) : String.format(Locale.ROOT, "%.2f s", seconds);
    }

    /** Columns that would be empty are left out. */
    void print() {
        List<String> columns = COLUMNS.stream().filter(c -> rows.stream().anyMatch(r -> !isEmpty(cell(r, c)))).toList();
        List<List<Object>> cells = rows.stream().map(r -> columns.stream().map(c -> cell(r, c)).toList()).toList();
        System.out.print("\n" + Tables.text(Tables.of("", columns, cells)));
    }

    private static boolean isEmpty(Object cell) {
        return cell.equals("") || cell.equals(Double.NaN);
    }

    private static Object cell(Map<String, Object> r, String column) {
        Object value = column.equals("GB streamed") ? gigabytes(r) : r.get(column);
        return value != null ? value : column.equals("baseline") ? "" : Double.NaN;
    }
}
