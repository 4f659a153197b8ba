package lab.recall.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import lab.recall.linear.LinearRelations;
import lab.recall.linear.LinearSweep;
import lab.recall.study.Answer;
import lab.recall.study.NamedView;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "lre", mixinStandardHelpOptions = true,
        description = "How linear relations are: one affine map from the subject's state to the answer, by relation and layer.")
final class LreCommand extends FactCommand {
    @Option(names = "--prompt", defaultValue = "in-context", description = "in-context (default: after the other samples), or zero-shot.")
    private String prompt;

    @Option(names = "--mode", defaultValue = "nested", description = "Layer, beta and rank are chosen on other facts (nested, default), or on those "
            + "that are scored, as the reference code did (published).")
    private String mode;

    @Option(names = "--samples", defaultValue = "" + LinearSweep.SAMPLES, description = "Facts that make an operator (default: ${DEFAULT-VALUE}).")
    private int samples;

    @Option(names = "--splits", defaultValue = "" + LinearSweep.SPLITS, description = "Random splits (default: ${DEFAULT-VALUE}).")
    private int splits;

    @Option(names = "--facts", defaultValue = "" + LinearSweep.FACTS, description = "Known facts that test an operator at most (default: ${DEFAULT-VALUE}).")
    private int facts;

    @Option(names = "--every", defaultValue = "1", paramLabel = "N", description = "Look at every N-th layer only (default: all).")
    private int every;

    @Option(names = "--ranks", split = ",", paramLabel = "RANK",
            description = "Ranks of the edits (default: 14 from 1 to 312; the paper's are 8,16,..,312).")
    private List<Integer> ranks;

    @Option(names = "--faithfulness-only", description = "No edits, which take most of the time.")
    private boolean faithfulnessOnly;

    @Override
    String experiment() {
        return "lre_sweep";
    }

    @Override
    void fill(ObjectNode request) {
        request.put("prompt", prompt).put("mode", mode).put("samples", samples).put("splits", splits).put("facts", facts).put("every", every)
                .put("faithfulness_only", faithfulnessOnly);
        put(request, "ranks", ranks);
    }

    /** All models' bars in one chart. */
    @Override
    List<NamedView> together(Map<String, Answer> answers) {
        LinearRelations[] found = answers.values().stream().flatMap(a -> a.views().stream()).map(NamedView::view)
                .filter(v -> v instanceof LinearRelations).toArray(LinearRelations[]::new);
        return found.length < 2 ? List.of() : List.of(new NamedView("relations-bars", LinearRelations.beside(found)));
    }
}
