package lab.recall.facts;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Nearest;
import lab.recall.base.Said;
import lab.recall.model.LanguageModel;
import lab.recall.model.ModelFacts;
import lab.recall.study.Runner;
import lab.recall.text.DataFolder;
import lab.recall.view.Showable;
import lab.recall.view.Tables;

/**
 * A set of relations.
 *
 * <pre>{@code
 * Relations.of(mamba).get("person_plays_sport")
 * Relations.of(mamba).knownBy(mamba).pairs(60, seed)
 * Relations.of(mamba).only("place_in_city", "person_occupation")
 * }</pre>
 */
public final class Relations implements Showable {
    private final List<Relation> all;

    Relations(List<Relation> all) {
        this.all = all;
    }

    /**
     * Those that belong to a model, as its {@link ModelFacts} say.
     *
     * @throws BadData as {@link #folder}
     */
    public static Relations of(LanguageModel model) {
        String said = model.facts().relations();
        return said.equals(ModelFacts.OWN) ? folder(model.folder().resolve(ModelFacts.FOLDER)) : named(said);
    }

    /** The invented world that comes with the project. */
    public static Relations world() {
        return folder(DataFolder.find("world"));
    }

    /** The 26 relations of real facts (Hernandez et al., arXiv 2308.09124). */
    public static Relations lre() {
        return folder(DataFolder.find("relations"));
    }

    /**
     * Those of a name: {@code world}, {@code lre}, or a folder of relation files.
     *
     * @throws BadData as {@link #folder}
     */
    public static Relations named(String name) {
        if (name.equals("world") || name.equals("lre")) {
            return name.equals("world") ? world() : lre();
        }
        try {
            return folder(Path.of(name));
        } catch (InvalidPathException e) {
            throw new BadData(name, "", "no such folder of relations", e);
        }
    }

    /**
     * What a request asks for; errors name its fields.
     *
     * @param relations as in {@link #named}, or empty for those that belong to the model
     * @param relation  a name, or {@code all}
     * @throws BadRequest when there are none
     */
    public static Relations asked(LanguageModel model, String relations, String relation) {
        Relations all;
        try {
            all = relations.isEmpty() ? of(model) : named(relations);
        } catch (BadData e) {
            throw new BadRequest("relations", e.getMessage(), e);
        }
        try {
            return all.only(relation);
        } catch (BadRequest e) {
            throw e.of("relation");
        }
    }

    /**
     * Every JSON file of a folder.
     *
     * @throws BadData when the folder or a file in it is not that
     */
    public static Relations folder(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new BadData(folder, "no such folder of relations");
        }
        try (Stream<Path> files = Files.list(folder)) {
            List<Relation> all = files.filter(f -> f.toString().endsWith(".json")).sorted().map(Relation::read).toList();
            if (all.isEmpty()) {
                throw new BadData(folder, "no relation (a JSON file) in this folder");
            }
            return new Relations(all);
        } catch (IOException e) {
            throw new BadData(folder, "", "cannot be read (" + AtomicFiles.reason(e) + ")", e);
        }
    }

    /** All of them. */
    public List<Relation> all() {
        return all;
    }

    /**
     * One by its name.
     *
     * @throws BadRequest when there is none, with the nearest name
     */
    public Relation get(String name) {
        return all.stream().filter(r -> r.name().equals(name)).findFirst().orElseThrow(() -> unknown(name));
    }

    private BadRequest unknown(String name) {
        List<String> names = all.stream().map(Relation::name).toList();
        String meant = Nearest.question(name, names);
        return new BadRequest("", "'" + Said.of(name) + "' is no relation here" + meant
                + (meant.isEmpty() ? "; there" : " There") + " are " + String.join(", ", names));
    }

    /**
     * Those of these names, or all of them for {@code all}.
     *
     * @throws BadRequest when there is none of such a name
     */
    public Relations only(String... names) {
        return names.length == 1 && names[0].equals("all") ? this : new Relations(Arrays.stream(names).map(this::get).toList());
    }

    /**
     * The facts of all relations that a model knows.
     *
     * @throws lab.recall.base.Unsolvable when the model's logits are not finite
     */
    public KnownFacts knownBy(LanguageModel model) {
        return knownBy(model, Runner.shown());
    }

    /** The same with a runner's progress and store. */
    public KnownFacts knownBy(LanguageModel model, Runner runner) {
        return KnownFacts.of(model, all, runner);
    }

    @Override
    public Object view() {
        List<List<Object>> rows = new ArrayList<>();
        all.forEach(r -> rows.add(List.of(r.name(), r.template().text(), r.facts().size())));
        return Tables.of("relations", List.of("relation", "template", "facts"), rows);
    }
}
