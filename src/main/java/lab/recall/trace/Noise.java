package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Site;

/**
 * Noise on the embeddings of a subject's tokens, as data: the numbers that it is made of follow from the seed, or are given.
 *
 * @param deviation standard deviation of each number
 * @param samples   draws, averaged
 * @param seed      of the whole run's random numbers
 * @param skip      how many of them earlier prompts use
 * @param from      first token
 * @param to        token after the last one
 * @param given     the noise itself, [sample][token][width]; null where it follows from the seed
 */
record Noise(double deviation, int samples, long seed, long skip, int from, int to, float[][][] given) {
    Noise(double deviation, int samples, long seed, long skip, int from, int to) {
        this(deviation, samples, seed, skip, from, to, null);
    }

    /** Noise that is known, on the tokens from {@code from} on. */
    static Noise of(float[][][] given, int from) {
        return new Noise(Double.NaN, given.length, 0, 0, from, from + given[0].length, given);
    }

    /** Random numbers that it uses. */
    long numbers(LanguageModel model) {
        return (long) samples * (to - from) * model.width();
    }

    /** What is added in each draw. */
    List<List<Intervention>> draws(LanguageModel model) {
        Random random = new Random(seed);
        for (long i = 0; i < skip; i++) {
            random.nextGaussian();
        }
        List<List<Intervention>> all = new ArrayList<>();
        for (int s = 0; s < samples; s++) {
            List<Intervention> draw = new ArrayList<>();
            for (int t = from; t < to; t++) {
                float[] v = given == null ? drawn(random, model.width()) : given[s][t - from];
                draw.add(Intervention.add(new Site(0, HookPoint.EMBED, t), v));
            }
            all.add(draw);
        }
        return all;
    }

    private float[] drawn(Random random, int width) {
        float[] v = new float[width];
        for (int i = 0; i < width; i++) {
            v[i] = (float) (deviation * random.nextGaussian());
        }
        return v;
    }
}
