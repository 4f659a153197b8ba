package lab.recall.edit;

import lab.recall.base.Check;
import lab.recall.study.Asks;

/** Hyper-parameters of an edit in a request; null where another's stand. */
record Hyperparameters(
        @Asks("Losses computed at most") Integer steps,
        @Asks("Adam's learning rate") Double lr,
        @Asks("Factor of |delta| / |v0|^2") Double weightDecay,
        @Asks("Factor of the Kullback-Leibler divergence") Double klFactor,
        @Asks("|delta| at most, in |v0|") Double clampNormFactor,
        @Asks("A loss below it ends the search") Double stopLoss,
        @Asks(value = "A probability above it ends the search from the 14th loss on", otherwise = "never") Double stopProbability,
        @Asks("Share of C's mean diagonal that is added to its diagonal") Double ridge,
        @Asks(value = "Root mean square of the v0 that lr and weight_decay are meant for", otherwise = "its own") Double valueSize) {
    private static final int MOST_STEPS = 100_000;

    Hyperparameters {
        if (steps != null) {
            Check.whole("steps", steps, 1, MOST_STEPS);
        }
        number("lr", lr);
        number("weight_decay", weightDecay);
        number("kl_factor", klFactor);
        number("clamp_norm_factor", clampNormFactor);
        number("stop_loss", stopLoss);
        number("stop_probability", stopProbability);
        number("ridge", ridge);
        number("value_size", valueSize);
    }

    private static void number(String field, Double value) {
        if (value != null) {
            Check.number(field, value, 0);
        }
    }

    /** Those of some settings. */
    static Hyperparameters of(EditSettings s) {
        return new Hyperparameters(s.steps(), s.rate(), s.weightDecay(), s.klFactor(), s.clamp(), s.stopLoss(),
                Double.isInfinite(s.stopProbability()) ? null : s.stopProbability(), s.ridge(), s.size() == 0 ? null : s.size());
    }

    /** Refuses where one is missing that has no default. */
    void requireAll() {
        Check.given("hyperparameters.steps", steps);
        Check.given("hyperparameters.lr", lr);
        Check.given("hyperparameters.weight_decay", weightDecay);
        Check.given("hyperparameters.kl_factor", klFactor);
        Check.given("hyperparameters.clamp_norm_factor", clampNormFactor);
        Check.given("hyperparameters.stop_loss", stopLoss);
    }

    /** Settings with these numbers in the place of others'. */
    EditSettings in(EditSettings others) {
        return new EditSettings(Check.or(steps, others.steps()), Check.or(lr, others.rate()), Check.or(weightDecay, others.weightDecay()),
                Check.or(klFactor, others.klFactor()), Check.or(clampNormFactor, others.clamp()), Check.or(stopLoss, others.stopLoss()),
                Check.or(stopProbability, others.stopProbability()), Check.or(ridge, others.ridge()), others.key(),
                Check.or(valueSize, others.size()));
    }
}
