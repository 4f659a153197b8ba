package lab.recall.linear;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Said;
import lab.recall.model.Jacobian;
import lab.recall.model.LanguageModel;

/**
 * After which layer a state is taken, in requests: {@code 4}, or {@code "embed"}.
 *
 * @param said a number from 0, or {@code "embed"}
 */
public record SourceLayer(@JsonValue Object said) {
    private static final String EMBED = "embed";

    /** @throws BadRequest if it is anything else */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public SourceLayer {
        if (!EMBED.equals(said) && !(said instanceof Integer layer && layer >= 0)) {
            Object quoted = said instanceof String text ? "'" + Said.of(text) + "'" : said;
            throw new BadRequest("", quoted + ", expected \"embed\" or a whole number of at least 0");
        }
    }

    /** After the embedding, before the first layer. */
    public static SourceLayer embedding() {
        return new SourceLayer(EMBED);
    }

    /** After a layer. */
    public static SourceLayer of(int layer) {
        return new SourceLayer(layer);
    }

    /** As {@link Jacobian} counts; refused where the model has no such layer. */
    int in(LanguageModel model) {
        return said instanceof Integer layer ? Check.whole("layer", layer, 0, model.layers() - 1) : Jacobian.EMBED;
    }
}
