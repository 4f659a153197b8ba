package lab.recall.facts;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import lab.recall.model.LanguageModel;
import lab.recall.text.Template;

/**
 * A relation and its facts, read from the LRE JSON form.
 *
 * <pre>{@code
 * Relation r = Relations.of(mamba).get("landmark_in_country");
 * KnownFacts known = r.knownBy(mamba);
 * }</pre>
 *
 * @param name      the file's name without its ending
 * @param templates the zero-shot templates where the file has some, else all; the first one is used where one is enough
 * @param heldOut   more templates, which the embedded models have not seen in training; may be empty
 * @param inContext the one that is used after other facts: the first of all
 * @param facts     subject and object each
 */
public record Relation(String name, List<Template> templates, List<Template> heldOut, Template inContext, List<Fact> facts) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Reads a file of the form {prompt_templates, prompt_templates_zs and held_out_templates (optional), samples: [{subject, object}]}. */
    public static Relation read(Path file) {
        return read(file, json(file));
    }

    static JsonNode json(Path file) {
        try {
            return JSON.readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(file + ": not JSON (" + e.getOriginalMessage() + ")", e);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": cannot be read (" + e.getMessage() + ")", e);
        }
    }

    static Relation read(Path file, JsonNode json) {
        JsonNode templates = json.path("prompt_templates_zs").isArray() && !json.path("prompt_templates_zs").isEmpty()
                ? json.path("prompt_templates_zs") : json.path("prompt_templates");
        JsonNode first = json.path("prompt_templates").path(0).isTextual() ? json.path("prompt_templates") : templates;
        if (!templates.path(0).isTextual() || !json.path("samples").isArray()) {
            throw new IllegalArgumentException(file + ": a relation needs prompt_templates and samples");
        }
        String name = file.getFileName().toString().replaceFirst("\\.json$", "");
        List<Fact> facts = new ArrayList<>();
        for (JsonNode s : json.path("samples")) {
            if (!s.path("subject").isTextual() || !s.path("object").isTextual()) {
                throw new IllegalArgumentException(file + ": sample " + facts.size() + " needs a subject and an object");
            }
            facts.add(new Fact(name, s.path("subject").asText(), s.path("object").asText()));
        }
        return new Relation(name, templates(file, templates), templates(file, json.path("held_out_templates")), new Template(first.get(0).asText()),
                List.copyOf(facts));
    }

    private static List<Template> templates(Path file, JsonNode texts) {
        List<Template> all = new ArrayList<>();
        for (JsonNode t : texts) {
            if (!t.isTextual()) {
                throw new IllegalArgumentException(file + ": the template " + t + " is no text");
            }
            all.add(new Template(t.asText()));
        }
        return List.copyOf(all);
    }

    /** The template that is used: the first one. */
    public Template template() {
        return templates.get(0);
    }

    /** The facts that a model knows: those whose next token it gets right. */
    public KnownFacts knownBy(LanguageModel model) {
        return KnownFacts.of(model, List.of(this));
    }
}
