package lab.recall.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.InputFiles;
import lab.recall.base.Json;
import lab.recall.stats.Estimate;
import lab.recall.text.DataFolder;
import lab.recall.view.Charts;
import lab.recall.view.Tables;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/**
 * The small models from several seeds each, and what every experiment found on all of them: {@code data/zoo}.
 *
 * <pre>{@code
 * Zoo zoo = Zoo.open();
 * zoo.headlines()                                            // a row a model: recall, and a number of each experiment
 * zoo.chart("tiny-mamba", "trace", "resid_post/subject_last", "the subject's last token")     // by layer, a line a seed
 * zoo.median("tiny-mamba")                                   // the seed that is embedded, by the rule in data/zoo/README.md
 * zoo.learning("tiny-mamba")                                 // what it knows, and where that is, step by step
 * zoo.at("tiny-mamba", 3, "trace", "resid_post/last/7")      // one number
 * }</pre>
 *
 * Its numbers are read, not computed; {@code environment/zoo} makes them again.
 */
public final class Zoo {
    static final String TRACE = "trace";
    /** What the rule looks at, by layer. */
    static final String SUBJECT_LAST = "resid_post/subject_last";

    /** What a training's recall was after a step. */
    record Learned(int step, double seen, double dropped, double heldOut) {
    }

    private final Path folder;
    private final Map<String, SweepTable> found = new LinkedHashMap<>();
    private final Map<String, List<Learned>> training = new LinkedHashMap<>();

    private Zoo(Path folder) {
        this.folder = folder;
        for (String file : List.of("results.csv", "steps.csv")) {
            found.put(file, SweepTable.read(folder.resolve(file)));
        }
        Path file = folder.resolve("training.jsonl");
        for (String line : new String(InputFiles.bytes(file), StandardCharsets.UTF_8).split("\n")) {
            JsonNode e = Json.object(line.getBytes(StandardCharsets.UTF_8), file.toString());
            training.computeIfAbsent(e.path("model").asText(), m -> new ArrayList<>()).add(new Learned(e.path("step").asInt(),
                    e.path("seen").asDouble(Double.NaN), e.path("dropped").asDouble(Double.NaN), e.path("held_out").asDouble(Double.NaN)));
        }
    }

    /** The one that comes with the project. */
    public static Zoo open() {
        return new Zoo(DataFolder.find("zoo"));
    }

    /**
     * One that {@code environment/zoo --out} wrote.
     *
     * @throws BadData when a file of it is missing, or not what it should be
     */
    public static Zoo of(Path folder) {
        return new Zoo(folder);
    }

    /** The kinds of models, such as {@code tiny-mamba}. */
    public List<String> kinds() {
        return results().models().stream().map(m -> m.substring(0, m.indexOf('/'))).distinct().toList();
    }

    /**
     * The seeds of a kind.
     *
     * @throws BadRequest when there is no such kind
     */
    public List<Integer> seeds(String kind) {
        List<Integer> seeds = results().models().stream().filter(m -> m.startsWith(kind + "/"))
                .map(m -> Integer.valueOf(m.substring(kind.length() + 1))).sorted().toList();
        if (seeds.isEmpty()) {
            throw new BadRequest("kind", "'" + kind + "', expected " + String.join(" or ", kinds()));
        }
        return seeds;
    }

    /**
     * A number.
     *
     * @param place as in the table's column {@code place}
     * @throws BadRequest when it was not measured
     */
    public Estimate at(String kind, int seed, String study, String place) {
        return results().at(kind + "/" + seed, study, place);
    }

    /** The seed whose largest effect of the subject's last token is the lower median of its kind's; of equals the smaller seed comes first. */
    public int median(String kind) {
        List<Integer> sorted = seeds(kind).stream().sorted(Comparator.comparingDouble((Integer s) -> bound(kind, s))
                .thenComparing(Comparator.naturalOrder())).toList();
        return sorted.get((sorted.size() - 1) / 2);
    }

    /** The largest mean effect over the layers of the stream put back at the subject's last token. */
    public double bound(String kind, int seed) {
        return DoubleStream.of(results().byLayer(kind + "/" + seed, TRACE, SUBJECT_LAST)).max().orElseThrow();
    }

    /**
     * A row a model: what it knows at the end, and a number of each experiment. Effects and falls are the largest of all layers, the score
     * that of the best layer and matrix, a relation's faithfulness that of the layer that was chosen.
     */
    public Table headlines() {
        List<List<Object>> rows = new ArrayList<>();
        for (String kind : kinds()) {
            int embedded = median(kind);
            for (int seed : seeds(kind)) {
                List<Learned> all = learned(kind, seed);
                Learned end = all.get(all.size() - 1);
                String model = kind + "/" + seed;
                rows.add(List.of(kind, seed + (seed == embedded ? " (embedded)" : ""), Tables.number(end.dropped),
                        Tables.number(end.heldOut), Tables.number(bound(kind, seed)),
                        Tables.number(most(model, "trace-shuffled", "resid_post/", Math::abs)),
                        Tables.number(most(model, "edit", "score/", v -> v)), Tables.number(faithfulness(model)),
                        Tables.number(-most(model, "knockout", "change/", v -> -v))));
            }
        }
        return Tables.of("the small models, from each seed", List.of("model", "seed", "recall, dropped pairs", "recall, held-out templates",
                "subject's last token, largest effect", "another fact's answer, largest effect", "edits, best score",
                "relations, mean faithfulness", "largest fall by edges cut"), rows);
    }

