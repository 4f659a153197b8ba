package lab.recall.facts;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
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
        JsonNode templates = json.path("prompt_templates_zs").isArray() && !json.path("prompt_templates_zs").isEmpty()
                ? json.path("prompt_templates_zs") : json.path("prompt_templates");
        JsonNode first = json.path("prompt_templates").path(0).isTextual() ? json.path("prompt_templates") : templates;
        if (!templates.path(0).isTextual() || !json.path("samples").isArray() || json.path("samples").isEmpty()) {
            throw new BadData(file, "a relation needs prompt_templates and samples");
        }
        String name = file.getFileName().toString().replaceFirst("\\.json$", "");
        List<Fact> facts = new ArrayList<>();
        for (JsonNode s : json.path("samples")) {
            String subject = s.path("subject").textValue();
            String object = s.path("object").textValue();
            if (subject == null || subject.isBlank() || object == null || object.isBlank()) {
                throw new BadData(file, "sample " + facts.size() + " needs a subject and an object");
            }
            facts.add(new Fact(name, subject, object));
        }
        try {
            return new Relation(name, json.path("subject_type").asText("thing"),
                    templates(templates), templates(json.path("held_out_templates")),
                    new Template(first.get(0).asText()), List.copyOf(facts));
        } catch (BadRequest e) {
            throw new BadData(file, "", e.getMessage(), e);
        }
    }

    static List<Template> templates(JsonNode texts) {
        List<Template> all = new ArrayList<>();
        for (JsonNode t : texts) {
            if (!t.isTextual()) {
                throw new BadRequest("", "the template " + t + " is no text");
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

    /**
     * The facts that a model knows: those whose next token it gets right.
     *
     * @throws lab.recall.base.Unsolvable when the model's logits are not finite
     */
    public KnownFacts knownBy(LanguageModel model) {
        return KnownFacts.of(model, List.of(this), Runner.shown());
    }
}
