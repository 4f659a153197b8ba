package lab.recall.spark;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import lab.recall.base.Unsolvable;
import lab.recall.model.LanguageModel;
import lab.recall.study.Cost;
import lab.recall.study.Runner;
import lab.recall.study.Study;

/** A study that squares numbers, some of which it finds hard; it counts how often each was tried in this process. */
final class Counting extends Study<Counting.Asked, Integer, int[], List<Integer>> {
    static final Map<Integer, Integer> TRIES = new ConcurrentHashMap<>();

    /**
     * What is asked.
     *
     * @param numbers   so many
     * @param breaks    how often a number breaks before it works
     * @param unsolvable which has no answer; none if negative
     */
    record Asked(int numbers, Map<Integer, Integer> breaks, int unsolvable) {
    }

    Counting() {
        super("counting", "numbers", int[].class);
    }

    @Override
    public Object settings(Asked asked) {
        return Map.of();
    }

    @Override
    public String title(LanguageModel model, Asked asked) {
        return "counting";
    }

    @Override
    public long size(LanguageModel model, Asked asked, Integer piece) {
        return 1;
    }

    @Override
    public List<Integer> plan(LanguageModel model, Asked asked, Runner runner) {
        return IntStream.range(0, asked.numbers).boxed().toList();
    }

    @Override
    public int[] compute(LanguageModel model, Asked asked, Integer piece, LongConsumer done) {
        int tries = TRIES.merge(piece, 1, Integer::sum);
        if (piece == asked.unsolvable) {
            throw new Unsolvable("the number", "has no square");
        }
        if (tries <= asked.breaks.getOrDefault(piece, 0)) {
            throw new IllegalStateException("tired of " + piece);
        }
        return new int[] {piece * piece, model.layers()};
    }

    @Override
    public Cost cost(LanguageModel model, Asked asked, Integer piece) {
        return Cost.of(model);
    }

    @Override
    public List<Integer> supposed(LanguageModel model, Asked asked, List<Integer> pieces, List<int[]> found) {
        return combine(model, asked, pieces, filled(found, i -> new int[2]));
    }

    @Override
    public Optional<Asked> sent(Asked asked, Integer piece) {
        return Optional.of(asked);
    }

    @Override
    public boolean fits(LanguageModel model, Asked asked, Integer piece, int[] found) {
        return found.length == 2;
    }

    @Override
    public List<Integer> combine(LanguageModel model, Asked asked, List<Integer> pieces, List<int[]> found) {
        return found.stream().map(f -> f[0]).toList();
    }
}
