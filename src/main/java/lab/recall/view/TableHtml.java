package lab.recall.view;

import java.util.List;
import tech.tablesaw.api.NumericColumn;
import tech.tablesaw.api.Table;
import tech.tablesaw.columns.Column;

/**
 * A table for a page: its first rows, the others folded. A script lets it sort, search and show all of them; where scripts are left out,
 * it is the plain table.
 */
final class TableHtml {
    private static final int MOST_ROWS = 60;
    /** Letters of folded rows: a page must stay one that opens at once. */
    private static final int MOST_FOLDED = 300_000;
    /** An estimate with its interval stays in one line; a sentence does not. */
    private static final int LONGEST_UNBROKEN = 30;
    /** Two rows need no order. */
    private static final int LEAST_SORTED = 3;
    private static final String SCRIPT = Script.element("table.js");

    private TableHtml() {
    }

    static String of(Table t) {
        boolean isPlain = t.rowCount() < LEAST_SORTED;
        StringBuilder b = new StringBuilder(isPlain ? "" : "<div class=\"recall-table\">").append("<table class=\"dataframe\">");
        if (t.name() != null && !t.name().isBlank()) {
            b.append("<caption style=\"text-align:left\">").append(Tables.escape(t.name())).append("</caption>");
        }
        int shown = Math.min(MOST_ROWS, t.rowCount());
        rows(t, 0, shown, Integer.MAX_VALUE, b);
        b.append("</tbody></table>");
        int end = shown;
        if (shown < t.rowCount()) {
            StringBuilder rest = new StringBuilder();
            end = rows(t, shown, t.rowCount(), MOST_FOLDED, rest);
            b.append("<details><summary>").append(end - shown).append(" more rows</summary><table class=\"dataframe\">").append(rest)
                    .append("</tbody></table></details>");
        }
        b.append(isPlain ? "" : "</div>");
        if (end < t.rowCount()) {
            b.append("<p>").append(t.rowCount() - end).append(" rows are left out here; Figures.save(name, table) writes all</p>");
        }
        return b.append(isPlain ? "" : SCRIPT).toString();
    }

    /** The head and some rows; gives the row before which it ended, as there is room for so many letters only. */
    private static int rows(Table t, int from, int to, int most, StringBuilder b) {
        List<Column<?>> columns = t.columns();
        b.append("<thead><tr>");
        columns.forEach(c -> b.append("<th scope=\"col\"").append(align(c, "")).append('>').append(Tables.escape(c.name()))
                .append("</th>"));
        b.append("</tr></thead><tbody>");
        int r = from;
        while (r < to && b.length() < most) {
            b.append("<tr>");
            for (Column<?> c : columns) {
                String cell = Tables.cell(c, r);
                b.append("<td").append(align(c, cell.length() > LONGEST_UNBROKEN || !cell.contains(" ") ? "" : ";white-space:nowrap"))
                        .append('>').append(Tables.escape(cell)).append("</td>");
            }
            b.append("</tr>");
            r++;
        }
        return r;
    }

    private static String align(Column<?> c, String more) {
        return " style=\"text-align:" + (c instanceof NumericColumn ? "right" : "left") + more + "\"";
    }
}
