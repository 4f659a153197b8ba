package lab.recall.paper;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;
import lab.recall.base.BadRequest;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * Which of the shapes that the paper reports a model shows: one row a criterion, with what was found here and in the paper.
 *
 * <pre>{@code
 * Criteria c = EditCriteria.of(curves);
 * c.table(), c.verdict("D1"), c.count(Verdict.HELD) + " of " + c.size()
 * }</pre>
 *
 * A criterion is held if its 95 % interval lies beyond the bound, not held if it lies before it, and undecided otherwise. Bounds are
 * shares of what the paper has, and ours; many are looked at together, and nothing corrects for that.
 */
public final class Criteria implements Showable {
    /**
     * A shape to be looked for.
     *
     * @param id      the paper specification's letter and number
     * @param text    in words
     * @param examine finds it in what was measured, or in what was published, by bounds that come from the latter
     */
    record Criterion<T>(String id, String text, BiFunction<T, T, Found> examine) {
    }

    private record Row(String id, String criterion, String here, Verdict verdict, String paper) {
    }

    private final String title;
    private final List<Row> rows;
    private final String evidence;

    private Criteria(String title, List<Row> rows, String evidence) {
        this.title = title;
        this.rows = rows;
        this.evidence = evidence;
    }

    /**
     * Examines criteria on what was measured here and on what the paper published, each by the same function.
     *
     * @param title    says what was examined
     * @param evidence how exact the paper's numbers are and where they were read
     */
    static <T> Criteria examined(String title, List<Criterion<T>> criteria, T here, T paper, String evidence) {
        Criteria all = new Criteria(title, List.of(), evidence);
        for (Criterion<T> c : criteria) {
            Found found = c.examine.apply(here, paper);
            Found published = c.examine.apply(paper, paper);
            all = all.add(c.id, c.text, found, published.text()
                    + (published.verdict() == Verdict.HELD ? "" : " (" + published.verdict().label() + ")"));
        }
        return all;
    }

    /**
     * These and one more.
     *
     * @param id        the paper specification's letter and number
     * @param criterion in words
     * @param here      what was found here
     * @param paper     what was published, or a dash
     */
    Criteria add(String id, String criterion, Found here, String paper) {
        List<Row> more = new ArrayList<>(rows);
        more.add(new Row(id, criterion, here.text(), here.verdict(), paper));
        return new Criteria(title, List.copyOf(more), evidence);
    }

    /** A number as criteria say it. */
    static String number(double v) {
        return number(v, 2);
    }

    /** The same with other decimals; what is rounded to 0 has no sign. */
    static String number(double v, int decimals) {
        String text = String.format(Locale.ROOT, "%." + decimals + "f", v);
        return text.matches("-0\\.0+") ? text.substring(1) : text;
    }

    /** How many have a verdict. */
    public long count(Verdict verdict) {
        return rows.stream().filter(r -> r.verdict == verdict).count();
    }

    /** How many there are. */
    public int size() {
        return rows.size();
    }

    /**
     * Of all of a criterion's rows: held if each is.
     *
     * @throws BadRequest when there is none of this name
     */
    public Verdict verdict(String id) {
        return rows.stream().filter(r -> r.id.equals(id)).map(Row::verdict).reduce(Verdict::and)
                .orElseThrow(() -> new BadRequest("", "'" + id + "' is no criterion here"));
    }

    /** In one sentence: how many were held, undecided, not held and not testable. */
    public String summary() {
        List<String> counts = new ArrayList<>();
        for (Verdict v : Verdict.values()) {
            if (v == Verdict.HELD || count(v) > 0) {
                counts.add(count(v) + (v == Verdict.HELD ? " of " + size() : "") + " " + v.label());
            }
        }
        return title + ": " + String.join(", ", counts);
    }

    /** All criteria. */
    public Table table() {
        return Tables.of(summary() + "; " + Found.OURS + "; the paper's numbers: " + evidence,
                List.of("", "criterion", "here", "verdict", "paper"),
                rows.stream().map(r -> List.of(r.id, r.criterion, r.here, r.verdict.label(), r.paper)).toList());
    }

    @Override
    public Object view() {
        return table();
    }
}
