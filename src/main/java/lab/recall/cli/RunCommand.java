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
import lab.recall.study.Plan;
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

    @Mixin
    private PlanOptions planning;

    @Override
    public Integer call() {
        if (fields) {
            spec.commandLine().getOut().print(RequestField.page());
            return 0;
        }
        if (file == null || out == null) {
            throw new ParameterException(spec.commandLine(), "expected REQUEST and --out DIR");
        }
        if (planning.isPlan()) {
            return plan();
        }
        try (PieceEngine where = engine.open()) {
            return run(engine.on(where));
        }
    }

    private int plan() {
        Plan plan = Plan.measured();
        Requests requests = new Requests();
        int bad = 0;
        if (file.toString().endsWith(".jsonl")) {
            bad = lines((number, request) -> plan(requests, request, out.resolve(String.valueOf(number)), "line " + number + ": ", plan));
        } else {
            plan(requests, Json.object(InputFiles.bytes(file), "the request"), out, "", plan);
        }
        planning.print(spec.commandLine().getOut(), plan);
        return bad;
    }

    private void plan(Requests requests, ObjectNode request, Path folder, String where, Plan plan) {
        if (!requests.plan(request, folder, plan)) {
            spec.commandLine().getErr().println(where + request.path("experiment").asText()
                    + " is not planned: it does not work in pieces alone");
        }
    }

    private int run(Requests requests) {
        if (!file.toString().endsWith(".jsonl")) {
            requests.run(Json.object(InputFiles.bytes(file), "the request"), out, fresh, ProgressBar.progress())
                    .takenFrom(out).ifPresent(spec.commandLine().getOut()::println);
            spec.commandLine().getOut().println("written to " + out);
            return 0;
        }
        return lines((number, request) -> {
            Path folder = out.resolve(String.valueOf(number));
            if (!requests.isAnswered(request, folder)) {
                requests.run(request, folder, fresh, Progress.silent());
            }
        });
    }

    /** Does something with a request of several. */
    private interface Line {
        void of(long number, ObjectNode request);
    }

    /** All requests, also those after one that cannot be answered. */
    private int lines(Line line) {
        int bad = 0;
        try (TextLines lines = new TextLines(file, LONGEST_LINE)) {
            for (String text = lines.next(); text != null; text = lines.next()) {
                if (!text.isBlank()) {
                    Interruption.betweenPieces();
                    bad = Math.max(bad, line(line, lines.number() - 1, text));
                }
            }
        }
        return bad;
    }

    private int line(Line line, long number, String text) {
        try {
            line.of(number, Json.object(text.getBytes(StandardCharsets.UTF_8), "the request"));
            return 0;
        } catch (Failure | PiecesFailed e) {
            return Main.refused(spec.commandLine().getErr(), "line " + number + ": ", e);
        }
    }
}
