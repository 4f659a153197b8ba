package lab.recall.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.base.Said;
import lab.recall.study.Experiment;
import lab.recall.study.Plan;
import lab.recall.study.RequestField;
import lab.recall.study.Requests;
import lab.recall.study.Result;
import lab.recall.view.ProgressBar;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Options made from the record of a request, and the request made from the options. */
final class RequestOptions {
    /** What {@code --fresh} does. */
    static final String FRESH = "Replace what another request has left there.";
    private static final String THREADS = "threads";

    private RequestOptions() {
    }

    /** Adds an option for each field that has one, {@code --fresh} and {@code --threads}. */
    static void add(CommandSpec spec, Class<? extends Record> request) {
        for (RequestField f : RequestField.of(request)) {
            if (f.option().isEmpty()) {
                continue;
            }
            OptionSpec.Builder option = OptionSpec.builder(f.option()).description(f.meaning() + ".");
            if (f.type() == Boolean.class) {
                option.arity("0").type(boolean.class);
            } else if (f.isList()) {
                option.paramLabel(label(f)).type(List.class).auxiliaryTypes(String.class).splitRegex(",");
            } else {
                option.paramLabel(label(f)).type(String.class);
            }
            spec.addOption(option.build());
        }
        spec.addOption(OptionSpec.builder("--fresh").arity("0").type(boolean.class).description(FRESH).build());
        spec.addOption(OptionSpec.builder("--" + THREADS).paramLabel("N").type(String.class)
                .description("Threads (default: all cores); the numbers do not depend on them.").build());
    }

    private static String label(RequestField f) {
        return isNumber(f.type()) ? "N" : f.option().substring(2).toUpperCase(Locale.ROOT);
    }

    private static boolean isNumber(Class<?> type) {
        return type == Integer.class || type == Double.class;
    }

    /**
     * Asks a model what the options say. What is wrong with a field is said of the option that wrote it.
     *
     * @param out  receives the result; nothing is written where there is none
     * @param told the result, before a model is written
     */
    static Requests.Done<?> ask(CommandSpec spec, Experiment<?, ?> experiment, Requests requests, String model, Optional<Path> out,
            Consumer<Result> told) {
        ObjectNode request = request(spec, experiment, model);
        boolean fresh = Boolean.TRUE.equals(spec.findOption("--fresh").getValue());
        try {
            return out.isPresent() ? requests.run(request, out.get(), fresh, ProgressBar.progress(), told)
                    : requests.ask(request, ProgressBar.progress(), told);
        } catch (BadRequest e) {
            throw said(spec, experiment.request(), e);
        }
    }

    /** Adds to a plan what such a request would compute. */
    static void plan(CommandSpec spec, Experiment<?, ?> experiment, String model, Path out, Plan plan) {
        ObjectNode request = request(spec, experiment, model);
        try {
            new Requests().plan(request, out, plan);
        } catch (BadRequest e) {
            throw said(spec, experiment.request(), e);
        }
    }

    private static ObjectNode request(CommandSpec spec, Experiment<?, ?> experiment, String model) {
        ObjectNode request = Json.MAPPER.createObjectNode().put("experiment", experiment.name()).put("model", model);
        fill(spec, experiment.request(), request);
        return request;
    }

    /** Prints a result's numbers. */
    static void print(PrintWriter terminal, String indent, Result result) {
        result.scalars().forEach((name, value) -> terminal.println(indent + name.replace('_', ' ') + ": " + value));
    }

    private static void fill(CommandSpec spec, Class<? extends Record> type, ObjectNode request) {
        for (RequestField f : RequestField.of(type)) {
            Object value = f.option().isEmpty() ? null : spec.findOption(f.option()).getValue();
            if (value instanceof List<?> list) {
                ArrayNode array = request.putArray(f.name());
                list.forEach(v -> array.add(node(f.option(), v.toString(), f.type())));
            } else if (value instanceof Boolean flag) {
                if (flag) {
                    request.put(f.name(), true);
                }
            } else if (value != null) {
                request.set(f.name(), node(f.option(), value.toString(), f.type()));
            }
        }
        Object threads = spec.findOption("--" + THREADS).getValue();
        if (threads != null) {
            request.set(THREADS, node("--" + THREADS, threads.toString(), Integer.class));
        }
    }

    private static JsonNode node(String option, String text, Class<?> type) {
        if (!isNumber(type)) {
            return Json.MAPPER.getNodeFactory().textNode(text);
        }
        try {
            return type == Integer.class ? Json.MAPPER.getNodeFactory().numberNode(Integer.parseInt(text.strip()))
                    : Json.MAPPER.getNodeFactory().numberNode(Double.parseDouble(text.strip()));
        } catch (NumberFormatException e) {
            throw new BadRequest(option, "'" + Said.of(text) + "', expected a " + (type == Integer.class ? "whole number" : "number"), e);
        }
    }

    private static BadRequest said(CommandSpec spec, Class<? extends Record> request, BadRequest e) {
        String field = e.field().replaceAll("[\\[. ].*", "");
        String option = RequestField.of(request).stream().filter(f -> f.name().equals(field)).map(RequestField::option).findFirst()
                .orElse("--" + field);
        return spec.findOption(option) == null ? e : e.of(option + e.field().substring(field.length()));
    }
}
