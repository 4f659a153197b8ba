package lab.recall.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Failure;
import lab.recall.base.Interruption;
import lab.recall.study.PieceEngine;
import lab.recall.study.PiecesFailed;
import lab.recall.study.Plan;
import lab.recall.study.RequestField;
import lab.recall.study.Requests;
import lab.recall.study.Result;
import lab.recall.sweep.Sweep;
import lab.recall.sweep.SweepFolder;
import lab.recall.sweep.SweepFormats;
import lab.recall.sweep.SweepRequest;
import lab.recall.sweep.SweepRow;
import lab.recall.view.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "sweep", mixinStandardHelpOptions = true,
        description = "Asks each study of a file of each of its models with each of its settings; one table of what all find.",
        footer = {"", "The file, YAML or JSON (all of it: environment/sweeps.md):", "",
            "  models: [tiny-mamba, tiny-neox]",
            "  studies:",
            "    where:                          # a name of your own",
            "      experiment: trace             # and its fields, as in a request",
            "      pairs: 60",
            "      settings: {point: [residual, components]}",
            "    read: {experiment: knockout, form: edges, facts: 60}",
            "  settings: {seed: [1, 2, 3]}       # of all studies; every combination", "",
            "DIR/results.parquet and DIR/results.csv: a row a number, in the file's order; what is finished is not computed again."})
final class SweepCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "SWEEP", arity = "0..1", description = "A .yaml, .yml or .json file.")
    private Path file;

    @Option(names = "--out", paramLabel = "DIR", description = "Where the table and the results of all requests go.")
    private Path out;

    @Option(names = "--fields", description = "Print the fields of the file and the columns of the table, as tables in Markdown.")
    private boolean fields;

    @Option(names = "--fresh", description = RequestOptions.FRESH)
    private boolean fresh;

    @Option(names = "--threads", paramLabel = "N", description = "Threads (default: all cores); the numbers do not depend on them.")
    private Integer threads;

    @Mixin
    private EngineOptions engine;

    @Mixin
    private PlanOptions planning;

    @Override
    public Integer call() {
        if (fields) {
            spec.commandLine().getOut().print(RequestField.table("field", Sweep.class) + "\n"
                    + RequestField.table("column", SweepRow.class));
            return 0;
        }
        if (file == null || out == null) {
            throw new ParameterException(spec.commandLine(), "expected SWEEP and --out DIR");
        }
        SweepFormats formats = SweepFormats.find();
        List<SweepRequest> plan = plan(formats);
        if (planning.isPlan()) {
            return plan(plan);
        }
        try (PieceEngine where = engine.open()) {
            return run(engine.on(where), plan, SweepFolder.of(out, plan, fresh), formats);
        }
    }

    private List<SweepRequest> plan(SweepFormats formats) {
        ObjectNode said = formats.read(file);
        try {
            return Sweep.read(said).plan();
        } catch (BadRequest e) {
            throw new BadData(file, e.field(), e.reason(), e);
        }
    }

    private int run(Requests requests, List<SweepRequest> plan, SweepFolder folder, SweepFormats formats) {
        PrintWriter terminal = spec.commandLine().getOut();
        List<SweepRow> rows = new ArrayList<>();
        int bad = 0;
        int missing = 0;
        for (int i = 0; i < plan.size(); i++) {
            Interruption.betweenPieces();
            SweepRequest request = plan.get(i);
            terminal.println((i + 1) + " of " + plan.size() + ": " + request);
            try {
                rows.addAll(SweepRow.of(request, answer(requests, request, folder)));
            } catch (Failure | PiecesFailed e) {
                if (e instanceof BadRequest b && b.field().equals("--master")) {
                    throw b;                                    // where there is no cluster no other request is answered either
                }
                bad = Math.max(bad, Main.refused(spec.commandLine().getErr(), request + ": ", e));
                missing++;
            }
        }
        if (missing > 0) {
            spec.commandLine().getErr().println(missing + " of " + plan.size() + " requests have no answer, the others are kept; the"
                    + " table is written when all have one");
            return bad;
        }
        folder.write(rows, formats);
        terminal.println(rows.size() + " numbers written to " + out.resolve("results.parquet") + " and results.csv");
        return 0;
    }

    private int plan(List<SweepRequest> requests) {
        Plan all = Plan.measured();
        Requests plans = new Requests();
        int bad = 0;
        for (SweepRequest request : requests) {
            try {
                plans.plan(asked(request), SweepFolder.of(out, request), all);
            } catch (Failure e) {
                bad = Main.refused(spec.commandLine().getErr(), request + ": ", e);
            }
        }
        planning.print(spec.commandLine().getOut(), all);
        return bad;
    }

    private ObjectNode asked(SweepRequest request) {
        ObjectNode asked = request.request().deepCopy();
        if (threads != null) {
            asked.put("threads", threads);
        }
        return asked;
    }

    private Result answer(Requests requests, SweepRequest request, SweepFolder folder) {
        return requests.run(asked(request), folder.of(request), fresh, ProgressBar.progress()).result();
    }
}
