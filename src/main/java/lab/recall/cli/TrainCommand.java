package lab.recall.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import lab.recall.base.Check;
import lab.recall.math.Parallel;
import lab.recall.train.TrainConfig;
import lab.recall.train.Trained;
import lab.recall.train.Trainer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "train", mixinStandardHelpOptions = true, description = "Trains a small model on the text of an invented world.",
        footer = {"", "Run again after an interruption or a kill, it goes on at the last checkpoint and gives the same weights."})
final class TrainCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "CONFIG", description = "A .json file, such as data/training/tiny-mamba.json.")
    private Path file;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Receives the model, its log and its learning curve.")
    private Path out;

    @Option(names = "--seed", description = "Of the first weights, instead of the configuration's.")
    private Integer seed;

    @Option(names = "--keep-every", paramLabel = "STEPS",
            description = "Also keeps the first weights and the model of each so many steps, in DIR/steps/STEP.")
    private Integer every;

    @Option(names = "--threads", description = "Threads (default: all cores); the weights do not depend on them.")
    private Integer threads;

    @Override
    public Integer call() {
        TrainConfig read = TrainConfig.read(file);
        TrainConfig config = seed == null ? read : read.with("seed", Check.whole("--seed", seed, 0, Integer.MAX_VALUE));
        return Parallel.with(Check.whole("--threads", Check.or(threads, Parallel.threads()), 1, Parallel.MOST), () -> train(config));
    }

    private int train(TrainConfig config) {
        PrintWriter terminal = spec.commandLine().getOut();
        Trainer plain = new Trainer(config, out);
        Trainer trainer = every == null ? plain : plain.keeping(Check.whole("--keep-every", every, 1, config.said().steps()));
        Trained trained = trainer.train(earlier -> {
            terminal.printf(Locale.ROOT, "going on after step %,d%n", earlier);
            terminal.flush();
        }, step -> { }, log -> {
            terminal.println(log.last().line());
            terminal.flush();
        });
        terminal.println(trained.model());
        terminal.printf(Locale.ROOT, "recall of all pairs: seen %.4f, dropped %.4f, held out %.4f%n",
                trained.recall().seen(), trained.recall().dropped(), trained.recall().heldOut());
        terminal.println("written to " + out);
        return 0;
    }
}
