package lab.recall.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.edit.EditExperiment;
import lab.recall.edit.EditFile;
import lab.recall.edit.EditQuestion;
import lab.recall.model.LanguageModel;
import lab.recall.study.NamedView;
import lab.recall.study.Requests;
import lab.recall.study.Result;
import lab.recall.view.ProgressBar;
import lab.recall.view.Show;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import tech.tablesaw.api.Table;

/** The experiment {@code edit} as a command, which shows what it finds; also applies an edit that was written before, and takes it back. */
final class EditCommand implements Callable<Integer> {
    private static final EditExperiment EXPERIMENT = new EditExperiment();

    private final CommandSpec spec = CommandSpec.wrapWithoutInspection(this);

    private EditCommand() {
    }

    /** The command. */
    static CommandSpec of() {
        CommandSpec spec = new EditCommand().spec.name("edit").mixinStandardHelpOptions(true);
        spec.usageMessage().description(EXPERIMENT.description())
                .footer("", "recall edit --model tiny-mamba --subject \"Novux Bridge\" --prompt \"{} is located in the city of\" --target Malpolis",
                        "recall edit --model tiny-mamba --requests data/world/edits/requests.json --how joint --save edited",
                        "recall edit --model tiny-mamba --apply change.safetensors --save edited");
        spec.addOption(OptionSpec.builder("--model").required(true).paramLabel("MODEL").type(String.class)
                .description("An embedded model, a folder, or a hub id.").build());
        RequestOptions.add(spec, EditQuestion.class);
        spec.addOption(OptionSpec.builder("--out").paramLabel("DIR").type(Path.class).description("Also write result.json, tables and pictures.").build());
        spec.addOption(RequestOptions.fresh());
        spec.addOption(OptionSpec.builder("--apply").paramLabel("FILE").type(Path.class)
                .description("Apply an edit that --change wrote; needs --save.").build());
        spec.addOption(OptionSpec.builder("--revert").paramLabel("FILE").type(Path.class)
                .description("Take it back, bit for bit; needs --save.").build());
        return spec;
    }

    private <T> T said(String option) {
        return spec.findOption(option).getValue();
    }

    @Override
    public Integer call() {
        Path apply = said("--apply");
        Path revert = said("--revert");
        if (apply != null && revert != null) {
            throw new BadRequest("--apply", apply + " and --revert " + revert + " at once, expected one of them");
        }
        if (apply != null || revert != null) {
            return earlier(apply, revert);
        }
        if (said("--requests") == null && (said("--subject") == null || said("--prompt") == null || said("--target") == null)) {
            throw new BadRequest("", "expected --subject, --prompt and --target, or --requests, or --apply or --revert");
        }
        ObjectNode request = Json.MAPPER.createObjectNode().put("experiment", EXPERIMENT.name()).put("model", this.<String>said("--model"));
        RequestOptions.fill(spec, EditQuestion.class, request);
        Path out = said("--out");
        try {
            if (out == null) {
                new Requests().ask(request, ProgressBar.progress(), this::show);
            } else {
                new Requests().run(request, out, Boolean.TRUE.equals(said("--fresh")), ProgressBar.progress(), this::show);
            }
        } catch (BadRequest e) {
            throw RequestOptions.said(spec, EditQuestion.class, e);
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
        result.scalars().forEach((name, value) -> terminal.println(name.replace('_', ' ') + ": " + value));
        terminal.flush();
    }

    private int earlier(Path apply, Path revert) {
        String save = said("--save");
        if (save == null) {
            throw new BadRequest("--save", "missing; it says where the model goes");
        }
        LanguageModel given = LanguageModel.open(this.<String>said("--model"));
        (apply != null ? EditFile.read(apply).apply(given) : EditFile.read(revert).revert(given)).save(Path.of(save));
        spec.commandLine().getOut().println("written to " + save);
        return 0;
    }
}
