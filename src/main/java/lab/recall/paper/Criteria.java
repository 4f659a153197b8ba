package lab.recall.paper;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import lab.recall.base.BadRequest;
import lab.recall.stats.RelativeDepth;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * Which of the shapes that the paper reports a model shows: one row a criterion, with what was found here and in the paper.
 *
 * <pre>{@code
 * Criteria c = EditCriteria.of(curves);
 * c.table(), c.held("D1"), c.held() + " of " + c.size()
 * }</pre>
 */
public final class Criteria implements Showable {
    /** What was found, in words, and whether that is what was expected. */
    record Found(String text, boolean held) {
        /** The largest value in a range of relative depth, expected to be no larger than a bound. */
        static Found atMost(double[] curve, double from, double to, double bound) {
            double most = RelativeDepth.most(curve, from, to);
            return new Found("at most " + number(most), most <= bound);
        }

        /** The largest value in a range, expected to be smaller than a bound. */
        static Found below(double[] curve, double from, double to, double bound) {
            double most = RelativeDepth.most(curve, from, to);
            return new Found("at most " + number(most), most < bound);
        }

        /** The smallest value in a range, expected to be no smaller than a bound. */
        static Found atLeast(double[] curve, double from, double to, double bound) {
            double least = RelativeDepth.least(curve, from, to);
            return new Found("at least " + number(least), least >= bound);
        }
    }

    /**
     * A shape to be looked for.
     *
     * @param id      the paper specification's letter and number
     * @param text    in words
     * @param examine finds it in what was measured, or in what was published
     */
    record Criterion<T>(String id, String text, Function<T, Found> examine) {
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

    /**
     * Examines criteria on what was measured here and on what the paper published, each by the same function.
     *
     * @param title    says what was examined
     * @param evidence how exact the paper's numbers are and where they were read
     */
    static <T> Criteria examined(String title, List<Criterion<T>> criteria, T here, T paper, String evidence) {
        Criteria all = new Criteria(title, List.of(), evidence);
        for (Criterion<T> c : criteria) {
            Found found = c.examine.apply(here);
            Found published = c.examine.apply(paper);
            all = all.add(c.id, c.text, found, published.text + (published.held ? "" : " (not held)"));
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
        more.add(new Row(id, criterion, here.text, here.held, paper));
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
        return Tables.of(title + ": " + held() + " of " + size() + " held; the paper's numbers: " + evidence,
                List.of("", "criterion", "here", "held", "paper"),
                rows.stream().map(r -> List.of(r.id, r.criterion, r.here, r.held ? "held" : "not held", r.paper)).toList());
    }

    @Override
    public Object view() {
        return table();
    }
}
