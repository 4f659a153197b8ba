package lab.recall.facts;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.InputFiles;
import lab.recall.base.Json;
import lab.recall.base.Said;
import lab.recall.text.DataFolder;
import lab.recall.text.Template;
import lab.recall.view.Showable;
import lab.recall.view.Tables;

/**
 * A set of edit requests.
 *
 * <pre>{@code
 * EditRequests.of(Relations.of(mamba), Relations.of(mamba).knownBy(mamba), 100, seed)   // facts that the model knows, turned into others
 * EditRequests.read(Path.of("counterfact.json"))             // CounterFact's own form
 * EditRequests.world()                                       // data/world/edits/requests.json, in the same form
 * }</pre>
 */
public record EditRequests(List<EditRequest> all) implements Showable {
    /** As many as CounterFact has. */
    private static final int PARAPHRASES = 2;
    private static final int NEIGHBOURS = 10;

    public EditRequests {
        if (all.isEmpty()) {
            throw new BadRequest("requests", "none, expected at least one");
        }
        all = List.copyOf(all);
    }

    /**
     * Reads CounterFact's form: a JSON list, or one record a line, of {case_id, requested_rewrite: {prompt, subject, target_new: {str},
     * target_true: {str}}, paraphrase_prompts, neighborhood_prompts}. Other fields are passed over.
     *
     * @throws BadData when the file is not that
     */
    public static EditRequests read(Path file) {
        List<EditRequest> all = new ArrayList<>();
        try (MappingIterator<JsonNode> records = Json.MAPPER.readerFor(JsonNode.class).readValues(InputFiles.bytes(file))) {
            while (records.hasNextValue()) {
                JsonNode next = records.nextValue();
                for (JsonNode record : next.isArray() ? next : List.of(next)) {
                    all.add(parse(file, all.size(), record));
                }
            }
        } catch (JsonProcessingException e) {
            throw new BadData(file, "", "not JSON (" + Json.reason(e, false) + ")", e);
        } catch (IOException e) {
            throw new BadData(file, "", "not JSON", e);
        }
        if (all.isEmpty()) {
            throw new BadData(file, "no request in it");
        }
        return new EditRequests(all);
    }

    private static EditRequest parse(Path file, int number, JsonNode record) {
        JsonNode rewrite = record.path("requested_rewrite");
        try {
            Json.requireWhole(record, "");
            JsonNode id = record.path("case_id");
            if (isSaid(id) && !(id.isIntegralNumber() && id.canConvertToInt())) {
                throw new BadRequest("case_id", Said.of(id) + ", expected a whole number");
            }
            return new EditRequest(id.asInt(number), text(rewrite, "relation_id", false), text(rewrite, "prompt", true),
                    text(rewrite, "subject", true), text(rewrite.path("target_new"), "str", true),
                    text(rewrite.path("target_true"), "str", false), texts(record, "paraphrase_prompts"),
                    texts(record, "neighborhood_prompts"));
        } catch (BadRequest e) {
            throw new BadData(file, "request " + number, e.getMessage(), e);
        }
    }

    private static String text(JsonNode of, String field, boolean required) {
        JsonNode text = of.path(field);
        if (!text.isTextual() && (required || isSaid(text))) {
            throw new BadRequest("", "expected requested_rewrite with prompt, subject and target_new.str as texts; "
                    + (isSaid(text) ? field + " is " + Said.of(text) : "there is no " + field));
        }
        return text.asText("");
    }

    private static boolean isSaid(JsonNode value) {
        return !value.isMissingNode() && !value.isNull();
    }

    private static List<String> texts(JsonNode record, String field) {
        JsonNode list = record.path(field);
        if (!list.isArray() && isSaid(list)) {
            throw new BadRequest(field, Said.of(list) + ", expected a list of texts");
        }
        List<String> all = new ArrayList<>();
        for (JsonNode t : list) {
            if (!t.isTextual() || t.asText().isBlank()) {
                throw new BadRequest(field, Said.of(t) + ", expected a text that is not empty");
            }
            all.add(t.asText());
        }
        return all;
    }

    /** Those about facts of the invented world that come with the project. */
    public static EditRequests world() {
        return read(DataFolder.find("world/edits/requests.json"));
    }

