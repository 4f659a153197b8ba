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
 * @param template  the one that is used: the first zero-shot template where the file has some, else the first of all
 * @param inContext the one that is used behind other facts: the first of all
 * @param facts     subject and object each
 */
public record Relation(String name, Template template, Template inContext, List<Fact> facts) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** With one template for both. */
    public Relation(String name, Template template, List<Fact> facts) {
        this(name, template, template, facts);
    }

    /** Reads a file of the form {prompt_templates, prompt_templates_zs (optional), samples: [{subject, object}]}. */
    public static Relation read(Path file) {
        JsonNode json;
        try {
            json = JSON.readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(file + ": not JSON (" + e.getOriginalMessage() + ")", e);
        } catch (IOException e) {
            throw new IllegalArgumentException(file + ": cannot be read (" + e.getMessage() + ")", e);
        }
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
        return new Relation(name, new Template(templates.get(0).asText()), new Template(first.get(0).asText()), List.copyOf(facts));
    }

    /** The facts that a model knows: those whose next token it gets right. */
    public KnownFacts knownBy(LanguageModel model) {
        return KnownFacts.of(model, List.of(this));
    }
}
