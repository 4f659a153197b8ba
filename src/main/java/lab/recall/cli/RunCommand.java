package lab.recall.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import lab.recall.base.Failure;
import lab.recall.base.InputFiles;
import lab.recall.base.Interruption;
import lab.recall.base.Json;
import lab.recall.base.Progress;
import lab.recall.study.RequestField;
import lab.recall.study.Requests;
import lab.recall.view.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "run", mixinStandardHelpOptions = true, description = "Runs an experiment that is written in a request file.",
        footer = {"", "A .jsonl file holds one request a line; results go to DIR/0, DIR/1, ..; what is finished is not computed again."})
final class RunCommand implements Callable<Integer> {
    /** A request holds vectors and lists of ids, no more. */
    private static final int LARGEST = 256 << 20;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "REQUEST", arity = "0..1", description = "A .json or .jsonl file.")
    private Path file;

    @Option(names = "--out", paramLabel = "DIR", description = "Where result.json and result.safetensors go.")
    private Path out;

    @Option(names = "--fields", description = "Print all experiments and their fields, as a table in Markdown.")
    private boolean fields;

    @Option(names = "--fresh", description = "Replace what another request has left there.")
    private boolean fresh;

    private final Requests requests = new Requests();

    @Override
    public Integer call() {
        if (fields) {
            spec.commandLine().getOut().print(RequestField.page());
            return 0;
        }
        if (file == null || out == null) {
            throw new ParameterException(spec.commandLine(), "expected REQUEST and --out DIR");
        }
        String text = InputFiles.text(file, LARGEST);
        if (!file.toString().endsWith(".jsonl")) {
            requests.run(Json.object(text.getBytes(StandardCharsets.UTF_8), "the request"), out, fresh, ProgressBar.progress())
                    .takenFrom(out).ifPresent(spec.commandLine().getOut()::println);
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
            Interruption.betweenPieces();
            try {
                ObjectNode request = Json.object(line.getBytes(StandardCharsets.UTF_8), "the request");
                if (!requests.isAnswered(request, folder)) {
                    requests.run(request, folder, fresh, Progress.silent());
                }
            } catch (Failure e) {
                spec.commandLine().getErr().println("line " + number + ": " + Main.oneLine(e.getMessage()));
                bad = 2;
            }
        }
        return bad;
    }
}