    /**
     * Requests about facts that a model knows; of other objects, as in {@link #of(Relations, List, int, long)}.
     *
     * @throws BadRequest when none can be made
     */
    public static EditRequests of(Relations relations, KnownFacts known, int count, long seed) {
        return of(relations, known.facts(), count, seed);
    }

    /**
     * Requests that turn facts into others: the relation's first template, and another object of the relation, drawn at random. Paraphrases
     * are the relation's held-out templates, or else its others; neighbours are facts among the given ones with the same object.
     *
     * @param relations where the facts come from
     * @param count     how many at most
     * @param seed      the same seed gives the same requests
     * @throws BadRequest when none can be made
     */
    public static EditRequests of(Relations relations, List<Fact> facts, int count, long seed) {
        List<Fact> order = new ArrayList<>(facts);
        Collections.shuffle(order, new Random(seed));
        Random random = new Random(seed);
        List<EditRequest> all = new ArrayList<>();
        for (Fact fact : order) {
            Relation relation = relations.get(fact.relation());
            List<String> others = relation.facts().stream().map(Fact::object)
                    .filter(o -> !o.equals(fact.object())).distinct().sorted().toList();
            if (all.size() == count || others.isEmpty()) {
                continue;
            }
            List<Template> wordings = relation.heldOut().isEmpty()
                    ? relation.templates().subList(1, relation.templates().size()) : relation.heldOut();
            List<String> neighbours = new ArrayList<>(order.stream()
                    .filter(f -> f.relation().equals(fact.relation()) && f.object().equals(fact.object())
                            && !f.subject().equals(fact.subject()))
                    .map(f -> relation.template().with(f.subject())).toList());
            Collections.shuffle(neighbours, random);
            all.add(new EditRequest(all.size(), fact.relation(), relation.template().text(), fact.subject(),
                    others.get(random.nextInt(others.size())),
                    fact.object(), wordings.stream().limit(PARAPHRASES).map(t -> t.with(fact.subject())).toList(),
                    neighbours.subList(0, Math.min(NEIGHBOURS, neighbours.size()))));
        }
        return new EditRequests(all);
    }

    /**
     * Writes CounterFact's form, a JSON list that {@link #read} opens.
     *
     * @throws java.io.UncheckedIOException when it cannot be written
     */
    public void write(Path file) {
        ArrayNode list = Json.MAPPER.createArrayNode();
        for (EditRequest r : all) {
            ObjectNode record = list.addObject().put("case_id", r.caseId());
            ObjectNode rewrite = record.putObject("requested_rewrite").put("prompt", r.prompt()).put("relation_id", r.relation());
            rewrite.putObject("target_new").put("str", r.targetNew());
            rewrite.putObject("target_true").put("str", r.targetTrue());
            rewrite.put("subject", r.subject());
            r.paraphrases().forEach(record.putArray("paraphrase_prompts")::add);
            r.neighbours().forEach(record.putArray("neighborhood_prompts")::add);
        }
        AtomicFiles.folder(file.toAbsolutePath().getParent());
        AtomicFiles.write(file, Json.prettyLine(list));
    }

    /** How many. */
    public int size() {
        return all.size();
    }

    /** One of them. */
    public EditRequest get(int index) {
        return all.get(index);
    }

    /** The first of them. */
    public EditRequests first(int count) {
        return new EditRequests(all.subList(0, Math.min(count, all.size())));
    }

    /**
     * All but the first, such as those that had no part in a choice.
     *
     * @throws BadRequest if there are no more
     */
    public EditRequests after(int count) {
        if (count >= all.size()) {
            throw new BadRequest("requests", "there are " + all.size() + ", none after the first " + count);
        }
        return new EditRequests(all.subList(count, all.size()));
    }

    @Override
    public Object view() {
        List<List<Object>> rows = new ArrayList<>();
        all.forEach(r -> rows.add(List.of(r.caseId(), r.template().with(r.subject()), r.targetTrue(), r.targetNew(), r.paraphrases().size(),
                r.neighbours().size())));
        return Tables.of(size() + " edit requests", List.of("case", "prompt", "true", "new", "paraphrases", "neighbours"), rows);
    }
}
