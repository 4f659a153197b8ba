package lab.recall.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.facts.World;
import lab.recall.model.FreshModel;
import lab.recall.study.Fields;

/**
 * How a model is trained, read from a file.
 *
 * <pre>{@code
 * TrainConfig config = TrainConfig.read(Path.of("data/training/tiny-mamba.json"));
 * config.with("model.layers", 6)                             // the same with one thing changed
 * }</pre>
 *
 * {@code {"seed", "world": {"folder"} or {"seed", "names": "grid" | "unique"}, "vocabulary",
 * "model": {"family": "mamba", "width", "layers", "states"} or {"family": "gpt_neox", "width", "layers", "heads"},
 * "corpus": {"seed", "rows", "tokens", "before", "behind", "binding", "lists", "word_dropout", "object_weight", "dropped"},
 * "optimizer": {"lr", "final", "warm_up", "beta1", "beta2", "eps", "weight_decay", "clip"},
 * "steps", "evaluate_every", "checkpoint_every"}}
 *
 * @param seed            of the first weights
 * @param world           folder of a world, or null
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
public record TrainConfig(int seed, Path world, int worldSeed, World.Names names, int vocabulary, Model model, Corpus.Shape corpus,
                          int corpusSeed, Optimizer optimizer, int steps, int evaluateEvery, int checkpointEvery, ObjectNode settings) {
    /**
     * Sizes of a model.
     *
     * @param family mamba or gpt_neox
     * @param states of a Mamba's channel; 0 for a GPT-NeoX
     * @param heads  of a GPT-NeoX; 0 for a Mamba
     */
    public record Model(String family, int width, int layers, int states, int heads) {
        boolean isMamba() {
            return family.equals("mamba");
        }

        FreshModel fresh(int vocabulary, long seed) {
            return isMamba() ? FreshModel.mamba(width, layers, states, vocabulary, seed) : FreshModel.neox(width, layers, heads, vocabulary, seed);
        }
    }

    /**
     * AdamW with a warm-up, then half a cosine.
     *
     * @param rate       the highest learning rate
     * @param finalShare share of it that the cosine ends at
     * @param warmUp     steps of linear increase
     * @param clip       longest gradient; longer ones are shortened
     */
    public record Optimizer(double rate, double finalShare, int warmUp, double beta1, double beta2, double epsilon, double decay, double clip) {
        /** The learning rate of a step, counted from 0. */
        double rate(int step, int steps) {
            if (step < warmUp) {
                return rate * (step + 1) / warmUp;
            }
            double done = (step - warmUp) / (double) Math.max(1, steps - warmUp);
            return rate * (finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * done)));
        }
    }

    private static final int MOST = 1_000_000;

    /** Reads a file; a bad field is named in one sentence. */
    public static TrainConfig read(Path file) {
        String text;
        try {
            text = Files.readString(file);
        } catch (IOException e) {
            throw new BadData(file, "", "cannot be read (" + (Files.exists(file) ? "not UTF-8 text" : "no such file") + ")", e);
        }
        try {
            return parse(text);
        } catch (IllegalArgumentException e) {
            throw new BadData(file, "", e.getMessage(), e);
        }
    }

    /** Reads a file's text. */
    public static TrainConfig parse(String text) {
        Fields f = Fields.parse(text, "the configuration");
        Fields w = f.object("world");
        boolean folder = w.has("folder");
        Path world = folder ? Path.of(w.text("folder")) : null;
        int worldSeed = folder ? 0 : w.integer("seed", 0, Integer.MAX_VALUE);
        World.Names names = folder || w.requiredChoice("names", List.of("grid", "unique")).equals("grid") ? World.Names.GRID : World.Names.UNIQUE;
        w.done();
        Fields o = f.object("optimizer");
        Optimizer optimizer = new Optimizer(o.number("lr", 0), share(o, "final"), o.integer("warm_up", 0, MOST), AdamW.beta(o, "beta1"),
                AdamW.beta(o, "beta2"), AdamW.epsilon(o), o.number("weight_decay", 0), o.number("clip", 0));
        o.done();
        Fields c = f.object("corpus");
        Corpus.Shape shape = new Corpus.Shape(c.integer("rows", 1, 4096), c.integer("tokens", 16, 4096), share(c, "before"), share(c, "behind"),
                share(c, "binding"), share(c, "lists"), share(c, "word_dropout"), c.number("object_weight", 0), share(c, "dropped"));
        int corpusSeed = c.integer("seed", 0, Integer.MAX_VALUE);
        c.done();
        if (shape.before() + shape.behind() + shape.binding() > 1) {
            throw new BadRequest("corpus", "before, behind and binding are shares, their sum is above 1");
        }
        TrainConfig config = new TrainConfig(f.integer("seed", 0, Integer.MAX_VALUE), world, worldSeed, names, f.integer("vocabulary", 1, 100_000),
                model(f.object("model"), shape), shape, corpusSeed, optimizer, f.integer("steps", 1, MOST), f.integer("evaluate_every", 1, MOST),
                f.integer("checkpoint_every", 1, MOST), f.settings());
        f.done();
        if (optimizer.warmUp > config.steps) {
            throw new BadRequest("optimizer.warm_up", optimizer.warmUp + ", expected at most the " + config.steps + " steps");
        }
        return config;
    }

    private static Model model(Fields m, Corpus.Shape shape) {
        String family = m.requiredChoice("family", List.of("mamba", "gpt_neox"));
        boolean mamba = family.equals("mamba");
        Model model = new Model(family, m.integer("width", 1, 4096), m.integer("layers", 1, 256), mamba ? m.integer("states", 1, 256) : 0,
                mamba ? 0 : m.integer("heads", 1, 256));
        m.done();
        if (!mamba && model.width % model.heads != 0) {
            throw new BadRequest("model.heads", model.heads + " do not divide the width " + model.width);
        }
        if (!mamba && shape.tokens() > FreshModel.POSITIONS) {
            throw new BadRequest("corpus.tokens", shape.tokens() + ", expected at most " + FreshModel.POSITIONS
                    + " for a gpt_neox, the positions that it has");
        }
        return model;
    }

    private static double share(Fields f, String field) {
        double v = f.number(field, 0);
        if (v > 1) {
            throw new BadRequest("", f.name(field) + ": " + v + ", expected a number from 0 to 1");
        }
        return v;
    }

    /** This configuration with one field changed, such as {@code with("corpus.binding", 0)}. */
    public TrainConfig with(String field, Object value) {
        ObjectNode changed = settings.deepCopy();
        ObjectNode at = changed;
        String[] names = field.split("\\.");
        for (int i = 0; i < names.length - 1; i++) {
            if (!(at.get(names[i]) instanceof ObjectNode inner)) {
                throw new BadRequest("", field + ": no such field in this configuration");
            }
            at = inner;
        }
        at.putPOJO(names[names.length - 1], value);
        return parse(changed.toString());
    }

    /** The world that is learned. */
    public World openWorld() {
        return world == null ? World.generate(worldSeed, names) : World.read(world);
    }
}