    private double most(String model, String study, String prefix, DoubleUnaryOperator of) {
        return results().of(model, study).entrySet().stream().filter(e -> e.getKey().startsWith(prefix))
                .mapToDouble(e -> of.applyAsDouble(e.getValue().mean())).filter(v -> !Double.isNaN(v)).max().orElse(Double.NaN);
    }

    private double faithfulness(String model) {
        return results().of(model, "linear").entrySet().stream().filter(e -> e.getKey().matches("faithfulness/[^/]+"))
                .mapToDouble(e -> e.getValue().mean()).filter(v -> !Double.isNaN(v)).average().orElse(Double.NaN);
    }

    /** A place's means by layer, a line a seed; the embedded one is named. */
    public XYChart chart(String kind, String study, String place, String title) {
        XYChart chart = Charts.lines(kind + ", " + seeds(kind).size() + " seeds: " + title, "layer", "mean");
        int embedded = median(kind);
        for (int seed : seeds(kind)) {
            double[] y = results().byLayer(kind + "/" + seed, study, place);
            Charts.line(chart, "seed " + seed + (seed == embedded ? ", embedded" : ""),
                    IntStream.range(0, y.length).asDoubleStream().toArray(), y);
        }
        return chart;
    }

    /**
     * What a kind's models know on the way, and how much of it the subject's last token brings back: the mean over the seeds, from the
     * least to the largest of them.
     *
     * @throws BadRequest when no models on the way were kept of this kind
     */
    public XYChart learning(String kind) {
        List<Integer> seeds = seeds(kind);
        List<Integer> steps = steps(kind);
        XYChart chart = Charts.lines(kind + ", mean of " + seeds.size() + " seeds, from the least to the most", "step", "share");
        line(chart, "recall, seen pairs", kind, Learned::seen);
        line(chart, "recall, held-out templates", kind, Learned::heldOut);
        band(chart, "subject's last token, largest effect", steps, steps.stream().map(step -> seeds.stream().mapToDouble(seed ->
                DoubleStream.of(onTheWay().byLayer(kind + "/" + seed + "/steps/" + step, TRACE, SUBJECT_LAST)).max().orElseThrow())
                .toArray()).toList());
        band(chart, "last token, after half of the layers", steps, steps.stream().map(step -> seeds.stream().mapToDouble(seed -> {
            double[] last = onTheWay().byLayer(kind + "/" + seed + "/steps/" + step, TRACE, "resid_post/last");
            return last[last.length / 2 - 1];
        }).toArray()).toList());
        return chart;
    }

    private List<Integer> steps(String kind) {
        List<Integer> steps = onTheWay().models().stream().filter(m -> m.startsWith(kind + "/"))
                .map(m -> Integer.valueOf(m.substring(m.lastIndexOf('/') + 1))).distinct().sorted().toList();
        if (steps.isEmpty()) {
            throw new BadRequest("kind", "'" + kind + "': no models on the way were kept of it");
        }
        return steps;
    }

    private void line(XYChart chart, String name, String kind, ToDoubleFunction<Learned> value) {
        List<List<Learned>> all = seeds(kind).stream().map(s -> learned(kind, s)).toList();
        List<Integer> steps = all.get(0).stream().map(Learned::step).toList();
        band(chart, name, steps, IntStream.range(0, steps.size()).mapToObj(i ->
                all.stream().mapToDouble(l -> value.applyAsDouble(l.get(i))).toArray()).toList());
    }

    private static void band(XYChart chart, String name, List<Integer> steps, List<double[]> each) {
        Charts.line(chart, name, steps.stream().mapToDouble(s -> s).toArray(),
                each.stream().mapToDouble(v -> DoubleStream.of(v).average().orElseThrow()).toArray(),
                each.stream().mapToDouble(v -> DoubleStream.of(v).min().orElseThrow()).toArray(),
                each.stream().mapToDouble(v -> DoubleStream.of(v).max().orElseThrow()).toArray());
    }

    List<Learned> learned(String kind, int seed) {
        List<Learned> all = training.get(kind + "/" + seed);
        if (all == null) {
            throw new BadData(folder.resolve("training.jsonl"), "no line of " + kind + "/" + seed);
        }
        return all;
    }

    SweepTable results() {
        return found.get("results.csv");
    }

    private SweepTable onTheWay() {
        return found.get("steps.csv");
    }
}
