package lab.recall.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import lab.recall.base.BadRequest;
import lab.recall.edit.EditFile;
import lab.recall.model.LanguageModel;
import lab.recall.study.Experiment;
import lab.recall.study.NamedView;
import lab.recall.study.PieceEngine;
import lab.recall.study.Result;
import lab.recall.study.Studies;
import lab.recall.view.Show;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.IModelTransformer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tech.tablesaw.api.Table;

/** The experiment {@code edit} as a command, which shows what it finds; also applies an edit that was written before, and takes it back. */
@Command(name = "edit", mixinStandardHelpOptions = true, modelTransformer = EditCommand.Fields.class,
        description = "Puts a fact into a model by a rank-one change of one matrix, and shows what it says before and after.",
        footer = {"",
            "recall edit --model tiny-mamba --subject \"Novux Bridge\" --prompt \"{} is located in the city of\" --target Malpolis",
            "recall edit --model tiny-mamba --requests data/world/edits/requests.json --how joint --save edited",
            "recall edit --model tiny-mamba --apply change.safetensors --save edited"})
final class EditCommand implements Callable<Integer> {
    private static final Experiment<?, ?> EDIT = Studies.named("edit");

    /** Adds an option for each field of the request. */
    static final class Fields implements IModelTransformer {
        @Override
        public CommandSpec transform(CommandSpec spec) {
            RequestOptions.add(spec, EDIT.request());
            return spec;
        }
    }

    @Spec
    private CommandSpec spec;

    @Option(names = "--model", required = true, paramLabel = "MODEL", description = ModelArgument.WHAT + ".")
    private String model;

    @Option(names = "--out", paramLabel = "DIR", description = "Also write result.json, tables and pictures.")
    private Path out;

    @Mixin
    private EngineOptions engine;

    @ArgGroup
    private Earlier earlier;

    /** An edit that was written before. */
    private static final class Earlier {
        @Option(names = "--apply", paramLabel = "FILE", description = "Apply an edit that --change wrote; needs --save.")
        private Path apply;

        @Option(names = "--revert", paramLabel = "FILE", description = "Take it back, bit for bit; needs --save.")
        private Path revert;
    }

    private String said(String option) {
        return spec.findOption(option).getValue();
    }

    @Override
    public Integer call() {
        if (earlier != null) {
            return earlier();
        }
        if (said("--requests") == null && (said("--subject") == null || said("--prompt") == null || said("--target") == null)) {
            throw new BadRequest("", "expected --subject, --prompt and --target, or --requests, or --apply or --revert");
        }
        try (PieceEngine where = engine.open()) {
            RequestOptions.ask(spec, EDIT, engine.on(where), model, Optional.ofNullable(out), this::show);
        }
        return 0;
    }

    private void show(Result result) {
        PrintWriter terminal = spec.commandLine().getOut();
        for (NamedView v : result.views()) {
            if (v.view() instanceof Table table) {
                terminal.println(table.name());
                terminal.println(Show.text(table));
            }
        }
        RequestOptions.print(terminal, "", result);
        terminal.flush();
    }

    private int earlier() {
        String save = said("--save");
        if (save == null) {
            throw new BadRequest("--save", "missing; it says where the model goes");
        }
        LanguageModel given = LanguageModel.open(model);
        given.requireSavable(Path.of(save));
        EditFile file = EditFile.read(earlier.apply != null ? earlier.apply : earlier.revert);
        LanguageModel changed = earlier.apply != null ? file.apply(given) : file.revert(given);
        if ("f32".equals(said("--dtype"))) {
            changed.save(Path.of(save));
        } else {
            changed.saveAsStored(Path.of(save));
        }
        spec.commandLine().getOut().println("written to " + save);
        return 0;
    }
}
