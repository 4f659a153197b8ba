package lab.recall.edit;

import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.study.Asks;

/**
 * Asks for an {@link EditSweep} over facts that a model knows, or over those of a file.
 *
 * <pre>{@code
 * {"experiment": "edit_sweep", "model": "tiny-mamba", "requests": 25, "layers": [1, 2]}
 * }</pre>
 */
public record EditSweepRequest(
        @Asks("A relation's name, or all") String relation,
        @Asks(value = "world, lre, or a folder of relation files", otherwise = "those that belong to the model") String relations,
        @Asks("How many requests at most") Integer requests,
        @Asks(value = "Requests in CounterFact's form", otherwise = "ones made of known facts") String file,
        @Asks(value = "Layers", option = "layer", otherwise = "all") List<Integer> layers,
        @Asks(value = "in_proj.x, in_proj.z, out_proj, or mlp.dense_4h_to_h", option = "matrix", otherwise = "all of the model")
        List<String> matrices,
        @Asks("Sampled texts before the prompt over which the key is averaged; the paper has 20") Integer contexts,
        @Asks("Texts for the second moments at most") Integer documents,
        @Asks(value = "A file of these texts, one a line, or JSONL", otherwise = "texts made of facts") String texts,
        @Asks(value = "Keep the second moments in this safetensors file, and go on from what is there",
                otherwise = "the user's store, up to 1 GiB") String moments,
        @Asks(value = "The key in the denominator", words = {"published", "consistent"}) String key,
        @Asks(value = "Hyper-parameters, the model's being the paper's with what its recall.json says instead",
                words = {"model", "published"}) String preset,
        @Asks(value = "Other numbers than the preset's, some of those of rome", option = "-") Hyperparameters hyperparameters,
        @Asks("Seed of every random choice") Integer seed) {
    /** Requests at most when nobody says how many. */
    static final int REQUESTS = 50;
    private static final int MANY = 1_000_000;

    public EditSweepRequest {
        relation = Check.or(relation, "all");
        relations = Check.or(relations, "");
        requireOneSource(file, relation, relations);
        Check.path("file", file);
        Check.path("texts", texts);
        Check.path("moments", moments);
        requests = count("requests", requests, REQUESTS);
        contexts = Check.whole("contexts", Check.or(contexts, EditSweep.CONTEXTS), 0, ContextTemplates.MOST);
        documents = count("documents", documents, SecondMoments.DOCUMENTS);
        key = RomeExperiment.key(key);
        preset = preset(preset);
        seed = Check.whole("seed", Check.or(seed, 1), 0, Integer.MAX_VALUE);
        layers = distinct("layers", layers);
        matrices = distinct("matrices", matrices);
    }

    private static <T> List<T> distinct(String field, List<T> values) {
        if (values == null) {
            return null;
        }
        values.forEach(v -> Check.given(field, v));
        return Check.different(field, values.stream().distinct().toList());
    }

    static int count(String field, Integer said, int otherwise) {
        return Check.whole(field, Check.or(said, otherwise), 1, MANY);
    }

    static String preset(String said) {
        return Check.word("preset", Check.or(said, "model"), List.of("model", "published"));
    }

    static void requireOneSource(String file, String relation, String relations) {
        if (file != null && (!relations.isEmpty() || !relation.equals("all"))) {
            throw new BadRequest("file", "requests come from a file or from relations, not from both");
        }
    }
}
