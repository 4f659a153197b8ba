package lab.recall.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import lab.recall.model.LanguageModel;
import lab.recall.model.NextToken;
import lab.recall.view.Tables;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "next", mixinStandardHelpOptions = true, description = "Tells what a model says next after a text.")
final class NextCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelArgument given;

    @Parameters(index = "1", paramLabel = "PROMPT", description = "The text.")
    private String prompt;

    @Option(names = "--top", defaultValue = "5", description = "How many tokens (default: ${DEFAULT-VALUE}).")
    private int top;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() {
        LanguageModel model = given.open();
        NextToken next = model.next(prompt);
        if (!json) {
            spec.commandLine().getOut().print(Tables.text(NextToken.COLUMNS, next.rows(top)));      // no Table: its library loads for long
            return 0;
        }
        next.rows(top);                 // refuses a bad number
        List<Map<String, Object>> all = new ArrayList<>();
        for (int i = 0; i < top; i++) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("id", next.id(i));
            one.put("token", model.requireTokenizer().decode(next.id(i)));
            one.put("probability", next.probability(i));
            all.add(one);
        }
        Printed.json(spec, all);
        return 0;
    }
}
