package lab.recall.view;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.base.Said;
import org.knowm.xchart.internal.chartpart.Chart;
import tech.tablesaw.api.NumericColumn;
import tech.tablesaw.api.StringColumn;
import tech.tablesaw.api.Table;
import tech.tablesaw.columns.Column;

/**
 * Tables and pictures as the bytes of files.
 *
 * <pre>{@code
 * Export.files("averages", trace.byPosition())              // averages.csv, averages.json
 * Export.files("averages", trace.heatmap())                 // averages.png, averages.svg
 * }</pre>
 *
 * JSON has each text as it is. CSV has letters without a shape as escapes, and an apostrophe before a text that a spreadsheet would
 * compute.
 */
public final class Export {
    private static final String FORMULA = "=+-@";

    private Export() {
    }

    /**
     * File names and their bytes: CSV and JSON for a table, coloured tokens or a slider's numbers, PNG and SVG for a chart or heat map.
     *
     * @throws BadRequest for anything else
     */
    public static Map<String, byte[]> files(String name, Object view) {
        Map<String, byte[]> files = new LinkedHashMap<>();
        if (view instanceof Showable s) {
            return files(name, s.view());
        }
        if (view instanceof TokenColours t) {
            return files(name, t.table());
        }
        if (view instanceof Slider s) {
            files.putAll(files(name, s.picture()));
            files.putAll(files(name, s.table()));
            return files;
        }
        if (view instanceof Table t) {
            files.put(name + ".csv", csv(t));
            files.put(name + ".json", json(t));
        } else if (view instanceof HeatMap m) {
            files.put(name + ".png", m.png());
            files.put(name + ".svg", m.svg());
        } else if (view instanceof ChartGrid grid) {
            files.put(name + ".png", grid.png());
            files.put(name + ".svg", grid.svg());
        } else if (view instanceof Chart<?, ?> c) {
            files.put(name + ".png", Charts.png(c));
            files.put(name + ".svg", Svg.of(c.getWidth(), c.getHeight(), List.of(c), g -> c.paint(g, c.getWidth(), c.getHeight())));
        } else {
            throw new BadRequest("", name + ": a " + view.getClass().getSimpleName() + " is neither a table nor a picture");
        }
        return files;
    }

    private static byte[] csv(Table t) {
        Table plain = Table.create(t.name());
        for (Column<?> c : t.columns()) {
            Column<?> cells = c instanceof StringColumn texts ? texts.map(Export::cell) : c.copy();
            plain.addColumns(cells.setName(cell(c.name())));
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        plain.write().csv(out);
        return out.toByteArray();
    }

    /** A text that no program takes for a command to the terminal or for a formula: the latter begin with an apostrophe then. */
    private static String cell(String text) {
        String shown = Said.visible(text);
        return shown.isEmpty() || FORMULA.indexOf(shown.charAt(0)) < 0 ? shown : "'" + shown;
    }

    private static byte[] json(Table t) {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (int r = 0; r < t.rowCount(); r++) {
            Map<String, Object> row = new LinkedHashMap<>();
            for (Column<?> c : t.columns()) {
                Object value = c instanceof NumericColumn ? c.get(r) : c.getString(r);
                row.put(c.name(), value instanceof Double d && !Double.isFinite(d) ? null : value);
            }
            rows.add(row);
        }
        return Json.prettyLine(rows);
    }
}
