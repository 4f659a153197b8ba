package lab.recall.cli;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import lab.recall.base.Said;
import lab.recall.edit.EditSettings;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.study.ModelCard;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(name = "info", mixinStandardHelpOptions = true,
        description = "Tells a model's sizes, how it is asked and edited (recall.json), and its hook points.")
final class InfoCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelArgument given;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Option(names = "--digest",
            description = "Tell the digest of its files too, by which results and kept work name it; a large model is read for it.")
    private boolean digest;

    @Override
    public Integer call() {
        LanguageModel model = given.open();
        Map<String, Object> all = describe(model);
        all.put("folder", model.folder().toString());           // of a hub id: the snapshot that was taken
        if (digest) {
            all.put("digest", ModelCard.of(model).digest());
        }
        all.put("tokenizer", model.tokenizer().isPresent());
        all.put("relations", model.facts().relations());
        all.put("invented_world", model.facts().inventedWorld());
        all.put("blank_before_stop", model.facts().blankBeforeStop());
        EditSettings edits = EditSettings.of(model);
        all.put("edits", new TreeMap<>(Map.of("clamp_norm_factor", edits.clamp(), "ridge", edits.ridge())));
        Map<String, Integer> points = new LinkedHashMap<>();
        model.points().stream().filter(HookPoint::isPerToken).forEach(p -> points.put(p.id(), model.width(p)));
        all.put("hook_points", points);
        all.put("warnings", model.warnings());
        if (json) {
            Printed.json(spec, all);
        } else {
            all.forEach((k, v) -> {
                if (!k.equals("hook_points")) {
                    spec.commandLine().getOut().printf(Locale.ROOT, "%-17s %s%n", k, Said.visible(String.valueOf(v)));
                }
            });
            spec.commandLine().getOut().println("hook points, with their width and meaning:");
            model.points().forEach(p -> spec.commandLine().getOut()
                    .printf(Locale.ROOT, "  %-12s %7s  %s%n", p.id(), p.isPerToken() ? model.width(p) : "–", p.meaning()));
        }
        return 0;
    }

    static Map<String, Object> describe(LanguageModel model) {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("name", model.name());
        all.put("family", model.family());
        all.put("layers", model.layers());
        all.put("width", model.width());
        all.put("vocabulary", model.vocabulary());
        all.put("parameters", model.parameters());
        return all;
    }
}
