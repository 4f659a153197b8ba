package lab.recall.cli;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadRequest;
import lab.recall.base.Interruption;
import lab.recall.base.Json;
import lab.recall.study.Asks;
import lab.recall.study.Experiment;
import lab.recall.study.RequestReader;
import lab.recall.study.Requests;
import lab.recall.study.Result;
import lab.recall.view.Export;
import lab.recall.view.ProgressBar;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * An experiment as a command: an option for each field of its request, one model or several, a folder for results. Run again after an
 * interruption, it goes on where it stopped.
 */
final class ExperimentCommand<Q extends Record, T extends Result> implements Callable<Integer> {
    private final Experiment<Q, T> experiment;
    private final CommandSpec spec = CommandSpec.wrapWithoutInspection(this);

    private ExperimentCommand(Experiment<Q, T> experiment) {
        this.experiment = experiment;
    }

    /** The command of an experiment that has one. */
    static <Q extends Record, T extends Result> CommandSpec of(Experiment<Q, T> experiment) {
        ExperimentCommand<Q, T> command = new ExperimentCommand<>(experiment);
        CommandSpec spec = command.spec.name(experiment.command().orElseThrow()).mixinStandardHelpOptions(true);
        spec.usageMessage().description(experiment.description());
        spec.addOption(OptionSpec.builder("--model").required(true).paramLabel("MODEL").type(List.class).auxiliaryTypes(String.class)
                .description("An embedded model, a folder, or a hub id; may be given several times.").build());
        Options.add(spec, experiment.request());
        spec.addOption(threads());
        spec.addOption(OptionSpec.builder("--out").required(true).paramLabel("DIR").type(Path.class)
                .description("Where results go; with several models, one folder each below it.").build());
        spec.addOption(fresh());
        return spec;
    }

    static OptionSpec threads() {
        return OptionSpec.builder("--threads").paramLabel("N").type(String.class)
                .description("Threads (default: all cores); the numbers do not depend on them.").build();
    }

    static OptionSpec fresh() {
        return OptionSpec.builder("--fresh").arity("0").type(boolean.class).description("Replace what another request has left there.").build();
    }

    @Override
    public Integer call() {
        List<String> models = spec.findOption("--model").getValue();
        Path out = spec.findOption("--out").getValue();
        boolean fresh = Boolean.TRUE.equals(spec.findOption("--fresh").getValue());
        Map<String, Path> folders = new LinkedHashMap<>();
        for (String model : models) {
            Path folder = models.size() == 1 ? out : out.resolve(Path.of(model).toAbsolutePath().normalize().getFileName().toString());
            if (folders.containsValue(folder)) {
                throw new BadRequest("--model", "two models would write to " + folder + "; run them with an --out of their own");
            }
            folders.put(model, folder);
        }
        PrintWriter terminal = spec.commandLine().getOut();
        Requests requests = new Requests();
        Map<String, T> results = new LinkedHashMap<>();
        for (String model : models) {
            ObjectNode request = Json.MAPPER.createObjectNode().put("experiment", experiment.name()).put("model", model);
            Options.fill(spec, experiment.request(), request);
            Requests.Done<?> done;
            try {
                done = requests.run(request, folders.get(model), fresh, ProgressBar.progress());
            } catch (BadRequest e) {
                throw Options.said(spec, experiment.request(), e);
            } catch (CancellationException e) {
                throw (CancellationException) new CancellationException((Interruption.isAsked() ? "ended" : "interrupted")
                        + "; the same command goes on where it stopped").initCause(e);
            }
            T result = experiment.result().cast(done.result());
            results.put(model, result);
            terminal.println(model);
            if (done.taken() > 0) {
                terminal.println("  " + done.taken() + " finished pieces of an earlier run were taken from " + folders.get(model).resolve("store"));
            }
            result.scalars().forEach((name, value) -> terminal.println("  " + name.replace('_', ' ') + ": " + value));
        }
        if (results.size() > 1) {
            experiment.beside(results).forEach(v -> Export.files(v.name(), v.view()).forEach((file, bytes) -> AtomicFiles.write(out.resolve(file), bytes)));
        }
        terminal.println("written to " + out);
        return 0;
    }

    /** The options of a request's record. */
    static final class Options {
        private Options() {
        }

