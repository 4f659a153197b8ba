package lab.recall.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.awt.Color;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;
import lab.recall.base.InputFiles;
import lab.recall.base.Json;
import lab.recall.view.Charts;
import lab.recall.view.Showable;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.style.Styler;

/**
 * The course of a training, one JSON line an entry; shows itself as the learning curve.
 *
 * <pre>{@code
 * trained.log().last().recall().seen()
 * trained.log()                                              // in a notebook: the curve
 * }</pre>
 */
public final class TrainLog implements Showable {
    private static final String LOSS = "loss (right)";

    /**
     * What was measured after a step.
     *
     * @param step    steps done
     * @param steps   steps in all
     * @param loss    mean over the steps since the last entry
     * @param rate    learning rate
     * @param norm    length of the last gradient before it was clipped
     * @param recall  of some pairs, at the end of all
     * @param tokens  trained a second since the last entry
     * @param seconds of training so far, this run's and those before a kill
     */
    public record Entry(int step, int steps, double loss, double rate, double norm, Recall recall, double tokens, double seconds) {
        /** One line for a terminal. */
        public String line() {
            return String.format(Locale.ROOT,
                    "step %,d of %,d  loss %.3f  recall: seen %.3f, dropped %.3f, held out %.3f  %,.0f tokens/s  %.0f s left",
                    step, steps, loss, recall.seen(), recall.dropped(), recall.heldOut(), tokens, seconds / step * (steps - step));
        }
    }

    private final Path file;
    private final List<Entry> entries = new ArrayList<>();
    /** The file's text. */
    private final StringBuilder text = new StringBuilder();

    private TrainLog(Path file) {
        this.file = file;
    }

    /** The log in a folder, up to a step: what was written after it is left out. */
    static TrainLog upTo(Path folder, int step) {
        TrainLog log = new TrainLog(folder.resolve("log.jsonl"));
        if (Files.exists(log.file)) {
            log.read(e -> e.step <= step);
        }
        log.write();
        return log;
    }

    /** Whether a folder's log goes on to the last step. */
    static boolean isWhole(Path folder) {
        if (!Files.exists(folder.resolve("log.jsonl"))) {
            return false;
        }
        List<Entry> all = read(folder).entries;
        return !all.isEmpty() && all.get(all.size() - 1).step == all.get(all.size() - 1).steps;
    }

    /**
     * Reads the log of a folder.
     *
     * @throws BadData when there is none
     */
    public static TrainLog read(Path folder) {
        TrainLog log = new TrainLog(folder.resolve("log.jsonl"));
        log.read(e -> true);
        return log;
    }

    private void read(Predicate<Entry> wanted) {
        try (Stream<String> lines = Files.lines(InputFiles.plain(file))) {
            lines.forEach(line -> {
                Entry e = entry(line);
                if (e != null && wanted.test(e)) {
                    entries.add(e);
                    text.append(line).append('\n');
                }
            });
        } catch (IOException e) {
            throw new BadData(file, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        } catch (UncheckedIOException e) {
            throw new BadData(file, "", "cannot be read (" + AtomicFiles.reason(e.getCause()) + ")", e);
        }
    }

    private void write() {
        AtomicFiles.write(file, text.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static Entry entry(String line) {
        try {
            JsonNode j = Json.MAPPER.readTree(line);
            return new Entry(j.get("step").asInt(), j.get("steps").asInt(),
                    j.get("loss").asDouble(), j.get("rate").asDouble(), j.get("norm").asDouble(),
                    new Recall(j.get("seen").asDouble(Double.NaN), j.get("dropped").asDouble(Double.NaN),
                            j.get("held_out").asDouble(Double.NaN)),
                    j.get("tokens_per_second").asDouble(), j.get("seconds").asDouble());
        } catch (JsonProcessingException | RuntimeException e) {
            return null;                    // cut short by a kill
        }
    }

    void add(Entry e) {
        entries.add(e);
        ObjectNode line = Json.MAPPER.createObjectNode().put("step", e.step).put("steps", e.steps).put("loss", e.loss).put("rate", e.rate)
                .put("norm", e.norm).put("seen", e.recall.seen()).put("dropped", e.recall.dropped()).put("held_out", e.recall.heldOut())
                .put("tokens_per_second", e.tokens).put("seconds", e.seconds);
        text.append(new String(Json.compact(line), StandardCharsets.UTF_8)).append('\n');
        write();
    }

    /** All entries. */
    public List<Entry> entries() {
        return List.copyOf(entries);
    }

    /**
     * The newest entry.
     *
     * @throws BadData when there is no entry yet
     */
    public Entry last() {
        if (entries.isEmpty()) {
            throw new BadData(file, "no entry yet");
        }
        return entries.get(entries.size() - 1);
    }

    /** Loss (right axis) and recall by step. */
    public XYChart chart() {
        XYChart chart = Charts.lines("learning curve", "step", "recall");
        chart.getStyler().setYAxisMin(0, 0.0).setYAxisMax(0, 1.0).setYAxisMin(1, 0.0);
        line(chart, "seen pairs", 0, e -> e.recall.seen());
        line(chart, "dropped pairs", 0, e -> e.recall.dropped());
        line(chart, "held-out templates", 0, e -> e.recall.heldOut());
        line(chart, LOSS, 1, Entry::loss);
        chart.getStyler().setXAxisMin(0.0).setXAxisTickMarkSpacingHint(150);
        chart.setYAxisGroupTitle(1, "loss");
        chart.getStyler().setYAxisGroupPosition(1, Styler.YAxisPosition.Right);
        return chart;
    }

    private void line(XYChart chart, String name, int axis, ToDoubleFunction<Entry> value) {
        List<Entry> known = entries.stream().filter(e -> !Double.isNaN(value.applyAsDouble(e))).toList();
        if (!known.isEmpty()) {
            double[] steps = known.stream().mapToDouble(Entry::step).toArray();
            double[] values = known.stream().mapToDouble(value).toArray();
            if (name.equals(LOSS)) {
                Charts.dashed(chart, name, steps, values).getSeries(name).setLineColor(Color.GRAY);
            } else {
                Charts.line(chart, name, steps, values);
            }
            chart.getSeries(name).setYAxisGroup(axis);
        }
    }

    @Override
    public Object view() {
        return chart();
    }
}
