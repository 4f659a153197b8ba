package lab.recall.view;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import lab.recall.base.BadRequest;
import tech.tablesaw.api.Table;

/**
 * Which of the shapes that the paper reports a model shows: one row a criterion, with what was found here and in the paper.
 *
 * <pre>{@code
 * Criteria.of("tiny-mamba").add("A1", "the subject's last token peaks at 0.4 or more", "0.51 at layer 4", true, "0.58 at layer 34")
 * }</pre>
 */
public final class Criteria implements Showable {
    /** What was found, in words, and whether that is what was expected. */
    public record Found(String text, boolean held) {
    }

    /**
     * A shape to be looked for.
     *
     * @param id      the paper specification's letter and number
     * @param text    in words
     * @param examine finds it in what was measured, or in what was published
     */
    public record Criterion<T>(String id, String text, Function<T, Found> examine) {
    }

    private record Row(String id, String criterion, String here, boolean held, String paper) {
    }

    private final String title;
    private final List<Row> rows;
    private final String evidence;

    private Criteria(String title, List<Row> rows, String evidence) {
        this.title = title;
        this.rows = rows;
        this.evidence = evidence;
    }

    /** None yet; {@code title} says what was examined. */
    public static Criteria of(String title) {
        return new Criteria(title, List.of(), "");
    }

    /** Examines criteria on what was measured here and on what the paper published, each by the same function. */
    public static <T> Criteria examined(String title, List<Criterion<T>> criteria, T here, T paper) {
        Criteria all = of(title);
        for (Criterion<T> c : criteria) {
            Found found = c.examine.apply(here);
            Found published = c.examine.apply(paper);
            all = all.add(c.id, c.text, found.text, found.held, published.text + (published.held ? "" : " (not held)"));
        }
        return all;
    }

    /**
     * These and one more.
     *
     * @param id        the paper specification's letter and number
     * @param criterion in words
     * @param here      what was computed here
     * @param held      whether it holds here
     * @param paper     the published number, or a dash
     */
    public Criteria add(String id, String criterion, String here, boolean held, String paper) {
        List<Row> more = new ArrayList<>(rows);
        more.add(new Row(id, criterion, here, held, paper));
        return new Criteria(title, List.copyOf(more), evidence);
    }

    /** How exact the paper's numbers are and where they were read. */
    public Criteria evidence(String text) {
        return new Criteria(title, rows, text);
    }

    /** How many hold. */
    public long held() {
        return rows.stream().filter(Row::held).count();
    }

    /** How many there are. */
    public int size() {
        return rows.size();
    }

    /**
     * Whether all of a criterion's rows hold.
     *
     * @throws BadRequest when there is none of this name
     */
    public boolean held(String id) {
        List<Row> of = rows.stream().filter(r -> r.id.equals(id)).toList();
        if (of.isEmpty()) {
            throw new BadRequest("", "'" + id + "' is no criterion here");
        }
        return of.stream().allMatch(Row::held);
    }

    /** All criteria. */
    public Table table() {
        return Tables.of(title + ": " + held() + " of " + size() + " held"
                + (evidence.isEmpty() ? "" : "; the paper's numbers: " + evidence),
                List.of("", "criterion", "here", "held", "paper"),
                rows.stream().map(r -> List.of(r.id, r.criterion, r.here, r.held ? "held" : "not held", r.paper)).toList());
    }

    @Override
    public Object view() {
        return table();
    }
}
