package lab.recall.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import lab.recall.base.Check;
import lab.recall.math.Parallel;
import lab.recall.model.LanguageModel;
import lab.recall.paper.PaperPlan;
import lab.recall.study.Plan;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "plan", mixinStandardHelpOptions = true,
        description = "Tells what the whole paper costs on a model, of which only the config.json is needed; computes none of it.",
        footer = {"", "Of a single command: --plan. Measures on a layer of the model's size for about a minute."})
final class PlanCommand implements Callable<Integer> {
    private static final String PAPER = "paper";

    @Spec
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "WHAT", description = "paper")
    private String what;

    @Option(names = "--model", required = true, paramLabel = "MODEL",
            description = "mamba-2.8b, pythia-2.8b, a config.json, or a folder with one; no weights are read.")
    private String name;

    @Option(names = "--cores", paramLabel = "N", description = "Hours on so many cores like those here (default: 64).")
    private Integer cores;

    @Option(names = "--threads", paramLabel = "N", description = "Threads of this machine (default: all cores).")
    private Integer threads;

    @Override
    public Integer call() {
        Check.word("WHAT", what, List.of(PAPER));
        int here = Check.whole("--threads", Check.or(threads, Parallel.threads()), 1, Parallel.MOST);
        PlanOptions.require(cores);
        Plan plan = Plan.measured();
        PrintWriter err = spec.commandLine().getErr();
        Parallel.with(here, () -> {
            LanguageModel model = PaperPlan.model(name);
            PaperPlan.of(model, plan, asked -> err.println(asked + " .."));
            return plan;
        });
        PlanOptions.print(spec.commandLine().getOut(), plan, cores);
        return 0;
    }
}
