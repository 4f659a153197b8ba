package lab.recall.facts;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import lab.recall.text.Template;

/**
 * A relation of an invented world: a relation in the LRE form with what training needs besides.
 *
 * @param name        its file's name without the ending
 * @param subjectType what its subjects are, such as place; subjects of one type share their words
 * @param templates   the sentences in which it is learned, each up to the object
 * @param heldOut     sentences that are not learned
 * @param facts       subject and object each
 */
public record WorldRelation(String name, String subjectType, List<Template> templates, List<Template> heldOut, List<Fact> facts) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Reads a file of the form {subject_type, prompt_templates, held_out_templates, samples: [{subject, object}]}. */
    static WorldRelation read(Path file) {
        JsonNode json = Relation.json(file);
        Relation r = Relation.read(file, json);
        List<Template> templates = templates(json.path("prompt_templates"));
        if (templates.isEmpty() || r.facts().isEmpty()) {
            throw new IllegalArgumentException(file + ": a relation needs prompt_templates and samples");
        }
        for (int i = 0; i < r.facts().size(); i++) {
            if (r.facts().get(i).subject().isBlank() || r.facts().get(i).object().isBlank()) {
                throw new IllegalArgumentException(file + ": sample " + i + " needs a subject and an object");
            }
        }
        return new WorldRelation(r.name(), json.path("subject_type").asText("thing"), templates, r.heldOut(), r.facts());
    }

    static List<Template> templates(JsonNode texts) {
        List<Template> all = new ArrayList<>();
        texts.forEach(t -> all.add(new Template(t.asText())));
        return List.copyOf(all);
    }

    /** The file's JSON. */
    ObjectNode json() {
        ObjectNode json = JSON.createObjectNode().put("name", name).put("subject_type", subjectType);
        ArrayNode seen = json.putArray("prompt_templates");
        templates.forEach(t -> seen.add(t.text()));
        ArrayNode unseen = json.putArray("held_out_templates");
        heldOut.forEach(t -> unseen.add(t.text()));
        ArrayNode samples = json.putArray("samples");
        facts.forEach(f -> samples.addObject().put("subject", f.subject()).put("object", f.object()));
        return json;
    }

    /** All objects, each once, in the order of the facts. */
    List<String> objects() {
        return facts.stream().map(Fact::object).distinct().toList();
    }
}
