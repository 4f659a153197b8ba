package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import lab.recall.base.BadRequest;
import lab.recall.view.HeatMap;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * A trace apart for kinds of its pairs: subjects of one token, of two, and so on, or relations. Is what all of them show that of each
 * kind? Shows itself as a table.
 *
 * <pre>{@code
 * var apart = trace.bySubjectTokens();                       // or trace.byRelation()
 * apart.of("2").heatmap()                                    // subjects of two tokens
 * apart.heatmap(Position.SUBJECT_LAST)                       // rows: how many tokens
 * }</pre>
 */
public final class Strata implements Showable {
    private final String title;
    private final String kind;
    private final Map<String, AverageTrace> traces;

    /**
     * @param kind   what a row is
     * @param traces of each kind, those with a pair that counts, in the order of rows
     */
    Strata(String title, String kind, Map<String, AverageTrace> traces) {
        this.title = title;
        this.kind = kind;
        this.traces = traces;
    }

    /** The rows: numbers of tokens, ascending, or names of relations, in the order of the pairs. */
    public List<String> kinds() {
        return List.copyOf(traces.keySet());
    }

    /**
     * The trace over the pairs of a kind.
     *
     * @throws BadRequest when there is none
     */
    public AverageTrace of(String one) {
        if (!traces.containsKey(one)) {
            throw new BadRequest(kind, one + ", expected one of " + String.join(", ", traces.keySet()));
        }
        return traces.get(one);
    }

    /** Mean effect at a position by kind (row) and layer. */
    public HeatMap heatmap(Position position) {
        return HeatMap.of(title + ", " + position.label(), traces.values().stream().map(t -> t.means(position)).toArray(double[][]::new))
                .rows(traces.entrySet().stream().map(e -> e.getKey() + " (" + e.getValue().at(position, 0).n() + ")").toList())
                .rowAxis(kind + " (pairs)").columns("layer").range(0, 1).measure("mean indirect effect");
    }

    /** What the subject's last token and the whole subject carry, each at the layer of the former's most, and the hand-over. */
    public Table table() {
        List<List<Object>> rows = new ArrayList<>();
        traces.forEach((one, t) -> {
            int peak = t.peak(Position.SUBJECT_LAST);
            OptionalInt handOver = t.handOverLayer();
            rows.add(List.of(one, t.pairs(), peak, t.most(Position.SUBJECT_LAST).toString(),
                    t.where(Position.SUBJECT_LAST, Position.SUBJECT).toString(),
                    handOver.isPresent() ? String.valueOf(handOver.getAsInt()) : "–"));
        });
        return Tables.of(title + ": by " + kind + ", means with their 95 % intervals, layers chosen on other pairs", List.of(kind, "pairs",
                "layer", "subject's last token, at its most", "whole subject there", "prompt's last token carries more from layer"), rows);
    }

    @Override
    public Object view() {
        return table();
    }
}
