package lab.recall.train;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.RequestReader;
import lab.recall.facts.World;
import lab.recall.model.Architectures;
import lab.recall.model.FreshSizes;

/**
 * What a training's configuration says: every field is there, and in its range.
 *
 * @param seed            of the first weights
 * @param world           that is learned
 * @param vocabulary      tokens of the tokenizer
 * @param model           its family and sizes
 * @param corpus          what the text is made of
 * @param optimizer       learning rate and the like
 * @param steps           batches in all
 * @param evaluateEvery   steps from one measurement of recall to the next
 * @param checkpointEvery steps that a kill costs at most
 */
public record TrainFile(Integer seed, Source world, Integer vocabulary, ObjectNode model, Corpus.Shape corpus, Optimizer optimizer,
        Integer steps, Integer evaluateEvery, Integer checkpointEvery) {
    private static final int MOST = 1_000_000;
    private static final int LARGEST_VOCABULARY = 100_000;

    public TrainFile {
        Check.given("world", world);
        Check.given("optimizer", optimizer);
        Check.given("corpus", corpus);
        whole("seed", seed, 0, Integer.MAX_VALUE);
        whole("vocabulary", vocabulary, 1, LARGEST_VOCABULARY);
        int positions = sizes(Check.given("model", model)).positions();
        whole("steps", steps, 1, MOST);
        whole("evaluate_every", evaluateEvery, 1, MOST);
        whole("checkpoint_every", checkpointEvery, 1, MOST);
        if (corpus.tokens() > positions) {
            throw new BadRequest("corpus.tokens", corpus.tokens() + ", expected at most " + positions
                    + " for a " + model.path("family").asText() + ", the positions that it has");
        }
        if (optimizer.warmUp > steps) {
            throw new BadRequest("optimizer.warm_up", optimizer.warmUp + ", expected at most the " + steps + " steps");
        }
    }

    /** The model's sizes, which are its family's own. */
    FreshSizes sizes() {
        return sizes(model);
    }

    private static FreshSizes sizes(ObjectNode model) {
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

    /**
     * A folder of a world, or what one is invented from.
     *
     * @param folder   null for a world that is invented
     * @param invented whether a folder's world is an invented one: it is, unless it says otherwise
     * @param seed     where there is no folder
     * @param names    where there is no folder: grid or unique
     */
    public record Source(String folder, Boolean invented, Integer seed, String names) {
        public Source {
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

        World open() {
            return folder != null ? World.read(Path.of(folder))
                    : World.generate(seed, World.Names.valueOf(names.toUpperCase(Locale.ROOT)));
        }
    }

    /**
     * AdamW with a warm-up, then half a cosine.
     *
     * @param lr          the highest learning rate
     * @param finalShare  share of it that the cosine ends at
     * @param warmUp      steps of linear increase
     * @param beta1       share of the old first moment that stays
     * @param beta2       share of the old second moment that stays
     * @param eps         keeps the division finite where a weight has had no gradient yet
     * @param weightDecay share of a weight that it loses, times the learning rate
     * @param clip        longest gradient; longer ones are shortened
     */
    public record Optimizer(Double lr, @JsonProperty("final") Double finalShare, Integer warmUp, Double beta1, Double beta2, Double eps,
            Double weightDecay, Double clip) {
        public Optimizer {
            number("lr", lr);
            share("final", finalShare);
            whole("warm_up", warmUp, 0, MOST);
            AdamW.beta("beta1", Check.given("beta1", beta1));
            AdamW.beta("beta2", Check.given("beta2", beta2));
            AdamW.epsilon("eps", Check.given("eps", eps));
            number("weight_decay", weightDecay);
            number("clip", clip);
        }

        /** The learning rate of a step, counted from 0. */
        double rate(int step, int steps) {
            if (step < warmUp) {
                return lr * (step + 1) / warmUp;
            }
            double done = (step - warmUp) / (double) Math.max(1, steps - warmUp);
            return lr * (finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * done)));
        }
    }

    static void whole(String field, Integer value, int low, int high) {
        Check.whole(field, Check.given(field, value), low, high);
    }

    static void number(String field, Double value) {
        Check.number(field, Check.given(field, value), 0);
    }

    static void share(String field, Double value) {
        number(field, value);
        if (value > 1) {
            throw new BadRequest(field, value + ", expected a number from 0 to 1");
        }
    }
}
