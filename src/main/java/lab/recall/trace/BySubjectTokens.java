package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.SortedMap;
import lab.recall.base.BadRequest;
import lab.recall.view.HeatMap;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * A trace apart for subjects of one token, of two, and so on: is what all of them show that of the short ones alone? Shows itself as a
 * table.
 *
 * <pre>{@code
 * var apart = trace.bySubjectTokens();
 * apart.of(2).heatmap()                                      // subjects of two tokens
 * apart.heatmap(Position.SUBJECT_LAST)                       // rows: how many tokens
 * }</pre>
 */
public final class BySubjectTokens implements Showable {
    private final String title;
    private final SortedMap<Integer, AverageTrace> traces;

    /** @param traces by the number of the subject's tokens, those with a pair that counts */
    BySubjectTokens(String title, SortedMap<Integer, AverageTrace> traces) {
        this.title = title;
        this.traces = traces;
    }

    /** How many tokens subjects have, ascending. */
    public List<Integer> lengths() {
        return List.copyOf(traces.keySet());
    }

    /**
     * The trace over the pairs whose subjects have so many tokens.
     *
     * @throws BadRequest when there is none
     */
    public AverageTrace of(int tokens) {
        if (!traces.containsKey(tokens)) {
            throw new BadRequest("tokens", tokens + ", expected one of " + lengths());
        }
        return traces.get(tokens);
    }

    /** Mean effect at a position by the number of the subject's tokens (row) and layer. */
    public HeatMap heatmap(Position position) {
        return HeatMap.of(title + ", " + position.label(), traces.values().stream().map(t -> t.means(position)).toArray(double[][]::new))
                .rows(traces.entrySet().stream().map(e -> e.getKey() + " (" + e.getValue().at(position, 0).n() + ")").toList())
                .rowAxis("tokens of the subject (pairs)").columns("layer").range(0, 1);
    }

    /** What the subject's last token and the whole subject carry, each at the layer of the former's most, and the hand-over. */
    public Table table() {
        List<List<Object>> rows = new ArrayList<>();
        traces.forEach((n, t) -> {
            int peak = t.peak(Position.SUBJECT_LAST);
            OptionalInt handOver = t.handOverLayer();
            rows.add(List.of(n, t.pairs(), peak, t.most(Position.SUBJECT_LAST).toString(),
                    t.where(Position.SUBJECT_LAST, Position.SUBJECT).toString(),
                    handOver.isPresent() ? String.valueOf(handOver.getAsInt()) : "–"));
        });
        return Tables.of(title + ": by the number of the subject's tokens, means with their 95 % intervals, layers chosen on other pairs",
                List.of("tokens", "pairs", "layer", "subject's last token, at its most", "whole subject there",
                        "prompt's last token carries more from layer"), rows);
    }

    @Override
    public Object view() {
        return table();
    }
}
