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
 * @param said     its fields
 * @param settings the whole as JSON, as it was given
 */
public record TrainConfig(TrainFile said, ObjectNode settings) {
    /** A block of a small model adds little to its stream: within the paper's 3 |v0| fewer edits of W_a and W_down hold in most layers. */
    private static final double SMALL_CLAMP = 6;

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
        return new TrainConfig(RequestReader.read(settings, TrainFile.class), settings);
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
        return said.world().open();
    }

    /** Batches in all. */
    public int steps() {
        return said.steps();
    }

    /** What its recall.json says of the trained model. */
    ModelFacts facts() {
        return new ModelFacts(ModelFacts.OWN, Check.or(said.world().invented(), true), true,
                new ModelFacts.Edits(SMALL_CLAMP, said.sizes().ridge().orElse(null)));
    }
}
