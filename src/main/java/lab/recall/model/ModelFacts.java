package lab.recall.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Json;
import lab.recall.base.RequestReader;

/**
 * What is true of a model beside its weights, and decides how it is asked and edited: {@code recall.json} in its folder.
 *
 * <pre>{@code
 * mamba.facts().relations()                                  // world, lre or own
 * {"relations": "world", "invented_world": true, "blank_before_stop": true, "edits": {"clamp_norm_factor": 6.0}}
 * }</pre>
 *
 * Where there is no file, or a field is left out, stands what is true of the published models; relations are then those in the folder
 * {@code relations} beside it, if there is one, else {@code lre}.
 *
 * @param relations       which relations belong to it, and which facts texts for means and second moments are made of: {@code world} and
 *                        {@code lre} come with the project, {@code own} ones are files in the folder {@code relations} beside its weights
 * @param inventedWorld   whether the world that it was trained on was invented, so that what is found illustrates and is no evidence
 * @param blankBeforeStop whether a blank stands before each full stop of the texts that it was trained on
 * @param edits           what a rank-one edit of it begins with
 */
public record ModelFacts(String relations, boolean inventedWorld, boolean blankBeforeStop, Edits edits) {
    /** Where {@link #relations} are files of the model's folder. */
    public static final String OWN = "own";
    /** The folder of these files. */
    public static final String FOLDER = "relations";
    /** The file of these facts. */
    public static final String FILE = "recall.json";
    /** The relations of real facts. */
    static final String REAL = "lre";
    /** Of a published model. */
    static final ModelFacts PUBLISHED = new ModelFacts(REAL, false, false, Edits.PUBLISHED);

    /**
     * Numbers that stand in the place of the published ones, null where those stand.
     *
     * @param clampNormFactor |delta| at most, in |v0|
     * @param ridge           share of C's mean diagonal that is added to its diagonal
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Edits(Double clampNormFactor, Double ridge) {
        /** All as published. */
        static final Edits PUBLISHED = new Edits(null, null);

        /**
         * Refuses numbers below 0.
         *
         * @throws BadRequest when one is
         */
        public Edits {
            number("clamp_norm_factor", clampNormFactor);
            number("ridge", ridge);
        }

        private static void number(String field, Double value) {
            if (value != null) {
                Check.number(field, value, 0);
            }
        }
    }

    /**
     * Refuses relations of another name.
     *
     * @throws BadRequest when they have one
     */
    public ModelFacts {
        Check.word("relations", Check.given("relations", relations), List.of("world", REAL, OWN));
        edits = Check.or(edits, Edits.PUBLISHED);
    }

    /** Of the model in a folder; refused where they contradict what else is there. */
    static ModelFacts read(Path folder) {
        Path file = folder.resolve(FILE);
        boolean own = Files.isDirectory(folder.resolve(FOLDER));
        ObjectNode said = Files.exists(file) ? Json.object(file) : Json.MAPPER.createObjectNode();
        if (!said.has("relations")) {
            said.put("relations", own ? OWN : REAL);
        }
        ModelFacts facts;
        try {
            facts = RequestReader.read(said, ModelFacts.class);
        } catch (BadRequest e) {
            throw new BadData(file, e.field(), e.reason(), e);
        }
        if (own != facts.hasOwn()) {
            throw new BadData(file, "relations", "'" + facts.relations + "', but " + (own ? "the folder " + FOLDER
                    + " is beside it; expected '" + OWN + "', or no such folder" : "no folder " + FOLDER + " is beside it"));
        }
        return facts;
    }

    /** Whether its relations are files of its folder. */
    boolean hasOwn() {
        return relations.equals(OWN);
    }

    /**
     * Writes them to a model's folder.
     *
     * @throws java.io.UncheckedIOException when they cannot be written
     */
    public void write(Path folder) {
        AtomicFiles.write(folder.resolve(FILE), Json.prettyLine(this));
    }
}
