package lab.recall.edit;

import java.util.Locale;
import lab.recall.base.Check;
import lab.recall.model.LanguageModel;
import lab.recall.model.ModelFacts;

/**
 * Hyper-parameters of rank-one editing.
 *
 * <pre>{@code
 * EditSettings.PUBLISHED                                     // as the paper edits Mamba-2.8b and Pythia-2.8b
 * EditSettings.of(mamba)                                     // the same with what the model's recall.json says instead
 * EditSettings.PUBLISHED.withClamp(4).withKey(KeyMode.CONSISTENT)
 * EditSettings.of(mamba).withSize(EditSettings.PUBLISHED_SIZE)       // steps and decay relative to v0, as large as the paper's
 * }</pre>
 *
 * Source: arXiv 2404.03646, appendix; Meng et al., arXiv 2202.05262, section 3.1.
 *
 * @param steps           losses computed at most, so at most one Adam step less
 * @param rate            Adam's learning rate
 * @param weightDecay     factor of |delta| / |v0|^2
 * @param klFactor        factor of the Kullback-Leibler divergence at the subject's last token of "{} is a"
 * @param clamp           |delta| is held within so many times |v0|
 * @param stopLoss        a loss below it ends the search
 * @param stopProbability from the 14th loss on, a mean probability of the target above it ends the search; infinite for never
 * @param ridge           share of C's mean diagonal that is added to its diagonal
 * @param key             which key the update divides by
 * @param size            how large the numbers of v0 are that the learning rate and the weight decay are meant for, as a root mean square:
 *                        a search then goes as if v0 were multiplied to that size; 0 for their own, as the reference code does
 */
public record EditSettings(int steps, double rate, double weightDecay, double klFactor,
        double clamp, double stopLoss, double stopProbability, double ridge, KeyMode key, double size) {
    /** Root mean square of the paper's v0: |v0| of W_g in layer 15 of Mamba-2.8b is 89.5, of 5,120 numbers. */
    public static final double PUBLISHED_SIZE = 1.25;

    public EditSettings(int steps, double rate, double weightDecay, double klFactor, double clamp, double stopLoss,
            double stopProbability, double ridge, KeyMode key) {
        this(steps, rate, weightDecay, klFactor, clamp, stopLoss, stopProbability, ridge, key, 0);
    }

    /** Which key stands in the update's denominator. */
    public enum KeyMode {
        /** That of the plain prompt, while u is made of the mean over context templates: as the reference code does. */
        PUBLISHED,
        /** The mean over context templates in both, which avoids the collapse that some edits cause (arXiv 2403.07175). */
        CONSISTENT;

        /** Its name in requests. */
        public String id() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** The paper's. */
    public static final EditSettings PUBLISHED = new EditSettings(20, 0.5, 0.5, 0.0625, 3, 0.05, 0.90, 0, KeyMode.PUBLISHED);

    /** The paper's, with the numbers in the place of others that a model's {@link ModelFacts} say. */
    public static EditSettings of(LanguageModel model) {
        ModelFacts.Edits said = model.facts().edits();
        return PUBLISHED.withClamp(Check.or(said.clampNormFactor(), PUBLISHED.clamp)).withRidge(Check.or(said.ridge(), PUBLISHED.ridge));
    }

    /** With another number of losses. */
    public EditSettings withSteps(int count) {
        return new EditSettings(count, rate, weightDecay, klFactor, clamp, stopLoss, stopProbability, ridge, key, size);
    }

    /** With another bound of |delta|, in |v0|. */
    public EditSettings withClamp(double value) {
        return new EditSettings(steps, rate, weightDecay, klFactor, value, stopLoss, stopProbability, ridge, key, size);
    }

    /** With another share of C's mean diagonal on its diagonal. */
    public EditSettings withRidge(double share) {
        return new EditSettings(steps, rate, weightDecay, klFactor, clamp, stopLoss, stopProbability, share, key, size);
    }

    /** With another key in the denominator. */
    public EditSettings withKey(KeyMode mode) {
        return new EditSettings(steps, rate, weightDecay, klFactor, clamp, stopLoss, stopProbability, ridge, mode, size);
    }

    /**
     * Free of scale: the learning rate and the weight decay are taken as if v0's numbers were of a size, such as {@link #PUBLISHED_SIZE}:
     * a first step and the decay are then as large beside v0 in a small model as in that of the size.
     */
    public EditSettings withSize(double rootMeanSquare) {
        return new EditSettings(steps, rate, weightDecay, klFactor, clamp, stopLoss, stopProbability, ridge, key,
                Check.positive("value_size", rootMeanSquare));
    }

    /** What the learning rate and the weight decay are multiplied by for a v0. */
    double unit(double[] start) {
        return size == 0 ? 1 : ValueSearch.norm(start) / Math.sqrt(start.length) / size;
    }
}
