package lab.recall.facts;

import java.util.ArrayList;
import java.util.List;
import lab.recall.view.Showable;
import lab.recall.view.Tables;

/**
 * Pairs of facts for interchange.
 *
 * @param pairs       the pairs
 * @param unmatched facts that were passed over because no other can take their place token by token
 */
public record FactPairs(List<FactPair> pairs, int unmatched) implements Showable {
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
