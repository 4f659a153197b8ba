package lab.recall.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.edit.EditSweep;
import lab.recall.edit.EditSweepExperiment;
import lab.recall.edit.SecondMoments;
import lab.recall.study.Answer;
import lab.recall.study.NamedArray;
import lab.recall.study.NamedView;
import lab.recall.view.Charts;
import org.knowm.xchart.XYChart;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "edit-sweep", mixinStandardHelpOptions = true,
        description = "Edits facts at every layer and matrix, each by itself, and measures efficacy, generalisation and specificity.")
final class EditSweepCommand extends FactCommand {
    @Option(names = "--requests", description = "How many requests at most (default: " + EditSweepExperiment.REQUESTS + ").")
    private Integer requests;

    @Option(names = "--file", paramLabel = "FILE", description = "Requests in CounterFact's form instead of ones made of known facts.")
    private String file;

    @Option(names = "--layer", split = ",", paramLabel = "LAYER", description = "Layers (default: all).")
    private List<Integer> layers;

    @Option(names = "--matrix", split = ",", paramLabel = "NAME", description = "in_proj.x, in_proj.z, out_proj, or mlp.dense_4h_to_h (default: all of the model).")
    private List<String> matrices;

    @Option(names = "--key", paramLabel = "KEY", description = "published (default) or consistent.")
    private String key;

    @Option(names = "--preset", paramLabel = "NAME", description = "Hyper-parameters: model (default; the paper's, with a wider bound for an embedded model), or published.")
    private String preset;

    @Option(names = "--contexts", description = "Sampled texts before the prompt over which the key is averaged (default: " + EditSweep.CONTEXTS
            + "; the paper has 20).")
    private Integer contexts;

    @Option(names = "--texts", paramLabel = "FILE", description = "Texts for the second moments, one a line, or JSONL (default: texts made of facts).")
    private String texts;

    @Option(names = "--documents", description = "How many of these texts at most (default: " + SecondMoments.DOCUMENTS + ").")
    private Integer documents;

    @Option(names = "--moments", paramLabel = "FILE", description = "Keep the second moments in this safetensors file, and go on from what is there.")
    private String moments;

    @Override
    String experiment() {
        return "edit_sweep";
    }

    @Override
    void fill(ObjectNode request) {
        put(request, "requests", requests);
        put(request, "file", file);
        put(request, "layers", layers);
        put(request, "matrices", matrices);
        put(request, "key", key);
        put(request, "preset", preset);
        put(request, "contexts", contexts);
        put(request, "texts", texts);
        put(request, "documents", documents);
        put(request, "moments", moments);
    }

    /** For each measure one chart, over relative depth, a line with intervals for each model and matrix. */
    @Override
    List<NamedView> together(Map<String, Answer> answers) {
        List<NamedView> views = new ArrayList<>();
        for (String measure : List.of("efficacy", "generalisation", "specificity", "score")) {
            XYChart chart = Charts.lines("rank-one edits: " + measure, "layer / layers", measure);
            chart.getStyler().setYAxisMin(0.0).setYAxisMax(1.05);
            answers.forEach((model, answer) -> answer.arrays().stream().filter(a -> a.name().endsWith("." + measure)).forEach(a ->
                    Charts.byDepth(chart, model + ", " + a.name().substring(0, a.name().lastIndexOf('.')), row(a, 0), row(a, 1), row(a, 2))));
            if (!chart.getSeriesCollection().isEmpty()) {
                views.add(new NamedView("together-" + measure, chart));
            }
        }
        return views;
    }

    private static double[] row(NamedArray all, int row) {
        int layers = (int) all.shape()[1];
        return IntStream.range(row * layers, (row + 1) * layers).mapToDouble(i -> all.values()[i]).toArray();
    }
}
