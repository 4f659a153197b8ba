package lab.recall.trace;

import lab.recall.base.Check;
import lab.recall.study.Asks;

/** Asks for {@link PathBlocking} over the facts that a model knows. */
public record PathBlockingRequest(
        @Asks(value = "world, lre, or a folder of relation files", otherwise = "those that belong to the model") String relations,
        @Asks("A relation's name, or all") String relation,
        @Asks("How many pairs of facts at most") Integer pairs,
        @Asks("Restored at all tokens of the subject at once, not at its last one alone") Boolean together,
        @Asks("Seed of every random choice") Integer seed) {
    private static final int PAIRS = 200;

    public PathBlockingRequest {
        relations = Check.or(relations, "");
        relation = Check.or(relation, "all");
        pairs = Check.whole("pairs", Check.or(pairs, PAIRS), 1, TraceRequest.MANY);
        together = Check.or(together, false);
        seed = Check.whole("seed", Check.or(seed, 1), 0, Integer.MAX_VALUE);
    }
}
