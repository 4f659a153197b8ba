package lab.recall.study;

import java.util.Map;
import lab.recall.base.Said;

/** Some pieces could not be computed, while all others were and are kept. Commands end with exit code 1. */
public final class PiecesFailed extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** @param reasons by the pieces' places in the plan */
    PiecesFailed(String title, Map<Integer, String> reasons, int all) {
        super(Said.sentence(title + ": " + reasons.size() + " of " + all + " pieces failed, the others are kept (piece "
                + reasons.keySet().iterator().next() + ": " + reasons.values().iterator().next()
                + "); the same command with --retry-failed tries again"));
    }
}
