package lab.recall.view;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import lab.recall.base.Said;
import tech.tablesaw.api.DoubleColumn;
import tech.tablesaw.api.IntColumn;
import tech.tablesaw.api.LongColumn;
import tech.tablesaw.api.NumericColumn;
import tech.tablesaw.api.StringColumn;
import tech.tablesaw.api.Table;
import tech.tablesaw.columns.Column;

/**
 * Tables from rows, and tables as HTML or text; letters of a cell without a shape are shown as escapes.
 *
 * <pre>{@code
 * Table t = Tables.of("next token", List.of("token", "p"), List.of(List.of("Paris", 0.93), List.of("Lyon", 0.02)));
 * System.out.println(Tables.text(t));
 * }</pre>
 */
public final class Tables {
    private Tables() {
    }

    /** A table of rows; a column of numbers stays one, everything else becomes text. */
    public static Table of(String title, List<String> columns, List<? extends List<?>> rows) {
        Table table = Table.create(title);
        for (int c = 0; c < columns.size(); c++) {
            int column = c;
            List<?> values = rows.stream().map(r -> (Object) r.get(column)).toList();
            table.addColumns(column(columns.get(c), values));
        }
        return table;
    }

    /**
     * A row for each of some things, with a column for each layer.
     *
     * @param columns names of those before the layers
     * @param before  cells of a row before its layers
     * @param cell    of a row at a layer
     */
    public static <X> Table byLayer(String title, List<String> columns, int layers, Collection<X> things,
            Function<X, List<?>> before, BiFunction<X, Integer, ?> cell) {
        List<String> all = new ArrayList<>(columns);
        IntStream.range(0, layers).forEach(l -> all.add("layer " + l));
        return of(title, all, things.stream().map(x -> Stream.concat(before.apply(x).stream(),
                IntStream.range(0, layers).mapToObj(l -> cell.apply(x, l))).toList()).toList());
    }

    private static Column<?> column(String name, List<?> values) {
        if (!values.isEmpty() && values.stream().allMatch(v -> v instanceof Integer)) {
            return IntColumn.create(name, values.stream().mapToInt(v -> (Integer) v).toArray());
        }
        if (!values.isEmpty() && values.stream().allMatch(v -> v instanceof Integer || v instanceof Long)) {
            return LongColumn.create(name, values.stream().mapToLong(v -> ((Number) v).longValue()).toArray());
        }
        if (!values.isEmpty() && values.stream().allMatch(v -> v instanceof Number)) {
            return DoubleColumn.create(name, values.stream().mapToDouble(v -> ((Number) v).doubleValue()).toArray());
        }
        return StringColumn.create(name, values.stream().map(String::valueOf).toList());
    }

    /** A number as people read it: at most four decimals, small ones with an exponent, a dash for none. */
    public static String number(double v) {
        if (Double.isNaN(v)) {
            return "–";
        }
        if (v == Math.rint(v) && Math.abs(v) < 1e9) {
            return String.valueOf((long) v);
        }
        return Math.abs(v) < 1e-4 ? String.format(Locale.ROOT, "%.1e", v) : String.format(Locale.ROOT, "%.4f", v);
    }

    /**
     * A table for a page, which sorts, searches and shows all its rows where scripts are run, and is plain elsewhere: its first sixty rows,
     * the others folded.
     */
    public static String html(Table t) {
        return TableHtml.of(t);
    }

    /** A table for a terminal, columns aligned. */
    public static String text(Table t) {
        List<List<String>> cells = t.columns().stream()
                .map(c -> IntStream.range(0, t.rowCount()).mapToObj(r -> cell(c, r)).toList()).toList();
        return text(t.columnNames().stream().map(Said::visible).toList(), cells, c -> t.column(c) instanceof NumericColumn);
    }

    /** The same of rows, without the tables' library, which needs a second to be loaded. */
    public static String text(List<String> columns, List<? extends List<?>> rows) {
        List<List<String>> cells = IntStream.range(0, columns.size())
                .mapToObj(c -> rows.stream().map(r -> cell(r.get(c))).toList()).toList();
        return text(columns, cells, c -> rows.stream().allMatch(r -> r.get(c) instanceof Number));
    }

    private static String text(List<String> columns, List<List<String>> cells, IntPredicate isNumeric) {
        StringBuilder b = new StringBuilder();
        for (int r = -1; r < cells.get(0).size(); r++) {
            StringBuilder line = new StringBuilder();
            for (int c = 0; c < columns.size(); c++) {
                int widest = cells.get(c).stream().mapToInt(String::length).max().orElse(0);
                String cell = r < 0 ? columns.get(c) : cells.get(c).get(r);
                String blank = " ".repeat(Math.max(columns.get(c).length(), widest) - cell.length());
                line.append(c == 0 ? "" : "  ").append(isNumeric.test(c) ? blank + cell : cell + blank);
            }
            b.append(line.toString().stripTrailing()).append('\n');
        }
        return b.toString();
    }

    private static String cell(Object value) {
        return value instanceof Double d ? number(d) : Said.visible(String.valueOf(value));
    }

    static String cell(Column<?> c, int row) {
        if (c instanceof DoubleColumn d) {
            return number(d.getDouble(row));
        }
        return c instanceof NumericColumn && !c.isMissing(row) ? String.valueOf(c.get(row))     // digits of no locale
                : Said.visible(c.getString(row));
    }

    /** A text for a page. */
    public static String escape(String s) {
        return Said.visible(s).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
