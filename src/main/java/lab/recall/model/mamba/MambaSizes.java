package lab.recall.model.mamba;

import java.util.OptionalDouble;
import lab.recall.model.FreshModel;
import lab.recall.model.FreshSizes;
import lab.recall.model.block.FreshScan;

/**
 * Sizes of a fresh Mamba-1: inner width 2 d, 4 taps, delta of rank d / 16, head and embedding tied.
 *
 * <pre>{@code
 * new MambaSizes(64, 8, 8).fresh(800, seed).write(folder, tokenizer)
 * }</pre>
 *
 * Decay rates are 1..N and step sizes log-uniform from 0.001 to 0.1. Source: Gu and Dao, arXiv 2312.00752, section 3.6 and appendix E.
 *
 * @param width  of the residual stream
 * @param states of a channel
 */
public record MambaSizes(Integer width, Integer layers, Integer states) implements FreshSizes {
    public MambaSizes {
        FreshSizes.requireWidth(width);
        FreshSizes.requireParts("layers", layers);
        FreshSizes.requireParts("states", states);
    }

    @Override
    public FreshModel fresh(int vocabulary, long seed) {
        return new FreshScan("mamba", "MambaForCausalLM", OptionalDouble.empty(), true).of(width, layers, states, vocabulary, seed);
    }
}
