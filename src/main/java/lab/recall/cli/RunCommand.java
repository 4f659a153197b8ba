package lab.recall.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import lab.recall.base.Progress;
import lab.recall.view.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "run", mixinStandardHelpOptions = true, description = "Runs an experiment that is written in a request file.",
        footer = {"", "A .jsonl file holds one request a line; results go to DIR/0, DIR/1, .., and a finished line is not run again."})
final class RunCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "REQUEST", description = "A .json or .jsonl file.")
    private Path file;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Where result.json and result.safetensors go.")
    private Path out;

    private final Requests requests = new Requests();

    @Override
    public Integer call() {
        String text;
        try {
            text = Files.readString(file);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": cannot be read (" + (Files.exists(file) ? "not UTF-8 text" : "no such file") + ")", e);
        }
        if (!file.toString().endsWith(".jsonl")) {
            Journal journal = requests.run(text, out, ProgressBar.progress()).journal();
            if (!journal.resumed().isEmpty()) {
                spec.commandLine().getOut().println(journal.resumed());
            }
            journal.delete();
            spec.commandLine().getOut().println("written to " + out);
            return 0;
        }
        return lines(text);
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
                    requests.run(line, folder, Progress.silent()).journal().delete();
                }
            } catch (IllegalArgumentException e) {
                spec.commandLine().getErr().println("line " + number + ": " + Main.oneLine(e.getMessage()));
                bad = 2;
            }
        }
        return bad;
    }
}
