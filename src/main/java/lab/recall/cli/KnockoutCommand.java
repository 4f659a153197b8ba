package lab.recall.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import lab.recall.knockout.TokenGroup;
import lab.recall.request.Answer;
import lab.recall.request.NamedArray;
import lab.recall.request.NamedView;
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

    @Option(names = "--documents", paramLabel = "FILE", description = "Texts for the means, one a line (default: texts made of facts).")
    private String documents;

    @Override
    String experiment() {
        return "knockout";
    }

    @Override
    void fill(ObjectNode request) {
        request.put("form", form).put("facts", facts).put("flows", flows);
        if (window != null) {
            request.put("window", window);
        }
        if (documents != null) {
            request.put("documents", documents);
        }
    }

    /** For each group of tokens one chart, over relative depth, a line with intervals for each model. */
    @Override
    List<NamedView> together(Map<String, Answer> answers) {
        List<NamedView> views = new ArrayList<>();
        for (int g = 0; g < TokenGroup.PUBLISHED.size(); g++) {
            TokenGroup group = TokenGroup.PUBLISHED.get(g);
            XYChart chart = Charts.lines("knocked out: " + group.label(), "centre layer / layers", "(p' - p) / p");
            boolean any = false;
            for (Map.Entry<String, Answer> e : answers.entrySet()) {
                NamedArray change = e.getValue().arrays().get(0);
                NamedArray low = e.getValue().arrays().get(1);
                NamedArray high = e.getValue().arrays().get(2);
                int layers = (int) change.shape()[1];
                double[] x = new double[layers];
                double[] y = new double[layers];
                double[] error = new double[layers];
                for (int l = 0; l < layers; l++) {
                    x[l] = (double) l / layers;
                    y[l] = change.values()[g * layers + l];
                    error[l] = (high.values()[g * layers + l] - low.values()[g * layers + l]) / 2;
                }
                if (!Double.isNaN(y[0])) {
                    Charts.line(chart, e.getKey() + ", " + e.getValue().scalars().get("facts") + " facts", x, y, error);
                    any = true;
                }
            }
            if (any) {
                views.add(new NamedView("together-" + group.name().toLowerCase(Locale.ROOT).replace('_', '-'), chart));
            }
        }
        return views;
    }
}
