package lab.recall.model;

import java.util.List;
import java.util.stream.IntStream;
import lab.recall.view.HeatMap;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * What two models say after one text; each reads it by its own tokenizer. Shows itself as a table.
 *
 * <pre>{@code
 * var both = mamba.compare(neox, "Novux Bridge is located in the city of");
 * both.top(5)                                                // the most probable tokens side by side
 * both.heatmap()                                             // in which layers each has its own answer
 * }</pre>
 */
public final class Compared implements Showable {
    private static final int SHOWN = 10;

    private final LanguageModel one;
    private final LanguageModel other;
    private final String text;
    private final NextToken next;
    private final NextToken otherNext;

    Compared(LanguageModel one, LanguageModel other, String text) {
        this.one = one;
        this.other = other;
        this.text = text;
        this.next = one.next(text);
        this.otherNext = other.next(text);
    }

    /**
     * Tokens of one rank.
     *
     * @param token of the first model, with its probability p
     * @param other of the other model, with its probability
     */
    public record Rank(String token, double p, String other, double pOther) {
    }

    /**
     * The k most probable tokens of each, by rank.
     *
     * @throws lab.recall.base.BadRequest when there are not so many
     */
    public List<Rank> ranks(int k) {
        next.top(k);                                            // refuses a bad number
        otherNext.top(k);
        return IntStream.range(0, k)
                .mapToObj(i -> new Rank(next.token(i), next.probability(i), otherNext.token(i), otherNext.probability(i))).toList();
    }

    /** The same as a table. */
    public Table top(int k) {
        List<Rank> ranks = ranks(k);
        boolean same = one.name().equals(other.name());
        return Tables.of(text + " …", List.of("rank", one.name(), "p", same ? "the other" : other.name(), "p of the other"),
                IntStream.range(0, k).mapToObj(i -> List.<Object>of(i + 1, ranks.get(i).token, ranks.get(i).p, ranks.get(i).other,
                        ranks.get(i).pOther)).toList());
    }

    /** The logit lens of both, each for its own most probable token. */
    public HeatMap heatmap() {
        return HeatMap.beside(one.lens(text).heatmap(), other.lens(text).heatmap());
    }

    @Override
    public Object view() {
        return top(Math.min(SHOWN, Math.min(one.vocabulary(), other.vocabulary())));
    }
}
