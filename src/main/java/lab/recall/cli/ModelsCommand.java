package lab.recall.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import lab.recall.model.LanguageModel;
import lab.recall.view.Show;
import lab.recall.view.Tables;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(name = "models", mixinStandardHelpOptions = true, description = "Lists the models that come with the project.")
final class ModelsCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() {
        List<Map<String, Object>> all = new ArrayList<>();
        for (String name : LanguageModel.embedded()) {
            all.add(InfoCommand.describe(LanguageModel.open(name)));
        }
        if (json) {
            Printed.json(spec, all);
            return 0;
        }
        List<String> columns = List.of("name", "family", "layers", "width", "vocabulary", "parameters");
        spec.commandLine().getOut().print(Show.text(Tables.of("", columns,
                all.stream().map(m -> columns.stream().map(m::get).toList()).toList())));
        spec.commandLine().getOut()
                .println("Others: " + String.join(", ", LanguageModel.fetchable()) + " after environment/fetch; a folder with config.json"
                        + " and weights, a GGUF file, or a hub id that lies in the HuggingFace cache.");
        return 0;
    }
}
