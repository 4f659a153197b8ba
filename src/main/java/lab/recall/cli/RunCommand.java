package lab.recall.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import lab.recall.linear.JacobianExperiment;
import lab.recall.math.Parallel;
import lab.recall.model.LanguageModel;
import lab.recall.request.Answer;
import lab.recall.request.Experiment;
import lab.recall.request.Fields;
import lab.recall.request.Progress;
import lab.recall.trace.ActivationsExperiment;
import lab.recall.trace.GradientExperiment;
import lab.recall.trace.InterchangeExperiment;
import lab.recall.train.TrainStepExperiment;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "run", mixinStandardHelpOptions = true, description = "Runs an experiment that is written in a request file.",
        footer = {"", "A .jsonl file holds one request a line; results go to DIR/0, DIR/1, .., and a finished line is not run again."})
final class RunCommand implements Callable<Integer> {
    private static final Map<String, Experiment<LanguageModel>> EXPERIMENTS = new LinkedHashMap<>();

    static {
        for (Experiment<LanguageModel> e : List.of(new ActivationsExperiment(), new InterchangeExperiment(), new GradientExperiment(),
                new JacobianExperiment(), new TrainStepExperiment())) {
            EXPERIMENTS.put(e.name(), e);
        }
    }

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "REQUEST", description = "A .json or .jsonl file.")
    private Path file;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Where result.json and result.safetensors go.")
    private Path out;

    private String openName;
    private LanguageModel open;

    @Override
    public Integer call() {
        String text;
        try {
            text = Files.readString(file);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": cannot be read (" + (Files.exists(file) ? "not UTF-8 text" : "no such file") + ")", e);
        }
        int threads = Parallel.threads();
        try {
            if (!file.toString().endsWith(".jsonl")) {
                run(text, out, Progress.bar());
                return 0;
            }
            return lines(text);
        } finally {
            Parallel.setThreads(threads);
        }
    }

    private int lines(String text) {
        int bad = 0;
        int number = -1;
        for (String line : text.split("\\R", -1)) {
            number++;
            Path folder = out.resolve(String.valueOf(number));
            if (line.isBlank()) {
                continue;
            }
            try {
                if (!Results.answers(line, folder)) {
                    run(line, folder, Progress.silent());
                }
            } catch (IllegalArgumentException e) {
                spec.commandLine().getErr().println("line " + number + ": " + Main.oneLine(e.getMessage()));
                bad = 2;
            }
        }
        return bad;
    }

    private void run(String text, Path folder, Progress progress) {
        long start = System.nanoTime();
        Fields f = Fields.parse(text);
        String name = f.text("experiment");
        Experiment<LanguageModel> experiment = EXPERIMENTS.get(name);
        if (experiment == null) {
            throw new IllegalArgumentException("experiment: '" + name + "' is unknown; known are " + String.join(", ", EXPERIMENTS.keySet()));
        }
        List<String> known = new ArrayList<>(List.of("experiment", "model", "threads"));
        known.addAll(experiment.fields());
        f.allow(known);
        String model = f.text("model");
        Parallel.setThreads(f.integer("threads", 1, 1024, Runtime.getRuntime().availableProcessors()));
        if (!model.equals(openName)) {
            open = null;                // let go of the last model before the next one is read
            try {
                open = LanguageModel.open(model);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("model: " + e.getMessage(), e);
            }
            openName = model;
        }
        Answer answer = experiment.run(open, f, progress);
        Results.write(folder, name, f.settings(), (System.nanoTime() - start) / 1e9, answer);
    }
}
