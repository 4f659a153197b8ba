package lab.recall.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.lang.reflect.Member;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import lab.recall.request.Answer;
import lab.recall.request.NamedView;
import lab.recall.request.Progress;
import lab.recall.view.HeatMap;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * An experiment over facts, on one model or several: builds the request, runs it for each model, writes tables and pictures. Run again after
 * an interruption, it goes on where it stopped.
 */
abstract class FactCommand implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** What a sentence about a field begins with. */
    private static final Pattern FIELD = Pattern.compile("[a-z_]+(?=[:\\[])");

    @Spec
    private CommandSpec spec;

    @Option(names = "--model", required = true, paramLabel = "MODEL", description = "An embedded model, a folder, or a hub id; may be given several times.")
    private List<String> models;

    @Option(names = "--relation", defaultValue = "all", paramLabel = "NAME", description = "A relation's name, or all (default).")
    private String relation;

    @Option(names = "--relations", paramLabel = "SET", description = "world, lre, or a folder of relation files (default: those that belong to the model).")
    private String relations;

    @Option(names = "--seed", defaultValue = "1", description = "Seed of every random choice (default: ${DEFAULT-VALUE}).")
    private int seed;

    @Option(names = "--threads", description = "Threads (default: all cores).")
    private Integer threads;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "Where results go; with several models, one folder each below it.")
    private Path out;

    /** The experiment's name in a request. */
    abstract String experiment();

    /** Writes the command's own options into the request. */
    abstract void fill(ObjectNode request);

    /** Writes an option that was given. */
    static void put(ObjectNode request, String field, Object value) {
        if (value != null) {
            request.set(field, JSON.valueToTree(value));
        }
    }

    /**
     * Runs a request; what is wrong with a field of it is said of the option that wrote the field.
     *
     * @param others options by field, where neither the option nor the member that holds it has the field's name
     */
    static <T> T run(CommandSpec spec, Map<String, String> others, Supplier<T> request) {
        try {
            return request.get();
        } catch (IllegalArgumentException e) {
            Matcher field = FIELD.matcher(String.valueOf(e.getMessage()));
            String option = field.lookingAt() ? others.getOrDefault(field.group(), option(spec, field.group())) : null;
            throw option == null ? e : new IllegalArgumentException(option + e.getMessage().substring(field.end()), e);
        }
    }

    private static String option(CommandSpec spec, String field) {
        return spec.options().stream().filter(o -> o.longestName().equals("--" + field.replace('_', '-'))
                || o.userObject() instanceof Member m && m.getName().equals(field)).map(OptionSpec::longestName).findFirst().orElse(null);
    }

    /** Pictures that set several models side by side: the heat maps that all of them have. */
    List<NamedView> together(Map<String, Answer> answers) {
        List<NamedView> all = new ArrayList<>();
        for (NamedView first : answers.values().iterator().next().views()) {
            List<HeatMap> maps = answers.values().stream().flatMap(a -> a.views().stream())
                    .filter(v -> v.name().equals(first.name()) && v.view() instanceof HeatMap).map(v -> (HeatMap) v.view()).toList();
            if (maps.size() == answers.size()) {
                all.add(new NamedView(first.name(), HeatMap.beside(maps.toArray(HeatMap[]::new))));
            }
        }
        return all;
    }

    @Override
    public Integer call() {
        Map<String, Path> folders = new LinkedHashMap<>();
        for (String model : models) {
            Path folder = models.size() == 1 ? out : out.resolve(Path.of(model).toAbsolutePath().normalize().getFileName().toString());
            if (folders.containsValue(folder)) {
                throw new IllegalArgumentException("--model: two models would write to " + folder + "; run them with an --out of their own");
            }
            folders.put(model, folder);
        }
        Requests requests = new Requests();
        Map<String, Requests.Done> done = new LinkedHashMap<>();
        for (String model : models) {
            ObjectNode request = JSON.createObjectNode().put("experiment", experiment()).put("model", model).put("relation", relation).put("seed", seed);
            put(request, "relations", relations);
            put(request, "threads", threads);
            fill(request);
            Requests.Done answered;
            try {
                answered = run(spec, Map.of(), () -> requests.run(request.toString(), folders.get(model), Progress.bar()));
            } catch (CancellationException e) {
                throw (CancellationException) new CancellationException("interrupted; the same command goes on where it stopped").initCause(e);
            }
            done.put(model, answered);
            PrintWriter terminal = spec.commandLine().getOut();
            terminal.println(model);
            if (!answered.journal().resumed().isEmpty()) {
                terminal.println("  " + answered.journal().resumed());
            }
            answered.answer().scalars().forEach((name, value) -> terminal.println("  " + name.replace('_', ' ') + ": " + value));
        }
        if (done.size() > 1) {
            Map<String, Answer> answers = new LinkedHashMap<>();
            done.forEach((model, d) -> answers.put(model, d.answer()));
            together(answers).forEach(v -> Results.write(out, v.name(), v.view()));
        }
        done.values().forEach(d -> d.journal().delete());
        spec.commandLine().getOut().println("written to " + out);
        return 0;
    }
}
