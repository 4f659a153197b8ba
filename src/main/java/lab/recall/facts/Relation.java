package lab.recall.facts;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.base.Said;
import lab.recall.model.LanguageModel;
import lab.recall.study.Runner;
import lab.recall.text.Template;

/**
 * A relation and its facts, read from the LRE JSON form.
 *
 * <pre>{@code
 * Relation r = Relations.of(mamba).get("landmark_in_country");
 * KnownFacts known = r.knownBy(mamba);
 * }</pre>
 *
 * @param name        the file's name without its ending
 * @param subjectType what its subjects are, such as place; {@code thing} where the file does not say
 * @param templates   the zero-shot templates where the file has some, else all; the first one is used where one is enough
 * @param heldOut     more templates, in which a model that is trained on the relation does not meet it; may be empty
 * @param inContext   the one that is used after other facts: the first of all
 * @param facts       subject and object each
 */
public record Relation(String name, String subjectType, List<Template> templates, List<Template> heldOut, Template inContext,
        List<Fact> facts) {
    /**
     * Reads a file of the form {prompt_templates, samples: [{subject, object}]}; it may also have prompt_templates_zs, held_out_templates
     * and subject_type.
     *
     * @throws BadData when the file is not that
     */
    public static Relation read(Path file) {
        return read(file, Json.object(file));
    }

    private static Relation read(Path file, JsonNode json) {
        List<Template> all = templates(file, json, "prompt_templates");
        List<Template> zeroShot = templates(file, json, "prompt_templates_zs");
        if (all.isEmpty() && zeroShot.isEmpty()) {
            throw new BadData(file, "prompt_templates", "missing, expected a list of texts with {} where the subject goes");
        }
        JsonNode type = json.path("subject_type");
        if (!type.isMissingNode() && !type.isTextual()) {
            throw new BadData(file, "subject_type", Said.of(type) + ", expected a text");
        }
        String name = file.getFileName().toString().replaceFirst("\\.json$", "");
        return new Relation(name, type.asText("thing"), zeroShot.isEmpty() ? all : zeroShot, templates(file, json, "held_out_templates"),
                all.isEmpty() ? zeroShot.get(0) : all.get(0), facts(file, name, json.path("samples")));
    }

    private static List<Fact> facts(Path file, String relation, JsonNode samples) {
        if (!samples.isArray() || samples.isEmpty()) {
            throw new BadData(file, "samples", "expected a list of at least one {\"subject\", \"object\"}");
        }
        List<Fact> facts = new ArrayList<>();
        for (JsonNode s : samples) {
            String subject = s.path("subject").textValue();
            String object = s.path("object").textValue();
            if (subject == null || subject.isBlank() || object == null || object.isBlank()) {
                throw new BadData(file, "samples[" + facts.size() + "]", "needs a subject and an object");
            }
            facts.add(new Fact(relation, subject, object));
        }
        return List.copyOf(facts);
    }

    /** A list of a file; empty where it has none of this name. */
    private static List<Template> templates(Path file, JsonNode json, String field) {
        JsonNode list = json.path(field);
        if (!list.isMissingNode() && !list.isArray()) {
            throw new BadData(file, field, Said.of(list) + ", expected a list of texts");
        }
        try {
            return templates(list);
        } catch (BadRequest e) {
            throw new BadData(file, field, e.reason(), e);
        }
    }

    static List<Template> templates(JsonNode texts) {
        List<Template> all = new ArrayList<>();
        for (JsonNode t : texts) {
            if (!t.isTextual()) {
                throw new BadRequest("", Said.of(t) + ", expected a text");
            }
            all.add(new Template(t.asText()));
        }
        return List.copyOf(all);
    }

    /** The file's JSON, as {@link #read} takes it. */
    ObjectNode json() {
        ObjectNode json = Json.MAPPER.createObjectNode().put("name", name).put("subject_type", subjectType);
        boolean apart = !inContext.equals(templates.get(0));
        if (apart) {
            json.putArray("prompt_templates").add(inContext.text());
        }
        texts(json.putArray(apart ? "prompt_templates_zs" : "prompt_templates"), templates);
        texts(json.putArray("held_out_templates"), heldOut);
        ArrayNode samples = json.putArray("samples");
        facts.forEach(f -> samples.addObject().put("subject", f.subject()).put("object", f.object()));
        return json;
    }

    private static void texts(ArrayNode to, List<Template> templates) {
        templates.forEach(t -> to.add(t.text()));
    }

    /** All objects, each once, in the order of the facts. */
    public List<String> objects() {
        return facts.stream().map(Fact::object).distinct().toList();
    }

    /** The template that is used: the first one. */
    public Template template() {
        return templates.get(0);
    }

    /** The same with one of its templates as the first. */
    Relation in(Template first) {
        List<Template> order = Stream.concat(Stream.of(first), templates.stream().filter(t -> !t.equals(first))).toList();
        return new Relation(name, subjectType, order, heldOut, inContext, facts);
    }

    /**
     * The facts that a model knows: those whose next token it gets right.
     *
     * @throws lab.recall.base.Unsolvable when the model's logits are not finite
     */
    public KnownFacts knownBy(LanguageModel model) {
        return KnownFacts.of(model, List.of(this), Runner.shown());
    }
}