        /** Adds an option for each component. */
        static void add(CommandSpec spec, Class<? extends Record> request) {
            Record defaults = defaults(request);
            for (RecordComponent c : request.getRecordComponents()) {
                Asks asks = c.getAnnotation(Asks.class);
                if (asks.option().equals("-")) {
                    continue;
                }
                OptionSpec.Builder option = OptionSpec.builder(name(c)).description(asks.value() + preset(asks, c, defaults) + ".");
                if (c.getType() == Boolean.class) {
                    option.arity("0").type(boolean.class);
                } else if (List.class.isAssignableFrom(c.getType())) {
                    option.paramLabel(label(c)).type(List.class).auxiliaryTypes(String.class).splitRegex(",");
                } else {
                    option.paramLabel(label(c)).type(String.class);
                }
                spec.addOption(option.build());
            }
        }

        private static String name(RecordComponent c) {
            String own = c.getAnnotation(Asks.class).option();
            return "--" + (own.isEmpty() ? field(c).replace('_', '-') : own);
        }

        /** A component's name in a request. */
        private static String field(RecordComponent c) {
            JsonProperty own = c.getAccessor().getAnnotation(JsonProperty.class);
            return own == null ? Json.name(c.getName()) : own.value();
        }

        private static String label(RecordComponent c) {
            return c.getType() == Integer.class || c.getType() == Double.class ? "N" : c.getName().toUpperCase(Locale.ROOT);
        }

        /** The record of a request that says nothing; null where something has to be said. */
        private static Record defaults(Class<? extends Record> request) {
            try {
                return RequestReader.read(Json.MAPPER.createObjectNode(), request);
            } catch (BadRequest e) {
                return null;
            }
        }

        private static String preset(Asks asks, RecordComponent c, Record defaults) {
            String words = asks.words().length == 0 ? "" : ": " + String.join(", ", asks.words());
            if (!asks.otherwise().isEmpty()) {
                return words + " (default: " + asks.otherwise() + ")";
            }
            if (defaults == null || c.getType() == Boolean.class) {
                return words;
            }
            try {
                c.getAccessor().setAccessible(true);
                Object value = c.getAccessor().invoke(defaults);
                return words + (value == null || value.toString().isEmpty() ? ""
                        : " (default: " + (value instanceof List<?> l ? String.join(",", l.stream().map(String::valueOf).toList()) : value) + ")");
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }

        /** Writes the options that were given into a request. */
        static void fill(CommandSpec spec, Class<? extends Record> type, ObjectNode request) {
            for (RecordComponent c : type.getRecordComponents()) {
                OptionSpec option = spec.findOption(name(c));
                Object value = option == null ? null : option.getValue();
                if (value instanceof List<?> list) {
                    var array = request.putArray(field(c));
                    boolean numbers = c.getGenericType().getTypeName().contains("Integer");
                    list.forEach(v -> array.add(numbers ? number(option, v.toString(), Integer.class) : array.textNode(v.toString())));
                } else if (value instanceof Boolean flag) {
                    if (flag) {
                        request.put(field(c), true);
                    }
                } else if (value != null) {
                    boolean number = c.getType() == Integer.class || c.getType() == Double.class;
                    request.set(field(c), number ? number(option, value.toString(), c.getType()) : request.textNode(value.toString()));
                }
            }
            Object threads = spec.findOption("--threads").getValue();
            if (threads != null) {
                request.set("threads", number(spec.findOption("--threads"), threads.toString(), Integer.class));
            }
        }

        private static JsonNode number(OptionSpec option, String text, Class<?> type) {
            try {
                return type == Integer.class ? Json.MAPPER.getNodeFactory().numberNode(Integer.parseInt(text.strip()))
                        : Json.MAPPER.getNodeFactory().numberNode(Double.parseDouble(text.strip()));
            } catch (NumberFormatException e) {
                throw new BadRequest(option.longestName(), "'" + text + "', expected a " + (type == Integer.class ? "whole number" : "number"), e);
            }
        }

        /** What is wrong with a field, said of the option that wrote it. */
        static BadRequest said(CommandSpec spec, Class<? extends Record> request, BadRequest e) {
            String field = e.field().replaceAll("[\\[. ].*", "");
            for (RecordComponent c : request.getRecordComponents()) {
                if (field(c).equals(field) && spec.findOption(name(c)) != null) {
                    return e.of(name(c) + e.field().substring(field.length()));
                }
            }
            return spec.findOption("--" + field) != null ? e.of("--" + e.field()) : e;
        }
    }
}
