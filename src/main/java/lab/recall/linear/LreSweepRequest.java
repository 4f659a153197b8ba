package lab.recall.linear;

import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.study.Asks;

/**
 * Asks for {@link LinearSweep}.
 *
 * <pre>{@code
 * {"experiment": "lre_sweep", "model": "tiny-mamba", "prompt": "zero-shot", "every": 4}
 * }</pre>
 */
public record LreSweepRequest(
        @Asks(value = "world, lre, or a folder of relation files", otherwise = "those that belong to the model") String relations,
        @Asks("A relation's name, or all") String relation,
        @Asks(value = "How facts are asked, after the other samples or by the plain template", words = {"in-context", "zero-shot"})
                String prompt,
        @Asks(value = "Layer, beta and rank are chosen on other facts, or on those that are scored, as the reference code did",
                words = {"nested", "published"}) String mode,
        @Asks("Facts that make an operator") Integer samples,
        @Asks("Random splits") Integer splits,
        @Asks("Known facts that test an operator at most") Integer facts,
        @Asks("Look at every N-th layer only") Integer every,
        @Asks(value = "Ranks of the edits", otherwise = "14 from 1 to 312; the paper's are 8,16,..,312") List<Integer> ranks,
        @Asks("No edits, which take most of the time") Boolean faithfulnessOnly,
        @Asks("Seed of every random choice") Integer seed) {
    private static final int MOST = 100;
    private static final int MOST_FACTS = 1_000_000;

    public LreSweepRequest {
        relations = Check.or(relations, "");
        relation = Check.or(relation, "all");
        prompt = Check.word("prompt", Check.or(prompt, Asking.IN_CONTEXT.id()), List.of(Asking.IN_CONTEXT.id(), Asking.ZERO_SHOT.id()));
        mode = Check.word("mode", Check.or(mode, Selection.NESTED.id()), List.of(Selection.NESTED.id(), Selection.PUBLISHED.id()));
        samples = Check.whole("samples", Check.or(samples, LinearSweep.SAMPLES), 1, MOST);
        splits = Check.whole("splits", Check.or(splits, LinearSweep.SPLITS), 1, MOST);
        facts = Check.whole("facts", Check.or(facts, LinearSweep.FACTS), Trial.LEAST, MOST_FACTS);
        every = Check.whole("every", Check.or(every, 1), 1, Integer.MAX_VALUE);
        for (int i = 0; ranks != null && i < ranks.size(); i++) {
            Integer rank = ranks.get(i);
            if (rank == null || rank < 1) {
                throw new BadRequest("ranks[" + i + "]", rank + ", expected a whole number of at least 1");
            }
        }
        ranks = ranks == null ? null : List.copyOf(ranks);
        faithfulnessOnly = Check.or(faithfulnessOnly, false);
        seed = Check.whole("seed", Check.or(seed, 1), 0, Integer.MAX_VALUE);
    }

    Asking asking() {
        return prompt.equals(Asking.ZERO_SHOT.id()) ? Asking.ZERO_SHOT : Asking.IN_CONTEXT;
    }

    Selection selection() {
        return mode.equals(Selection.PUBLISHED.id()) ? Selection.PUBLISHED : Selection.NESTED;
    }

    /** An empty list of ranks asks for no edits too. */
    boolean withoutEdits() {
        return faithfulnessOnly || (ranks != null && ranks.isEmpty());
    }
}
