package lab.recall.cli;

import java.util.concurrent.Callable;
import lab.recall.paper.Parity;
import lab.recall.view.Tables;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(name = "parity", mixinStandardHelpOptions = true,
        description = "Sets the probabilities that the paper's code printed beside a model's. Exit code 1: some differ.")
final class ParityCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelArgument given;

    @Override
    public Integer call() {
        Parity parity = Parity.of(given.open());
        spec.commandLine().getOut().print(Tables.text(Parity.COLUMNS, parity.rows()));
        spec.commandLine().getOut().println(parity.summary());
        return parity.agrees() ? 0 : Main.FAILED;
    }
}
