package lab.recall.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadRequest;
import lab.recall.study.Experiment;
import lab.recall.study.PieceEngine;
import lab.recall.study.PiecesFailed;
import lab.recall.study.Plan;
import lab.recall.study.Requests;
import lab.recall.study.Result;
import lab.recall.view.Export;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * An experiment as a command: an option for each field of its request, one model or several, a folder for results. Run again after an
 * interruption, it goes on where it stopped.
 */
final class ExperimentCommand<Q extends Record, T extends Result> implements Callable<Integer> {
    private final Experiment<Q, T> experiment;
    private final CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
    private final EngineOptions engine = new EngineOptions();
    private final PlanOptions planning = new PlanOptions();

    private ExperimentCommand(Experiment<Q, T> experiment) {
        this.experiment = experiment;
    }

    /** The command of an experiment that has one. */
    static <Q extends Record, T extends Result> CommandSpec of(Experiment<Q, T> experiment) {
        ExperimentCommand<Q, T> command = new ExperimentCommand<>(experiment);
        CommandSpec spec = command.spec.name(experiment.command().orElseThrow()).mixinStandardHelpOptions(true);
        spec.usageMessage().description(experiment.description());
        spec.addOption(OptionSpec.builder("--model").required(true).paramLabel("MODEL").type(List.class).auxiliaryTypes(String.class)
                .description(ModelArgument.WHAT + "; may be given several times.").build());
        RequestOptions.add(spec, experiment.request());
        spec.addOption(OptionSpec.builder("--out").required(true).paramLabel("DIR").type(Path.class)
                .description("Where results go; with several models, one folder each below it.").build());
        spec.addMixin("engine", CommandSpec.forAnnotatedObject(command.engine));
        spec.addMixin("plan", CommandSpec.forAnnotatedObject(command.planning));
        return spec;
    }

    @Override
    public Integer call() {
        List<String> models = spec.findOption("--model").getValue();
        Path out = spec.findOption("--out").getValue();
        Map<String, Path> folders = new LinkedHashMap<>();
        for (String model : models) {
            Path folder = models.size() == 1 ? out : out.resolve(Path.of(model).toAbsolutePath().normalize().getFileName().toString());
            if (folders.containsValue(folder)) {
                throw new BadRequest("--model", "two models would write to " + folder + "; run them with an --out of their own");
            }
            folders.put(model, folder);
        }
        if (planning.isPlan()) {
            Plan plan = Plan.measured();
            folders.forEach((model, folder) -> RequestOptions.plan(spec, experiment, model, folder, plan));
            planning.print(spec.commandLine().getOut(), plan);
            return 0;
        }
        try (PieceEngine where = engine.open()) {
            return run(engine.on(where), folders, out);
        }
    }

    /** All models, also those behind one with pieces that failed. */
    private int run(Requests requests, Map<String, Path> folders, Path out) {
        PrintWriter terminal = spec.commandLine().getOut();
        Map<String, T> results = new LinkedHashMap<>();
        for (Map.Entry<String, Path> model : folders.entrySet()) {
            try {
                results.put(model.getKey(), run(requests, model.getKey(), model.getValue()));
            } catch (PiecesFailed e) {
                Main.refused(spec.commandLine().getErr(), model.getKey() + ": ", e);
            }
        }
        if (results.size() < folders.size()) {
            return Main.FAILED;
        }
        if (results.size() > 1) {
            experiment.beside(results).forEach(v -> Export.files(v.name(), v.view())
                    .forEach((file, bytes) -> AtomicFiles.write(out.resolve(file), bytes)));
        }
        terminal.println("written to " + out);
        return 0;
    }

    private T run(Requests requests, String model, Path folder) {
        PrintWriter terminal = spec.commandLine().getOut();
        Requests.Done<?> done = RequestOptions.ask(spec, experiment, requests, model, Optional.of(folder), told -> { });
        T result = experiment.result().cast(done.result());
        terminal.println(model);
        done.takenFrom(folder).ifPresent(taken -> terminal.println("  " + taken));
        RequestOptions.print(terminal, "  ", result);
        return result;
    }
}
