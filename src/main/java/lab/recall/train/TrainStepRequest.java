package lab.recall.train;

import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.study.Asks;

/** Asks for steps of AdamW on one batch. */
public record TrainStepRequest(
        @Asks("Rows of token ids, all of one length") List<List<Integer>> ids,
        @Asks("How many steps") Integer steps,
        @Asks("AdamW's lr, beta1, beta2, eps and weight_decay") Optimizer optimizer,
        @Asks("Also the first step's gradients, as arrays") Boolean gradients) {
    private static final int MOST_STEPS = 1_000_000;

    public TrainStepRequest {
        if (Check.given("ids", ids).isEmpty()) {
            throw new BadRequest("ids", "expected a list that is not empty");
        }
        for (int r = 0; r < ids.size(); r++) {
            if (ids.get(r) == null || ids.get(r).isEmpty() || ids.get(r).size() != ids.get(0).size()) {
                throw new BadRequest("ids[" + r + "]", "expected a list of token ids, as many as in every row");
            }
        }
        if (ids.get(0).size() < 2) {
            throw new BadRequest("ids", "rows of 1 token, expected at least 2, one to predict from the other");
        }
        Check.whole("steps", Check.given("steps", steps), 1, MOST_STEPS);
        Check.given("optimizer", optimizer);
        gradients = Check.or(gradients, false);
    }

    /**
     * Settings of {@link AdamW}.
     *
     * @param lr          learning rate
     * @param beta1       share of the old first moment that stays
     * @param beta2       share of the old second moment that stays
     * @param eps         keeps the division finite where a weight has had no gradient yet
     * @param weightDecay share of a weight that it loses, times the learning rate
     */
    public record Optimizer(Double lr, Double beta1, Double beta2, Double eps, Double weightDecay) {
        public Optimizer {
            Check.number("lr", Check.given("lr", lr), 0);
            AdamW.beta("beta1", Check.given("beta1", beta1));
            AdamW.beta("beta2", Check.given("beta2", beta2));
            AdamW.epsilon("eps", Check.given("eps", eps));
            Check.number("weight_decay", Check.given("weight_decay", weightDecay), 0);
        }
    }
}
