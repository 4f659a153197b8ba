package lab.recall.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Json;
import lab.recall.base.RequestReader;
import lab.recall.facts.World;
import lab.recall.model.FreshSizes;
import lab.recall.model.ModelFacts;

/**
 * How a model is trained, read from a file.
 *
 * <pre>{@code
 * TrainConfig config = TrainConfig.read(Path.of("data/training/tiny-mamba.json"));
 * config.with("model.layers", 6)                             // the same with one thing changed
 * }</pre>
 *
 * {@code {"seed", "world": {"folder", "invented": true (or left out) | false} or {"seed", "names": "grid" | "unique"}, "vocabulary",
 * "model": {"family": "mamba", "width", "layers", "states"} or {"family": "gpt_neox", "width", "layers", "heads"},
 * "corpus": {"seed", "rows", "tokens", "before", "behind", "binding", "lists", "word_dropout", "object_weight", "dropped"},
 * "optimizer": {"lr", "final", "warm_up", "beta1", "beta2", "eps", "weight_decay", "clip"},
 * "steps", "evaluate_every", "checkpoint_every"}}
 *
 * @param seed            of the first weights
 * @param world           folder of a world, or null
 * @param invented        whether the world is an invented one
 * @param worldSeed       where there is no folder
 * @param names           where there is no folder
 * @param vocabulary      tokens of the tokenizer
 * @param model           sizes
 * @param corpus          what the text is made of
 * @param corpusSeed      of the dropped pairs and of all text: models with the same one see the same text in the same order
 * @param optimizer       learning rate and the like
 * @param steps           batches in all
 * @param evaluateEvery   steps from one measurement of recall to the next
 * @param checkpointEvery steps that a kill costs at most
 * @param settings        the whole as JSON
 */
public record TrainConfig(int seed, Path world, boolean invented, int worldSeed, World.Names names, int vocabulary, FreshSizes model,
                          Corpus.Shape corpus, int corpusSeed, Optimizer optimizer, int steps, int evaluateEvery,
                          int checkpointEvery, ObjectNode settings) {
    /** A block of a small model adds little to its stream: within the paper's 3 |v0| fewer edits of W_a and W_down hold in most layers. */
    private static final double SMALL_CLAMP = 6;

    /**
     * AdamW with a warm-up, then half a cosine.
     *
     * @param rate       the highest learning rate
     * @param finalShare share of it that the cosine ends at
     * @param warmUp     steps of linear increase
     * @param clip       longest gradient; longer ones are shortened
     */
    public record Optimizer(double rate, double finalShare, int warmUp, double beta1, double beta2,
            double epsilon, double decay, double clip) {
        /** The learning rate of a step, counted from 0. */
        double rate(int step, int steps) {
            if (step < warmUp) {
                return rate * (step + 1) / warmUp;
            }
            double done = (step - warmUp) / (double) Math.max(1, steps - warmUp);
            return rate * (finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * done)));
        }
    }

    /**
     * Reads a file.
     *
     * @throws BadData when it is not a configuration; a bad field is its place
     */
    public static TrainConfig read(Path file) {
        try {
            return of(Json.object(file));
        } catch (BadRequest e) {
            throw new BadData(file, e.field(), e.reason(), e);
        }
    }

    /**
     * Reads a file's text.
     *
     * @throws BadRequest when a field is not what it should be
     * @throws BadData    when it is not JSON
     */
    public static TrainConfig parse(String text) {
        return of(Json.object(text.getBytes(StandardCharsets.UTF_8), "the configuration"));
    }

    private static TrainConfig of(ObjectNode settings) {
        TrainFile f = RequestReader.read(settings, TrainFile.class);
        TrainFile.Corpus c = f.corpus();
        TrainFile.Optimizer o = f.optimizer();
        boolean seeded = f.world().folder() == null;
        return new TrainConfig(f.seed(), f.world().path(), Check.or(f.world().invented(), true), seeded ? f.world().seed() : 0,
                seeded && f.world().names().equals("unique") ? World.Names.UNIQUE : World.Names.GRID, f.vocabulary(),
                TrainFile.sizes(f.model()),
                new Corpus.Shape(c.rows(), c.tokens(), c.before(), c.behind(), c.binding(), c.lists(), c.wordDropout(), c.objectWeight(),
                        c.dropped()),
                c.seed(), new Optimizer(o.lr(), o.finalShare(), o.warmUp(), o.beta1(), o.beta2(), o.eps(), o.weightDecay(), o.clip()),
                f.steps(), f.evaluateEvery(), f.checkpointEvery(), settings);
    }

    /**
     * This configuration with one field changed, such as {@code with("corpus.binding", 0)}.
     *
     * @throws BadRequest when there is no such field, or it cannot have this value
     */
    public TrainConfig with(String field, Object value) {
        ObjectNode changed = settings.deepCopy();
        ObjectNode at = changed;
        String[] names = field.split("\\.");
        for (int i = 0; i < names.length - 1; i++) {
            if (!(at.get(names[i]) instanceof ObjectNode inner)) {
                throw new BadRequest(field, "no such field in this configuration");
            }
            at = inner;
        }
        at.putPOJO(names[names.length - 1], value);
        return parse(changed.toString());
    }

    /**
     * The world that is learned.
     *
     * @throws BadData when its folder is not that of one
     */
    public World openWorld() {
        return world == null ? World.generate(worldSeed, names) : World.read(world);
    }

    /** What its recall.json says of the trained model. */
    ModelFacts facts() {
        return new ModelFacts(ModelFacts.OWN, invented, true, new ModelFacts.Edits(SMALL_CLAMP, model.ridge().orElse(null)));
    }
}
