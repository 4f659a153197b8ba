package lab.recall.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Json;
import lab.recall.base.Nearest;
import lab.recall.base.RequestReader;
import lab.recall.base.Said;
import lab.recall.study.Asks;
import lab.recall.study.Experiment;
import lab.recall.study.Studies;

/**
 * What a sweep's file says: each study is asked of each model, with each combination of the settings.
 *
 * <pre>{@code
 * List<SweepRequest> plan = Sweep.read(Json.object(file)).plan();
 * }</pre>
 *
 * @param models   as requests name them
 * @param studies  by their names, fields of a request each; {@code settings} in one are a grid of its own
 * @param settings values of fields, for all studies
 */
public record Sweep(
        @Asks("The models, as `model` of a request names one") List<String> models,
        @Asks("By a name of your own each: `experiment` and its fields as in a [request](requests.md), without `model` and `threads`; an"
                + " experiment over many facts; `settings` in a study: a grid of its own, beside that of all")
                Map<String, ObjectNode> studies,
        @Asks(value = "A grid for all studies: a field of theirs and the list of its values each; every combination is asked",
                otherwise = "none") Map<String, List<JsonNode>> settings) {
    private static final int MOST = 100_000;
    private static final String EXPERIMENT = "experiment";
    private static final String SETTINGS = "settings";
    private static final String NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}";

    /** Checks what does not depend on the experiments. */
    public Sweep {
        models = List.copyOf(Check.different("models", Check.given("models", models)));
        if (Check.given("studies", studies).isEmpty()) {
            throw new BadRequest("studies", "empty, expected at least one");
        }
        settings = Check.or(settings, Map.of());
        studies.forEach((name, fields) -> {
            if (!name.matches(NAME)) {
                throw new BadRequest("studies", "'" + Said.of(name) + "', expected a name of letters, digits, '_', '.' and '-'");
            }
            if (fields == null) {
                throw new BadRequest("studies." + name, "empty, expected an object with " + EXPERIMENT);
            }
        });
        requireValues(SETTINGS, settings);
    }

    private static void requireValues(String where, Map<String, List<JsonNode>> grid) {
        grid.forEach((field, values) -> Check.different(where + "." + Said.of(field),
                Check.given(where + "." + Said.of(field), values)));
    }

    /**
     * That of an object.
     *
     * @throws BadRequest if a field is unknown, of another kind, or refused
     */
    public static Sweep read(ObjectNode file) {
        return RequestReader.read(file, Sweep.class);
    }

    /** A grid alone, as a study has it. */
    private record Grid(Map<String, List<JsonNode>> settings) {
    }

    /**
     * All requests: by model, then by study, the last setting varies fastest.
     *
     * @throws BadRequest if one of them says what no model can be asked
     */
    public List<SweepRequest> plan() {
        Map<String, List<SweepRequest>> asked = new LinkedHashMap<>();
        long count = 0;
        for (Map.Entry<String, ObjectNode> study : studies.entrySet()) {
            List<SweepRequest> all = requests(study.getKey(), study.getValue());
            asked.put(study.getKey(), all);
            count += (long) models.size() * all.size();
            requireFew(count);
        }
        List<SweepRequest> plan = new ArrayList<>();
        models.forEach(model -> asked.values().forEach(all -> all.forEach(r -> plan.add(r.of(model)))));
        return plan;
    }

    private static void requireFew(long count) {
        if (count > MOST) {
            throw new BadRequest(SETTINGS, "more than " + MOST + " requests, expected at most so many");
        }
    }

    /** A study's requests, of no model yet. */
    private List<SweepRequest> requests(String study, ObjectNode said) {
        String place = "studies." + study;
        ObjectNode fields = said.deepCopy();
        Experiment<?, ?> experiment = experiment(place, fields.remove(EXPERIMENT));
        Map<String, List<JsonNode>> grid = new LinkedHashMap<>(settings);
        own(place, fields.remove(SETTINGS)).forEach((field, values) -> {
            if (grid.put(field, values) != null) {
                throw new BadRequest(place + "." + SETTINGS + "." + Said.of(field), "stands in the settings of all studies too");
            }
        });
        for (String field : grid.keySet()) {
            if (fields.has(field)) {
                throw new BadRequest(place + "." + Said.of(field), "stands in the settings too, expected in one place");
            }
        }
        List<SweepRequest> all = new ArrayList<>();
        for (Map<String, JsonNode> setting : combinations(grid)) {
            ObjectNode whole = fields.deepCopy().setAll(setting);
            try {
                RequestReader.read(whole, experiment.request());
            } catch (BadRequest e) {
                throw place(place, grid, e);
            }
            Map<String, JsonNode> sorted = new TreeMap<>();         // the order in the file makes no other request
            whole.properties().forEach(e -> sorted.put(e.getKey(), e.getValue()));
            all.add(new SweepRequest("", study, words(setting),
                    Json.MAPPER.createObjectNode().put(EXPERIMENT, experiment.name()).setAll(sorted)));
        }
        return all;
    }

    private static Experiment<?, ?> experiment(String place, JsonNode name) {
        List<String> names = Studies.all().stream().filter(e -> e.command().isPresent()).map(Experiment::name).toList();
        if (name == null) {
            throw new BadRequest(place + "." + EXPERIMENT, "missing, expected " + String.join(" or ", names));
        }
        if (!names.contains(name.asText())) {
            throw new BadRequest(place + "." + EXPERIMENT, "'" + Said.of(name.asText()) + "', expected " + String.join(" or ", names)
                    + ", which are over many facts" + Nearest.question(name.asText(), names));
        }
        return Studies.named(name.asText());
    }

    private static Map<String, List<JsonNode>> own(String place, JsonNode settings) {
        if (settings == null) {
            return Map.of();
        }
        try {
            Grid grid = RequestReader.read(Json.MAPPER.createObjectNode().set(SETTINGS, settings), Grid.class);
            requireValues(SETTINGS, Check.given(SETTINGS, grid.settings));
            return grid.settings;
        } catch (BadRequest e) {
            throw e.of(place + "." + e.field());
        }
    }

    /** Where a field that was refused stands in the file. */
    private BadRequest place(String study, Map<String, List<JsonNode>> grid, BadRequest e) {
        String field = e.field().replaceAll("[\\[. ].*", "");
        String in = settings.containsKey(field) ? SETTINGS + "." : study + "." + (grid.containsKey(field) ? SETTINGS + "." : "");
        return settings.containsKey(field) ? new BadRequest(in + e.field(), e.reason() + " (of " + study + ")", e) : e.of(in + e.field());
    }

    private static List<Map<String, JsonNode>> combinations(Map<String, List<JsonNode>> grid) {
        requireFew(grid.values().stream().mapToLong(List::size).reduce(1, (a, b) -> Math.min(MOST + 1L, a * b)));
        List<Map<String, JsonNode>> all = List.of(Map.of());
        for (Map.Entry<String, List<JsonNode>> field : grid.entrySet()) {
            List<Map<String, JsonNode>> more = new ArrayList<>();
            for (Map<String, JsonNode> some : all) {
                for (JsonNode value : field.getValue()) {
                    Map<String, JsonNode> one = new LinkedHashMap<>(some);
                    one.put(field.getKey(), value);
                    more.add(one);
                }
            }
            all = more;
        }
        return all;
    }

    private static String words(Map<String, JsonNode> setting) {
        return setting.entrySet().stream().map(e -> e.getKey() + "=" + (e.getValue().isTextual() ? e.getValue().asText() : e.getValue()))
                .collect(Collectors.joining(", "));
    }
}
