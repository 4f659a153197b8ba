package lab.recall.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "trace", mixinStandardHelpOptions = true, description = "Causal tracing, averaged over pairs of facts.")
final class TraceCommand extends FactCommand {
    @Option(names = "--point", split = ",", defaultValue = "residual", paramLabel = "POINT",
            description = {"Hook points that are put back, such as residual,out,y,gate (default: ${DEFAULT-VALUE}).",
                "components: a, s, g and o of a Mamba, attention and MLP of a GPT-NeoX."})
    private List<String> points;

    @Option(names = "--window", paramLabel = "LAYERS", description = "Layers put back together (default: 1 for the residual stream, the paper's share for others).")
    private Integer window;

    @Option(names = "--mode", defaultValue = "corrected", description = "corrected (default), or published: pairs and averages as the reference code made them.")
    private String mode;

    @Option(names = "--pairs", defaultValue = "200", description = "How many pairs of facts at most (default: ${DEFAULT-VALUE}).")
    private int pairs;

    @Option(names = "--reverse", description = "Put the corrupt run's value into the clean run.")
    private boolean reverse;

    @Option(names = "--noise", paramLabel = "DEVIATIONS", description = "Corrupt the subject by noise of so many standard deviations, such as 3, instead of by another subject.")
    private Double noise;

    @Option(names = "--samples", description = "Samples of noise for each fact (default: 10).")
    private Integer samples;

    @Option(names = "--attribution", description = "Also attribution patching, and its rank correlation with the exact effects.")
    private boolean attribution;

    @Override
    String experiment() {
        return "trace";
    }

    @Override
    void fill(ObjectNode request) {
        ArrayNode list = request.putArray("points");
        points.forEach(list::add);
        request.put("mode", mode).put("pairs", pairs).put("reverse", reverse).put("attribution", attribution);
        put(request, "samples", samples);
        put(request, "window", window);
        put(request, "noise", noise);
    }
}
