package lab.recall.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import lab.recall.edit.EditFile;
import lab.recall.edit.EditSweepExperiment;
import lab.recall.edit.RankOneEditor;
import lab.recall.edit.SecondMoments;
import lab.recall.model.LanguageModel;
import lab.recall.study.Answer;
import lab.recall.study.NamedView;
import lab.recall.view.ProgressBar;
import lab.recall.view.Show;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tech.tablesaw.api.Table;

@Command(name = "edit", mixinStandardHelpOptions = true,
        description = "Puts a fact into a model by a rank-one change of one matrix, and shows what it says before and after.",
        footer = {"", "recall edit --model tiny-mamba --subject \"Novux Bridge\" --prompt \"{} is located in the city of\" --target Malpolis",
            "recall edit --model tiny-mamba --requests data/world/edits/requests.json --how joint --save edited",
            "recall edit --model tiny-mamba --apply change.safetensors --save edited"})
final class EditCommand implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Spec
    private CommandSpec spec;

    @Option(names = "--model", required = true, paramLabel = "MODEL", description = "An embedded model, a folder, or a hub id.")
    private String model;

    @Option(names = "--subject", paramLabel = "TEXT", description = "What the fact is about.")
    private String subject;

    @Option(names = "--prompt", paramLabel = "TEXT", description = "The prompt, with the subject or {} in it.")
    private String prompt;

    @Option(names = "--target", paramLabel = "TEXT", description = "What is to be said after the prompt.")
    private String target;

    @Option(names = "--true", paramLabel = "TEXT", description = "What is said before the edit, to be compared with.")
    private String truth;

    @Option(names = "--requests", paramLabel = "FILE", description = "Several requests, in CounterFact's form (JSON or JSONL).")
    private Path requests;

    @Option(names = "--count", description = "How many of them at most (default: " + EditSweepExperiment.REQUESTS + ").")
    private Integer count;

    @Option(names = "--how", paramLabel = "HOW", description = "Several requests: each by itself (default), sequence (one after another), or joint (at once).")
    private String how;

    @Option(names = "--weight", description = "joint: weight of what was there before (default: 1).")
    private Double weight;

    @Option(names = "--layer", description = "The edited layer (default: the paper's 15 of 64, in proportion).")
    private Integer layer;

    @Option(names = "--matrix", paramLabel = "NAME", description = "in_proj.x (W_a), in_proj.z (W_g) or out_proj (W_o, default) of a Mamba, mlp.dense_4h_to_h of a GPT-NeoX.")
    private String matrix;

    @Option(names = "--key", paramLabel = "KEY", description = "published (default): the plain prompt's key in the denominator; consistent: the mean key.")
    private String key;

    @Option(names = "--preset", paramLabel = "NAME", description = "Hyper-parameters: model (default; the paper's, with a wider bound for an embedded model), or published.")
    private String preset;

    @Option(names = "--contexts", description = "Sampled texts before the prompt over which the key is averaged (default: " + RankOneEditor.CONTEXTS + ").")
    private Integer contexts;

    @Option(names = "--texts", paramLabel = "FILE", description = "Texts for the second moments, one a line, or JSONL (default: texts made of facts).")
    private String texts;

    @Option(names = "--documents", description = "How many of these texts at most (default: " + SecondMoments.DOCUMENTS + ").")
    private Integer documents;

    @Option(names = "--moments", paramLabel = "FILE", description = "Keep the second moments in this safetensors file, and go on from what is there.")
    private String moments;

    @Option(names = "--covariance", paramLabel = "FILE", description = "A safetensors file with the second moment C, or identity.")
    private String covariance;

    @Option(names = "--seed", description = "Seed of every random choice (default: 1).")
    private Integer seed;

    @Option(names = "--threads", description = "Threads (default: all cores).")
    private Integer threads;

    @Option(names = "--save", paramLabel = "DIR", description = "Write the edited model as a checkpoint in HuggingFace's layout.")
    private String save;

    @Option(names = "--change", paramLabel = "FILE", description = "Write the edit as a small file for --apply and --revert.")
    private String change;

    @Option(names = "--out", paramLabel = "DIR", description = "Also write result.json, tables and pictures.")
    private Path out;

    @ArgGroup
    private Earlier earlier;

    /** An edit that was written before. */
    private static final class Earlier {
        @Option(names = "--apply", paramLabel = "FILE", description = "Apply an edit that --change wrote; needs --save.")
        private Path apply;

        @Option(names = "--revert", paramLabel = "FILE", description = "Take it back, bit for bit; needs --save.")
        private Path revert;
    }

    @Override
    public Integer call() {
        if (earlier != null) {
            return earlier();
        }
        if (requests == null && (subject == null || prompt == null || target == null)) {
            throw new IllegalArgumentException("expected --subject, --prompt and --target, or --requests, or --apply or --revert");
        }
        ObjectNode request = JSON.createObjectNode().put("experiment", "edit").put("model", model);
        FactCommand.put(request, "subject", subject);
        FactCommand.put(request, "prompt", prompt);
        FactCommand.put(request, "target", target);
        FactCommand.put(request, "true", truth);
        FactCommand.put(request, "file", requests == null ? null : requests.toString());
        FactCommand.put(request, "requests", count);
        FactCommand.put(request, "how", how);
        FactCommand.put(request, "weight", weight);
        FactCommand.put(request, "layer", layer);
        FactCommand.put(request, "matrix", matrix);
        FactCommand.put(request, "key", key);
        FactCommand.put(request, "preset", preset);
        FactCommand.put(request, "contexts", contexts);
        FactCommand.put(request, "texts", texts);
        FactCommand.put(request, "documents", documents);
        FactCommand.put(request, "moments", moments);
        FactCommand.put(request, "covariance", covariance);
        FactCommand.put(request, "seed", seed);
        FactCommand.put(request, "threads", threads);
        FactCommand.put(request, "save", save);
        FactCommand.put(request, "change", change);
        Requests run = new Requests();
        Answer answer = FactCommand.run(spec, Map.of("file", "--requests", "requests", "--count"), () -> out == null
                ? run.ask(request.toString(), ProgressBar.progress()) : finished(run.run(request.toString(), out, ProgressBar.progress())));
        PrintWriter terminal = spec.commandLine().getOut();
        for (NamedView v : answer.views()) {
            if (v.view() instanceof Table table) {
                terminal.println(table.name());
                terminal.println(Show.text(table));
            }
        }
        answer.scalars().forEach((name, value) -> terminal.println(name.replace('_', ' ') + ": " + value));
        return 0;
    }

    private static Answer finished(Requests.Done done) {
        done.journal().delete();
        return done.answer();
    }

    private int earlier() {
        if (save == null) {
            throw new IllegalArgumentException("--save: missing; it says where the model goes");
        }
        LanguageModel given = LanguageModel.open(model);
        EditFile file = EditFile.read(earlier.apply != null ? earlier.apply : earlier.revert);
        (earlier.apply != null ? file.apply(given) : file.revert(given)).save(Path.of(save));
        spec.commandLine().getOut().println("written to " + save);
        return 0;
    }
}
