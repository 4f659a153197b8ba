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
import lab.recall.base.TextLines;
import lab.recall.study.PieceEngine;
import lab.recall.study.PiecesFailed;
import lab.recall.study.RequestField;
import lab.recall.study.Requests;
import lab.recall.view.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "run", mixinStandardHelpOptions = true, description = "Runs an experiment that is written in a request file.",
        footer = {"", "A .jsonl file holds one request a line; results go to DIR/0, DIR/1, ..; what is finished is not computed again."})
final class RunCommand implements Callable<Integer> {
    /** A request holds vectors and lists of ids, no more. */
    private static final int LONGEST_LINE = 64 << 20;

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "REQUEST", arity = "0..1", description = "A .json or .jsonl file.")
    private Path file;

    @Option(names = "--out", paramLabel = "DIR", description = "Where result.json and result.safetensors go.")
    private Path out;

    @Option(names = "--fields", description = "Print all experiments and their fields, as a table in Markdown.")
    private boolean fields;

    @Option(names = "--fresh", description = RequestOptions.FRESH)
    private boolean fresh;

    @Mixin
    private EngineOptions engine;

    @Override
    public Integer call() {
        if (fields) {
            spec.commandLine().getOut().print(RequestField.page());
            return 0;
        }
        if (file == null || out == null) {
            throw new ParameterException(spec.commandLine(), "expected REQUEST and --out DIR");
        }
        try (PieceEngine where = engine.open()) {
            return run(engine.on(where));
        }
    }

    private int run(Requests requests) {
        if (!file.toString().endsWith(".jsonl")) {
            requests.run(Json.object(InputFiles.bytes(file), "the request"), out, fresh, ProgressBar.progress())
                    .takenFrom(out).ifPresent(spec.commandLine().getOut()::println);
            spec.commandLine().getOut().println("written to " + out);
            return 0;
        }
        int bad = 0;
        try (TextLines lines = new TextLines(file, LONGEST_LINE)) {
            for (String line = lines.next(); line != null; line = lines.next()) {
                if (!line.isBlank()) {
                    Interruption.betweenPieces();
                    bad = Math.max(bad, line(requests, lines.number() - 1, line));
                }
            }
        }
        return bad;
    }

    /** Answers one request of several; those after one that cannot be answered are. */
    private int line(Requests requests, long number, String line) {
        Path folder = out.resolve(String.valueOf(number));
        try {
            ObjectNode request = Json.object(line.getBytes(StandardCharsets.UTF_8), "the request");
            if (!requests.isAnswered(request, folder)) {
                requests.run(request, folder, fresh, Progress.silent());
            }
            return 0;
        } catch (Failure | PiecesFailed e) {
            return Main.refused(spec.commandLine().getErr(), "line " + number + ": ", e);
        }
    }
}
