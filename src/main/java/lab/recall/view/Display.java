package lab.recall.view;

import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.base.Said;
import org.knowm.xchart.internal.chartpart.Chart;
import org.nd4j.linalg.api.ndarray.INDArray;
import tech.tablesaw.api.Table;

/** What each kind of object looks like in a notebook: the one place that decides, for both kernels. */
final class Display {
    static final String HTML = "text/html";
    static final String PNG = "image/png";
    static final String TEXT = "text/plain";
    /** What the kernels are told about; an interface or base class stands for all below it. */
    static final Class<?>[] TYPES = {Showable.class, Table.class, Chart.class, ChartGrid.class, HeatMap.class, Slider.class,
        TokenColours.class, INDArray.class, float[].class, double[].class,
        int[].class, long[].class, float[][].class, double[][].class, int[][].class, long[][].class,
        ProgressBar.State.class};
    private static final int MOST_NUMBERS = 40;
    private static final int MOST_ROWS = 20;
    private static final int MOST_COLUMNS = 12;

    /** A picture or text with its type, and the picture alone where the text holds one, or nothing; PNG is in base 64. */
    record Shown(String mime, String data, String png) {
        Shown(String mime, String data) {
            this(mime, data, "");
        }
    }

    private Display() {
    }

    /** All forms by type, for a kernel to send: who shows no HTML, such as an export to PDF, takes the picture or the text. */
    static Map<String, String> forms(Object o) {
        Map<String, String> forms = new LinkedHashMap<>();
        Shown shown = of(o);
        forms.put(TEXT, text(o));
        forms.put(shown.mime, shown.data);
        if (!shown.png.isEmpty()) {
            forms.put(PNG, shown.png);
        }
        return forms;
    }

    static Shown of(Object o) {
        if (o instanceof Showable s) {
            return of(s.view());
        }
        if (o instanceof Table t) {
            return new Shown(HTML, Tables.html(t));
        }
        if (o instanceof ProgressBar.State p) {
            return new Shown(HTML, p.html());
        }
        if (o instanceof HeatMap m) {
            byte[] png = m.png();
            return new Shown(HTML, m.html(png), Base64.getMimeEncoder().encodeToString(png));
        }
        if (o instanceof Slider s) {
            byte[] png = s.picture().png();
            return new Shown(HTML, s.html(png), Base64.getMimeEncoder().encodeToString(png));
        }
        if (o instanceof TokenColours t) {
            return new Shown(HTML, t.html());
        }
        if (o instanceof Chart<?, ?> c) {
            return picture(Charts.png(c), c.getWidth(), c.getTitle());
        }
        if (o instanceof ChartGrid grid) {
            return picture(grid.png(), grid.width(), grid.title());
        }
        if (o instanceof INDArray a) {
            return a.rank() == 2 && a.size(0) > 1 && a.length() <= 1 << 20
                    ? of(HeatMap.signed(shape(a), a.toDoubleMatrix()).rowAxis("row").columns("column"))
                    : new Shown(TEXT, shape(a) + "\n" + a);
        }
        if (o instanceof Object[] rows && isNumbers(o.getClass().getComponentType())) {
            return new Shown(HTML, Tables.html(matrix(rows)));
        }
        if (o != null && isNumbers(o.getClass())) {
            return new Shown(TEXT, numbers(o));
        }
        return new Shown(TEXT, String.valueOf(o));
    }

    /** A picture that is shown at half its size: its text is sharp on every screen. */
    private static Shown picture(byte[] png, int width, String title) {
        return new Shown(HTML, "<img width=\"" + width + "\" alt=\"Chart: " + Tables.escape(title) + "\" src=\"data:image/png;base64,"
                + Base64.getEncoder().encodeToString(png) + "\">", Base64.getMimeEncoder().encodeToString(png));
    }

    /** The same as text, for a terminal. */
    static String text(Object o) {
        return o instanceof Showable s ? text(s.view())
                : o instanceof Table t ? Tables.text(t)
                : o instanceof Slider s ? s.text()
                : o instanceof TokenColours t ? t.text()
                : o instanceof HeatMap m ? "[picture: " + m.title() + "]"
                : o instanceof Chart<?, ?> c ? "[picture: " + Said.visible(c.getTitle()) + "]"
                : o instanceof ChartGrid grid ? "[picture: " + Said.visible(grid.title()) + "]"
                : o instanceof INDArray a ? shape(a) : o instanceof ProgressBar.State p ? p.text()
                : o instanceof Object[] rows && isNumbers(o.getClass().getComponentType()) ? Tables.text(matrix(rows)) : of(o).data();
    }

    private static String shape(INDArray a) {
        return "array " + Arrays.toString(a.shape());
    }

    private static boolean isNumbers(Class<?> type) {
        return type == float[].class || type == double[].class || type == int[].class || type == long[].class;
    }

    /** {@code float[3] 0.1 0.2 0.3} */
    private static String numbers(Object array) {
        int n = Array.getLength(array);
        StringBuilder b = new StringBuilder(array.getClass().getComponentType() + "[" + n + "]");
        for (int i = 0; i < Math.min(MOST_NUMBERS, n); i++) {
            Object number = Array.get(array, i);
            b.append(' ').append(number instanceof Float || number instanceof Double
                    ? String.format(Locale.ROOT, "%.4g", ((Number) number).doubleValue()) : number);
        }
        return b.append(n > MOST_NUMBERS ? " …" : "").toString();
    }

    private static String cell(Object number) {
        return number instanceof Integer || number instanceof Long ? String.valueOf(number)
                : Tables.number(((Number) number).doubleValue());
    }

    /** The upper left corner of a matrix, named after its type and size; rows may differ in length. */
    private static Table matrix(Object[] rows) {
        int[] widths = Arrays.stream(rows).mapToInt(r -> r == null ? 0 : Array.getLength(r)).toArray();
        int widest = Arrays.stream(widths).max().orElse(0);
        boolean isRagged = Arrays.stream(widths).anyMatch(w -> w != widest);
        int columns = Math.min(MOST_COLUMNS, widest);
        List<String> names = new ArrayList<>(List.of("row"));
        IntStream.range(0, columns).forEach(c -> names.add(String.valueOf(c)));
        if (columns < widest) {
            names.add("…");
        }
        List<List<String>> cells = new ArrayList<>();
        for (int r = 0; r < Math.min(MOST_ROWS, rows.length); r++) {
            List<String> row = new ArrayList<>(List.of(String.valueOf(r)));
            for (int c = 0; c < columns; c++) {
                row.add(c < widths[r] ? cell(Array.get(rows[r], c)) : "");
            }
            if (columns < widest) {
                row.add(columns < widths[r] ? "…" : "");
            }
            cells.add(row);
        }
        if (rows.length > MOST_ROWS) {
            cells.add(names.stream().map(n -> "…").toList());
        }
        String type = rows.getClass().getComponentType().getComponentType().getName();
        return Tables.of(type + "[" + rows.length + "][" + (isRagged ? "up to " : "") + widest + "]", names, cells);
    }
}
