package lab.recall.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Progress;
import lab.recall.base.Said;
import lab.recall.model.Generation;
import lab.recall.model.LanguageModel;
import lab.recall.model.Sampling;
import lab.recall.view.ProgressBar;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "generate", mixinStandardHelpOptions = true, description = "Goes on with a text, up to the end-of-sequence token.")
final class GenerateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelArgument given;

    @Parameters(index = "1", paramLabel = "PROMPT", description = "The text.")
    private String prompt;

    @Option(names = "--tokens", defaultValue = "20", description = "At most so many (default: ${DEFAULT-VALUE}).")
    private int tokens;

    @Option(names = "--seed", description = "Draw tokens, by this seed; without it the most probable one is taken.")
    private Long seed;

    @Option(names = "--temperature", description = "Logits are divided by it (default: 1); asks for --seed.")
    private Double temperature;

    @Option(names = "--top-k", description = "Draw from so many most probable tokens (default: all); asks for --seed.")
    private Integer topK;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Override
    public Integer call() {
        if (seed == null && (temperature != null || topK != null)) {
            throw new BadRequest("", "--temperature and --top-k ask for a --seed: without one the most probable token is taken");
        }
        Check.whole("--tokens", tokens, 1, Generation.MOST);
        Sampling how = seed == null ? Sampling.greedy() : new Sampling(seed, Check.or(temperature, 1.0), Check.or(topK, 0));
        LanguageModel model = given.open();
        Progress progress = ProgressBar.progress();
        progress.start("tokens", "token", tokens);
        Generation said;
        try {
            said = model.generate(model.prompt(prompt), tokens, how, List.of(), progress::to);
        } finally {
            progress.finish();
        }
        if (json) {
            Map<String, Object> all = new LinkedHashMap<>();
            all.put("text", said.text());
            all.put("ids", said.ids());
            all.put("tokens", said.tokens());
            all.put("probabilities", said.probabilities());
            all.put("ended", said.ended());
            Printed.json(spec, all);
        } else {
            said.toString().lines().forEach(l -> spec.commandLine().getOut().println(Said.visible(l)));
        }
        return 0;
    }
}
