package lab.recall.model.falconmamba;

import java.util.OptionalDouble;
import lab.recall.model.FreshModel;
import lab.recall.model.FreshSizes;
import lab.recall.model.block.FreshScan;

/**
 * Sizes of a fresh Falcon-Mamba: inner width 2 d, 4 taps, delta of rank d / 16, a head of its own.
 *
 * <pre>{@code
 * new FalconMambaSizes(64, 8, 8).fresh(800, seed).write(folder, tokenizer)
 * }</pre>
 *
 * @param width  of the residual stream
 * @param states of a channel
 */
public record FalconMambaSizes(Integer width, Integer layers, Integer states) implements FreshSizes {
    public FalconMambaSizes {
        FreshSizes.requireWidth(width);
        FreshSizes.requireParts("layers", layers);
        FreshSizes.requireParts("states", states);
    }

    @Override
    public FreshModel fresh(int vocabulary, long seed) {
        return new FreshScan("falcon_mamba", "FalconMambaForCausalLM", OptionalDouble.of(1e-6), false)
                .of(width, layers, states, vocabulary, seed);
    }
}
