package lab.recall.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;

/**
 * How much a model recalls: the share of prompts whose most probable next token is the object's first one.
 *
 * @param seen    pairs of fact and template that were learned
 * @param dropped pairs that were not met together
 * @param heldOut facts in templates that were not learned
 */
public record Recall(double seen, double dropped, double heldOut) {
    private static final int TOGETHER = 256;

    /** Of all pairs. */
    public static Recall of(LanguageModel model, Corpus corpus) {
        return of(model, corpus, Integer.MAX_VALUE);
    }

    /** Of some pairs of each kind, always the same ones. */
    static Recall of(LanguageModel model, Corpus corpus, int most) {
        return new Recall(share(model, corpus, corpus.pairs().seen(), most), share(model, corpus, corpus.pairs().dropped(), most),
                share(model, corpus, corpus.pairs().heldOut(), most));
    }

    private static double share(LanguageModel model, Corpus corpus, List<Pairs.Pair> all, int most) {
        List<Pairs.Pair> some = new ArrayList<>(all);
        if (some.size() > most) {
            Collections.shuffle(some, new Random(0));
            some = some.subList(0, most);
        }
        int right = 0;
        for (int from = 0; from < some.size(); from += TOGETHER) {
            List<int[]> withObjects = some.subList(from, Math.min(some.size(), from + TOGETHER)).stream().map(corpus::withObject).toList();
            List<Pass> passes = model.runAll(withObjects.stream().map(ids -> Arrays.copyOf(ids, ids.length - 1)).toList(),
                    Recording.nothing());
            for (int i = 0; i < passes.size(); i++) {
                right += passes.get(i).argmax() == withObjects.get(i)[withObjects.get(i).length - 1] ? 1 : 0;
            }
        }
        return some.isEmpty() ? Double.NaN : right / (double) some.size();
    }
}
