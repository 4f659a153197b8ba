package lab.recall.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.RequestReader;
import lab.recall.model.Architectures;
import lab.recall.model.FreshSizes;

/** A training's configuration as its file says it: every field is there, and in its range. */
record TrainFile(Integer seed, World world, Integer vocabulary, ObjectNode model, Corpus corpus, Optimizer optimizer, Integer steps,
                 Integer evaluateEvery, Integer checkpointEvery) {
    private static final int MOST = 1_000_000;
    private static final int LARGEST_VOCABULARY = 100_000;
    private static final int WIDEST = 4096;
    private static final int MOST_PARTS = 256;
    private static final int FEWEST_TOKENS = 16;

    TrainFile {
        Check.given("world", world);
        Check.given("optimizer", optimizer);
        Check.given("corpus", corpus);
        whole("seed", seed, 0, Integer.MAX_VALUE);
        whole("vocabulary", vocabulary, 1, LARGEST_VOCABULARY);
        int positions = sizes(Check.given("model", model)).positions();
        whole("steps", steps, 1, MOST);
        whole("evaluate_every", evaluateEvery, 1, MOST);
        whole("checkpoint_every", checkpointEvery, 1, MOST);
        if (corpus.tokens > positions) {
            throw new BadRequest("corpus.tokens", corpus.tokens + ", expected at most " + positions
                    + " for a " + model.path("family").asText() + ", the positions that it has");
        }
        if (optimizer.warmUp > steps) {
            throw new BadRequest("optimizer.warm_up", optimizer.warmUp + ", expected at most the " + steps + " steps");
        }
    }

    /** Sizes of the family that they name; which ones there are is the family's. */
    static FreshSizes sizes(ObjectNode model) {
        ObjectNode own = model.deepCopy();
        JsonNode family = own.remove("family");
        try {
            if (family == null || !family.isTextual()) {
                throw new BadRequest("family", (family == null ? "missing" : family.toString()) + ", expected a word");
            }
            return RequestReader.read(own, Architectures.of(family.asText()).sizes());
        } catch (BadRequest e) {
            throw e.of("model." + e.field());
        }
    }

    /** A folder, whose world is an invented one unless it says otherwise; or what the world is invented from. */
    record World(String folder, Boolean invented, Integer seed, String names) {
        World {
            if (folder == null) {
                if (invented != null) {
                    throw new BadRequest("invented", "a world without a folder always is; leave this out");
                }
                whole("seed", seed, 0, Integer.MAX_VALUE);
                Check.word("names", Check.given("names", names), List.of("grid", "unique"));
            } else if (seed != null || names != null) {
                throw new BadRequest(seed != null ? "seed" : "names", "the folder holds the world; leave this out");
            }
            Check.path("folder", folder);
        }

        /** Null for a world that is invented. */
        Path path() {
            return folder == null ? null : Path.of(folder);
        }
    }

    /** What the text is made of. */
    record Corpus(Integer seed, Integer rows, Integer tokens, Double before, Double behind, Double binding, Double lists,
                  Double wordDropout, Double objectWeight, Double dropped) {
        Corpus {
            whole("rows", rows, 1, WIDEST);
            whole("tokens", tokens, FEWEST_TOKENS, WIDEST);
            share("before", before);
            share("behind", behind);
            share("binding", binding);
            share("lists", lists);
            share("word_dropout", wordDropout);
            number("object_weight", objectWeight);
            share("dropped", dropped);
            whole("seed", seed, 0, Integer.MAX_VALUE);
            if (before + behind + binding > 1) {
                throw new BadRequest("", "before, behind and binding are shares, their sum is above 1");
            }
        }
    }

    /** AdamW, its warm-up and its end. */
    record Optimizer(Double lr, @JsonProperty("final") Double finalShare, Integer warmUp, Double beta1, Double beta2, Double eps,
                     Double weightDecay, Double clip) {
        Optimizer {
            number("lr", lr);
            share("final", finalShare);
            whole("warm_up", warmUp, 0, MOST);
            AdamW.beta("beta1", Check.given("beta1", beta1));
            AdamW.beta("beta2", Check.given("beta2", beta2));
            AdamW.epsilon("eps", Check.given("eps", eps));
            number("weight_decay", weightDecay);
            number("clip", clip);
        }
    }

    private static void whole(String field, Integer value, int low, int high) {
        Check.whole(field, Check.given(field, value), low, high);
    }

    private static void number(String field, Double value) {
        Check.number(field, Check.given(field, value), 0);
    }

    private static void share(String field, Double value) {
        number(field, value);
        if (value > 1) {
            throw new BadRequest(field, value + ", expected a number from 0 to 1");
        }
    }
}
