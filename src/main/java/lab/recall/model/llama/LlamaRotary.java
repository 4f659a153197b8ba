package lab.recall.model.llama;

import java.util.Optional;
import java.util.function.DoubleUnaryOperator;
import lab.recall.math.Rotary;
import lab.recall.model.Body;
import lab.recall.model.Settings;

/**
 * What config.json says of the rotary embedding, in the words of transformers 5 (rope_parameters) or 4 (rope_theta and rope_scaling).
 *
 * <p>Source: the functions of modeling_rope_utils.py in HuggingFace transformers.
 */
final class LlamaRotary {
    private static final double THETA = 10_000;

    private LlamaRotary() {
    }

    /** The object that describes it; empty where none does. */
    private static Settings scaling(Settings set) {
        return set.inside(place(set));
    }

    private static String place(Settings set) {
        return set.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
    }

    private static String type(Settings scaling) {
        return scaling.word(scaling.has("rope_type") ? "rope_type" : "type", "default", "default", "linear", "dynamic", "llama3");
    }

    static Rotary of(Settings set, int headWidth) {
        Settings scaling = scaling(set);
        for (Settings place : new Settings[] {set, scaling}) {
            if (place.number("partial_rotary_factor", 1) != 1) {
                throw place.refused("partial_rotary_factor", place.number("partial_rotary_factor", 1) + "; only 1 is known");
            }
        }
        double theta = set.number(set.named("rope_theta", place(set) + ".rope_theta"), THETA);
        DoubleUnaryOperator scaled = switch (type(scaling)) {
            case "linear" -> Rotary.linear(scaling.number("factor"));
            case "llama3" -> Rotary.byWavelength(scaling.number("factor"), scaling.number("low_freq_factor"),
                    scaling.number("high_freq_factor"), scaling.number("original_max_position_embeddings"));
            default -> frequency -> frequency;
        };
        return new Rotary(headWidth, headWidth, theta, scaled);
    }

    /** Dynamic scaling begins behind the positions of the training; it turns all of a longer prompt by other angles. */
    static Optional<Body.Reach> reach(Settings set) {
        Settings scaling = scaling(set);
        scaling.harmless("original_max_position_embeddings");
        if (type(scaling).equals("dynamic")) {
            scaling.harmless("factor");
        }
        return type(scaling).equals("dynamic") ? Optional.of(new Body.Reach(set.positive("max_position_embeddings"),
                "max_position_embeddings, behind which the rotary embedding would be scaled,")) : Optional.empty();
    }
}
