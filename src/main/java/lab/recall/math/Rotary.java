package lab.recall.math;

import java.util.function.DoubleUnaryOperator;

/**
 * Rotary position embedding, rotate-half form, on the first dimensions of each head.
 *
 * <pre>{@code
 * var rotary = new Rotary(64, 16, 10000);
 * rotary.apply(qkv, 0, 3 * d, tokens, 0, heads);            // turns the queries in place
 * }</pre>
 *
 * Dimension m pairs with m + r/2 and turns by position / base^(2m/r), or by a scaled frequency, for prompts that are longer than those of
 * the training. Angles are computed in f64. Source: Su et al., arXiv 2104.09864.
 */
public final class Rotary {
    private final int headWidth;
    private final int half;
    /** Of each pair: what it turns by from one position to the next. */
    private final double[] frequencies;
    /** cos and sin of each position so far, [position][cos of half, sin of half]; replaced by a longer one when needed. */
    private volatile float[] table = new float[0];

    /** @param rotaryDims how many dimensions of a head turn; an even number is used */
    public Rotary(int headWidth, int rotaryDims, double base) {
        this(headWidth, rotaryDims, base, frequency -> frequency);
    }

    /** The same with scaled frequencies. */
    public Rotary(int headWidth, int rotaryDims, double base, DoubleUnaryOperator scaled) {
        this.headWidth = headWidth;
        this.half = rotaryDims / 2;
        this.frequencies = new double[half];
        for (int m = 0; m < half; m++) {
            frequencies[m] = scaled.applyAsDouble(Math.pow(base, -(double) m / half));
        }
    }

    /** All frequencies smaller by a factor: positions as if they were closer together. */
    public static DoubleUnaryOperator linear(double factor) {
        return frequency -> frequency / factor;
    }

    /**
     * As Llama 3.1 has it: low frequencies are smaller by a factor, high ones stay, and those between go over from one to the other.
     *
     * @param low      turns within {@code original} positions, up to which a frequency is low
     * @param high     turns within them, from which it is high
     * @param original positions of the first training
     */
    public static DoubleUnaryOperator byWavelength(double factor, double low, double high, double original) {
        return frequency -> {
            double turns = original * frequency / (2 * Math.PI);
            if (turns < low) {
                return frequency / factor;
            }
            if (turns > high) {
                return frequency;
            }
            double share = (turns - low) / (high - low);
            return (1 - share) * frequency / factor + share * frequency;
        };
    }

    /** Turns rows of heads in place; the first row is at {@code firstPosition}. */
    public void apply(float[] x, int at, int stride, int tokens, int firstPosition, int heads) {
        turn(x, at, stride, tokens, firstPosition, heads, 1f);
    }

    /** Turns them back: the backward of {@link #apply}. */
    public void applyInverse(float[] x, int at, int stride, int tokens, int firstPosition, int heads) {
        turn(x, at, stride, tokens, firstPosition, heads, -1f);
    }

    private void turn(float[] x, int at, int stride, int tokens, int firstPosition, int heads, float sign) {
        float[] angles = angles(firstPosition + tokens);
        for (int t = 0; t < tokens; t++) {
            int row = (firstPosition + t) * 2 * half;
            for (int h = 0; h < heads; h++) {
                int head = at + t * stride + h * headWidth;
                for (int m = 0; m < half; m++) {
                    float cos = angles[row + m];
                    float sin = sign * angles[row + half + m];
                    float a = x[head + m];
                    float b = x[head + half + m];
                    x[head + m] = a * cos - b * sin;
                    x[head + half + m] = b * cos + a * sin;
                }
            }
        }
    }

    private float[] angles(int positions) {
        float[] known = table;
        if (known.length >= positions * 2 * half) {
            return known;
        }
        int grown = Math.max(64, Integer.highestOneBit(positions) * 2);
        float[] longer = new float[grown * 2 * half];
        for (int p = 0; p < grown; p++) {
            for (int m = 0; m < half; m++) {
                double angle = p * frequencies[m];
                longer[p * 2 * half + m] = (float) Math.cos(angle);
                longer[p * 2 * half + half + m] = (float) Math.sin(angle);
            }
        }
        table = longer;
        return longer;
    }
}
