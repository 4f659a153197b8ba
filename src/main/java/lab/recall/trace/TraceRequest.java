package lab.recall.trace;

import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.study.Asks;

/**
 * Asks for {@link CausalTrace} over the facts that a model knows.
 *
 * <pre>{@code
 * {"experiment": "trace", "model": "tiny-mamba", "points": ["residual", "components"], "pairs": 60}
 * }</pre>
 */
public record TraceRequest(
        @Asks(value = "world, lre, or a folder of relation files", otherwise = "those that belong to the model") String relations,
        @Asks("A relation's name, or all") String relation,
        @Asks("How many pairs of facts at most") Integer pairs,
        @Asks("Seed of every random choice") Integer seed,
        @Asks(value = "What is put back: residual, components, or hook points; state: the memory of each layer", option = "point")
        List<String> points,
        @Asks(value = "Layers put back together",
                otherwise = "1 for the stream and for a memory, the paper's share of the depth for a component") Integer window,
        @Asks(value = "How effects are averaged: corrected for their baseline, or as the reference code did",
                words = {"corrected", "published"}) String mode,
        @Asks("The other direction: corrupt values put into the clean run") Boolean reverse,
        @Asks("All tokens of a row are put back at once, such as all after the subject, not each by itself") Boolean together,
        @Asks(value = "Noise on the subject instead of another subject, in standard deviations of the embeddings",
                otherwise = "another subject") Double noise,
        @Asks(value = "Draws of noise that are averaged", otherwise = "10 with noise") Integer samples,
        @Asks("A negative control: of each pair another fact's answer is measured, in units of the pair's own effect") Boolean shuffled,
        @Asks("Also attribution patching: the effect to first order, and how well it ranks") Boolean attribution) {
    static final int MANY = 1_000_000;
    private static final int MOST_SAMPLES = 10_000;
    private static final int SAMPLES = 10;
    private static final int PAIRS = 200;

    public TraceRequest {
        relations = Check.or(relations, "");
        relation = Check.or(relation, "all");
        pairs = Check.whole("pairs", Check.or(pairs, PAIRS), 1, MANY);
        seed = Check.whole("seed", Check.or(seed, 1), 0, Integer.MAX_VALUE);
        points = Check.different("points", Check.or(points, List.of("residual")));
        mode = Check.word("mode", Check.or(mode, "corrected"), List.of("corrected", "published"));
        reverse = Check.or(reverse, false);
        together = Check.or(together, false);
        shuffled = Check.or(shuffled, false);
        attribution = Check.or(attribution, false);
        if (window != null) {
            Check.whole("window", window, 1, Integer.MAX_VALUE);
        }
        if (noise == null && samples != null) {
            throw new BadRequest("samples", "only noise is sampled; give noise, or leave samples out");
        }
        if (noise != null) {
            Check.positive("noise", noise);
            samples = Check.whole("samples", Check.or(samples, SAMPLES), 1, MOST_SAMPLES);
        }
        if (reverse && mode.equals("published")) {
            throw new BadRequest("reverse", "true with mode published: the reference code has no reverse direction");
        }
        if (together && mode.equals("published")) {
            throw new BadRequest("together", "true with mode published: the reference code put back one token at a time");
        }
        if (shuffled && mode.equals("published")) {
            throw new BadRequest("shuffled", "true with mode published: the reference code had no such control");
        }
        if (attribution && (reverse || noise != null || together || shuffled)) {
            throw new BadRequest("attribution",
                    "true, expected false with reverse, noise, together or shuffled: it estimates the effect of one clean value put back");
        }
    }

    Averaging averaging() {
        return mode.equals("published") ? Averaging.PUBLISHED : Averaging.CORRECTED;
    }
}
