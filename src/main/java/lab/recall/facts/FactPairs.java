package lab.recall.facts;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.view.Showable;
import lab.recall.view.Tables;

/**
 * Pairs of facts for interchange.
 *
 * <pre>{@code
 * known.pairs(60, seed)
 * FactPairs.shared(List.of(knownByMamba, knownByNeox), 60, seed)     // for each model the pairs of the same facts, in the same order
 * }</pre>
 *
 * @param pairs       the pairs
 * @param unmatched facts that were passed over because no other can take their place token by token
 */
public record FactPairs(List<FactPair> pairs, int unmatched) implements Showable {
    /**
     * Pairs of facts that all of some models know and whose prompts lie token on token in all: for each model its own prompts, of the same
     * facts in the same order, so that differences can be taken pair by pair.
     *
     * @param known what each model knows
     * @param count how many pairs at most
     * @param seed  the same seed gives the same pairs
     * @throws BadRequest when there is no such pair
     */
    public static List<FactPairs> shared(List<KnownFacts> known, int count, long seed) {
        KnownFacts first = known.get(0).and(known.stream().skip(1).toArray(KnownFacts[]::new));
        FactPairs drawn = first.pairs(Integer.MAX_VALUE, seed);
        List<List<FactPair>> all = drawn.pairs.stream()
                .map(p -> known.stream().map(k -> k.pair(p.clean(), p.corrupt())).flatMap(Optional::stream).toList())
                .filter(each -> each.size() == known.size()).limit(count).toList();
        if (all.isEmpty()) {
            throw new BadRequest("", "no two facts that all of these models know make a pair in each of them");
        }
        return IntStream.range(0, known.size())
                .mapToObj(m -> new FactPairs(all.stream().map(each -> each.get(m)).toList(), drawn.unmatched)).toList();
    }

    /** How many. */
    public int size() {
        return pairs.size();
    }

    /** One of them. */
    public FactPair get(int index) {
        return pairs.get(index);
    }

    @Override
    public Object view() {
        List<List<Object>> rows = new ArrayList<>();
        pairs.forEach(p -> rows.add(List.of(p.clean().relation(), p.cleanPrompt().text(), p.clean().object(), p.corrupt().subject())));
        return Tables.of(size() + " pairs; " + unmatched + " facts passed over: no other fits token on token",
                List.of("relation", "clean prompt", "object", "other subject"), rows);
    }
}
