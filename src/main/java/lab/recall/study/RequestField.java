package lab.recall.study;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.base.RequestReader;

/**
 * A field of a request, as its record says it: for options, help and the page of requests.
 *
 * @param name    in JSON
 * @param option  of the command, with its two dashes; empty where it has none
 * @param type    of its values; for a list that of its elements
 * @param isList  whether it holds several
 * @param meaning in words, with the words that it may be and what stands for it when it is not given
 */
public record RequestField(String name, String option, Class<?> type, boolean isList, String meaning) {
    /** Those of a request, in order. */
    public static List<RequestField> of(Class<? extends Record> request) {
        Optional<ObjectNode> defaults = defaults(request);
        List<RequestField> all = new ArrayList<>();
        for (RecordComponent c : request.getRecordComponents()) {
            Asks asks = c.getAnnotation(Asks.class);
            String name = RequestReader.name(c);
            boolean list = List.class.isAssignableFrom(c.getType());
            String option = asks.option().equals("-") ? "" : "--" + (asks.option().isEmpty() ? name.replace('_', '-') : asks.option());
            String meaning = asks.value() + (asks.words().length == 0 ? "" : ": " + String.join(", ", asks.words()))
                    + preset(asks, c, name, defaults);
            all.add(new RequestField(name, option, list ? element(c) : c.getType(), list, meaning));
        }
        return all;
    }

    private static Class<?> element(RecordComponent list) {
        return list.getGenericType().getTypeName().endsWith("<java.lang.Integer>") ? Integer.class : String.class;
    }

    /** What a request that says nothing says; none where something has to be said. */
    private static Optional<ObjectNode> defaults(Class<? extends Record> request) {
        try {
            return Optional.of((ObjectNode) Json.tree(RequestReader.read(Json.MAPPER.createObjectNode(), request)));
        } catch (BadRequest e) {
            return Optional.empty();
        }
    }

    private static String preset(Asks asks, RecordComponent c, String name, Optional<ObjectNode> defaults) {
        if (!asks.otherwise().isEmpty()) {
            return " (default: " + asks.otherwise() + ")";
        }
        if (defaults.isEmpty() || c.getType() == Boolean.class || !defaults.get().hasNonNull(name)) {
            return "";
        }
        StringBuilder value = new StringBuilder();
        if (defaults.get().get(name).isArray()) {
            defaults.get().get(name).forEach(v -> value.append(value.isEmpty() ? "" : ",").append(v.asText()));
        } else {
            value.append(defaults.get().get(name).asText());
        }
        return value.isEmpty() ? "" : " (default: " + value + ")";
    }

    /** The components of a record as a table in Markdown, as {@code environment/sweeps.md} has it. */
    public static String table(String what, Class<? extends Record> record) {
        StringBuilder table = new StringBuilder("| " + what + " | meaning |\n|---|---|\n");
        of(record).forEach(f -> table.append("| `").append(f.name).append("` | ").append(f.meaning.replace("|", "\\|")).append(" |\n"));
        return table.toString();
    }

    /** All experiments and their fields as a table in Markdown, as {@code environment/requests.md} has it. */
    public static String page() {
        StringBuilder page = new StringBuilder("| experiment | field | meaning |\n|---|---|---|\n");
        for (Experiment<?, ?> e : Studies.all()) {
            page.append("| `").append(e.name()).append("` | | ").append(e.description()).append(" |\n");
            of(e.request()).forEach(f -> page.append("| | `").append(f.name).append("` | ")
                    .append(f.meaning.replace("|", "\\|")).append(" |\n"));
        }
        return page.toString();
    }
}
