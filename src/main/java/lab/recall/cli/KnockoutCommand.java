package lab.recall.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.knockout.KnockoutExperiment;
import lab.recall.knockout.TokenGroup;
import lab.recall.study.Answer;
import lab.recall.study.NamedArray;
import lab.recall.study.NamedView;
import lab.recall.view.Charts;
import org.knowm.xchart.XYChart;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "knockout", mixinStandardHelpOptions = true,
        description = "How far the answer's probability falls when nothing flows from some tokens in a window of layers.")
final class KnockoutCommand extends FactCommand {
    @Option(names = "--form", required = true, paramLabel = "FORM", description = "published (the paper's: mean inputs), edges (exact: "
            + "convolution and scan, or attention), every (edges, those among the sources too), scan, conv, or held (edges, passed tokens with the "
            + "mean delta); a GPT-NeoX knows edges only.")
    private String form;

    @Option(names = "--facts", defaultValue = "200", description = "How many known facts at most (default: ${DEFAULT-VALUE}).")
    private int facts;

    @Option(names = "--window", description = "Layers of a window (default: the paper's 10 of 64 or 32, in proportion to the model's depth).")
    private Integer window;

    @Option(names = "--flows", description = "Also from each part of the prompt to each later one.")
    private boolean flows;

    @Option(names = "--texts", paramLabel = "FILE", description = "Texts for the means, one a line, or JSONL (default: texts made of facts).")
    private String texts;

    @Option(names = "--documents", description = "How many of these texts at most (default: " + KnockoutExperiment.DOCUMENTS + ").")
    private Integer documents;

    @Override
    String experiment() {
        return "knockout";
    }

    @Override
    void fill(ObjectNode request) {
        request.put("form", form).put("facts", facts).put("flows", flows);
        put(request, "window", window);
        put(request, "texts", texts);
        put(request, "documents", documents);
    }

    /** For each group of tokens one chart, over relative depth, a line with intervals for each model. */
    @Override
    List<NamedView> together(Map<String, Answer> answers) {
        List<NamedView> views = new ArrayList<>();
        for (int g = 0; g < TokenGroup.PUBLISHED.size(); g++) {
            TokenGroup group = TokenGroup.PUBLISHED.get(g);
            XYChart chart = Charts.lines("knocked out: " + group.label(), "centre layer / layers", "(p' - p) / p");
            int at = g;
            answers.forEach((model, answer) -> Charts.byDepth(chart, model + ", " + answer.scalars().get("facts") + " facts",
                    row(answer, 0, at), row(answer, 1, at), row(answer, 2, at)));
            if (!chart.getSeriesCollection().isEmpty()) {
                views.add(new NamedView("together-" + group.name().toLowerCase(Locale.ROOT).replace('_', '-'), chart));
            }
        }
        return views;
    }

    /** A group's row of one of the arrays change, low and high. */
    private static double[] row(Answer answer, int array, int group) {
        NamedArray all = answer.arrays().get(array);
        int layers = (int) all.shape()[1];
        return IntStream.range(group * layers, (group + 1) * layers).mapToDouble(i -> all.values()[i]).toArray();
    }
}
