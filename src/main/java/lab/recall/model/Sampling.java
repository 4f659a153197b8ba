package lab.recall.model;

import java.util.Random;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.math.Softmax;

/**
 * How the next token is chosen.
 *
 * <pre>{@code
 * Sampling.greedy()                                          // the most probable one
 * Sampling.seeded(7, 0.8)                                    // drawn at temperature 0.8, by the seed 7
 * Sampling.seeded(7, 0.8).topK(40)                           // of the 40 most probable ones
 * }</pre>
 *
 * @param seed        of what is drawn; the same seed gives the same tokens
 * @param temperature by which logits are divided; 0 is greedy
 * @param topK        tokens to draw from; 0 for all
 */
public record Sampling(long seed, double temperature, int topK) {
    public Sampling {
        if (!(temperature >= 0 && Double.isFinite(temperature))) {
            throw new BadRequest("temperature", temperature + ", expected a finite number from 0 on");
        }
        if (topK < 0) {
            throw new BadRequest("top_k", topK + ", expected a whole number from 1 on, or 0 for all tokens");
        }
    }

    /** The most probable token. */
    public static Sampling greedy() {
        return new Sampling(0, 0, 0);
    }

    /** Drawn from all tokens. */
    public static Sampling seeded(long seed, double temperature) {
        return new Sampling(seed, temperature, 0);
    }

    /** Drawn from the k most probable ones alone. */
    public Sampling topK(int k) {
        return new Sampling(seed, temperature, k);
    }

    /** The token, by one number of {@code random}. */
    int choose(float[] logits, Random random) {
        if (temperature == 0) {
            return Softmax.argmax(logits, 0, logits.length);
        }
        int[] from = topK == 0 || topK >= logits.length ? IntStream.range(0, logits.length).toArray() : Softmax.largest(logits, topK);
        float most = logits[Softmax.argmax(logits, 0, logits.length)];
        double[] upTo = new double[from.length];
        double sum = 0;
        for (int i = 0; i < from.length; i++) {
            sum += StrictMath.exp((logits[from[i]] - most) / temperature);
            upTo[i] = sum;
        }
        double drawn = random.nextDouble() * sum;
        int i = 0;
        while (i < from.length - 1 && upTo[i] <= drawn) {
            i++;
        }
        return from[i];
    }
}
