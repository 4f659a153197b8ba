package lab.recall.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "path-blocking", mixinStandardHelpOptions = true, description = "Causal tracing while a component is blocked, averaged over pairs of facts.")
final class PathBlockingCommand extends FactCommand {
    @Option(names = "--pairs", defaultValue = "200", description = "How many pairs of facts at most (default: ${DEFAULT-VALUE}).")
    private int pairs;

    @Override
    String experiment() {
        return "path_blocking";
    }

    @Override
    void fill(ObjectNode request) {
        request.put("pairs", pairs);
    }
}
