package lab.recall.facts;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import lab.recall.base.AtomicFiles;
import lab.recall.base.Json;
import lab.recall.text.Template;
import lab.recall.view.Showable;
import lab.recall.view.Tables;

/**
 * An invented world: cities, countries, people, companies that do not exist, and the facts about them.
 *
 * <pre>{@code
 * World world = World.generate(1, World.Names.GRID);         // the same seed gives the same world
 * world.write(folder);                                       // relations in the LRE form
 * World.read(folder).relations()
 * }</pre>
 *
 * Its relations mirror those of Hernandez et al. (arXiv 2308.09124). A country's capital lies in it, a landmark's country is that of its
 * city; all else is drawn at random.
 */
public final class World implements Showable {
    /** How subjects of two words are named. */
    public enum Names {
        /** Subjects share their words, across types too: a first and a last word together name one, neither does alone. */
        GRID,
        /**
         * The first word of every subject is its own and alone names it; the second one says nothing, cities and countries have one too.
         */
        UNIQUE
    }

    private final Relations relations;

    private World(Relations relations) {
        this.relations = relations;
    }

    /** Invents a world. */
    public static World generate(long seed, Names names) {
        Random random = new Random(seed);
        JsonNode plan = plan();
        Map<String, List<String>> words = new WorldNames(plan, random, names == Names.GRID).all();
        Map<String, Map<String, String>> known = new HashMap<>();
        List<Relation> all = new ArrayList<>();
        for (JsonNode r : plan.get("relations")) {
            String name = r.get("name").asText();
            Map<String, String> facts = new HashMap<>();
            List<Fact> list = new ArrayList<>();
            for (String subject : words.get(r.get("subject").asText())) {
                facts.put(subject, object(r, subject, list.size(), words, known, random));
                list.add(new Fact(name, asSubject(subject, plan.get("subjects").get(r.get("subject").asText()), names),
                        facts.get(subject)));
            }
            known.put(name, facts);
            List<Template> templates = Relation.templates(r.get("prompt_templates"));
            all.add(new Relation(name, r.get("subject").asText(), templates,
                    Relation.templates(r.get("held_out_templates")), templates.get(0), List.copyOf(list)));
        }
        return new World(new Relations(List.copyOf(all)));
    }

    /** A name of one word gets a second one where first words alone name the subjects. */
    private static String asSubject(String name, JsonNode kind, Names names) {
        JsonNode last = kind.path("unique_last");
        return names == Names.GRID || last.isEmpty() ? name : name + " " + last.get(Math.floorMod(name.hashCode(), last.size())).asText();
    }

    private static JsonNode plan() {
        try (InputStream in = World.class.getResourceAsStream("world.json")) {
            return Json.object(in.readAllBytes(), "world.json");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String object(JsonNode relation, String subject, int number, Map<String, List<String>> words,
            Map<String, Map<String, String>> known, Random random) {
        List<String> objects = words.get(relation.get("object").asText());
        if (relation.has("drawn")) {
            return objects.get(number % objects.size());
        }
        if (relation.has("one_of")) {               // those that are in the subject by the other relation
            Map<String, String> other = known.get(relation.get("one_of").asText());
            objects = objects.stream().filter(o -> subject.equals(other.get(o))).toList();
        }
        if (relation.has("through")) {
            String at = subject;
            for (JsonNode step : relation.get("through")) {
                at = known.get(step.asText()).get(at);
            }
            return at;
        }
        return objects.get(random.nextInt(objects.size()));
    }

    /**
     * Reads the relations of a folder.
     *
     * @throws lab.recall.base.BadData as {@link Relations#folder}
     */
    public static World read(Path folder) {
        return new World(Relations.folder(folder));
    }

    /** Its relations. */
    public List<Relation> relations() {
        return relations.all();
    }

    /** All facts. */
    public List<Fact> facts() {
        return relations().stream().flatMap(r -> r.facts().stream()).toList();
    }

    /**
     * Writes one file a relation.
     *
     * @throws UncheckedIOException when one cannot be written
     */
    public void write(Path folder) {
        AtomicFiles.folder(folder);
        relations().forEach(r -> AtomicFiles.write(folder.resolve(r.name() + ".json"), Json.prettyLine(r.json())));
    }

    @Override
    public Object view() {
        List<List<Object>> rows = new ArrayList<>();
        relations().forEach(r -> rows.add(List.of(r.name(),
                r.templates().get(0).with(r.facts().get(0).subject()) + " " + r.facts().get(0).object(),
                r.facts().size(), r.objects().size(), r.templates().size(), r.heldOut().size())));
        return Tables.of("an invented world", List.of("relation", "a fact", "facts", "objects", "templates", "held out"), rows);
    }
}
