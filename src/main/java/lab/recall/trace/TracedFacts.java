package lab.recall.trace;

import lab.recall.facts.FactPairs;
import lab.recall.facts.Pairing;
import lab.recall.facts.Relations;
import lab.recall.model.LanguageModel;
import lab.recall.request.Fields;

/** Reads which pairs of facts a request asks for. */
final class TracedFacts {
    private static final int MOST = 1_000_000;

    private TracedFacts() {
    }

    static FactPairs pairs(LanguageModel model, Fields f, Pairing pairing) {
        String set = f.text("relations", "");
        String relation = f.text("relation", "all");
        int count = f.integer("pairs", 1, MOST, 200);
        int seed = f.integer("seed", 0, Integer.MAX_VALUE, 1);
        return Relations.asked(model, set, relation).knownBy(model).pairs(count, seed, pairing);
    }
}
