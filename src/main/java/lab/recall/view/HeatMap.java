package lab.recall.view;

import java.awt.Color;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Said;

/**
 * A matrix as a picture: named rows, numbered columns, a colour bar; several side by side share one range, each in its own colours.
 *
 * <pre>{@code
 * HeatMap.of("tiny-mamba", effect).rows(tokens).columns("layer").colours(HeatMap.Colours.PURPLES).range(0, 1).measure("indirect effect")
 * HeatMap.of("o − s − g", difference).centred()              // white at 0, as far to both sides as the numbers reach
 * HeatMap.beside(mamba, neox)
 * }</pre>
 *
 * Where cells are few and wide enough, their numbers stand in them. Cells that are NaN are hatched: there was nothing to average. Drawn by
 * Java2D, to PNG and SVG from the same code: XChart's heat map has neither hatched cells nor a shared range over several maps.
 */
public final class HeatMap {
    /** Colour scales; the sequential ones start at white. */
    public enum Colours {
        PURPLES(0xffffff, 0x9e9ac8, 0x3f007d), REDS(0xffffff, 0xfb6a4a, 0x67000d), GREENS(0xffffff, 0x74c476, 0x00441b),
        BLUES(0xffffff, 0x6baed6, 0x08306b), GREYS(0xffffff, 0x969696, 0x000000),
        /** Blue below the middle of the range, red above. */
        DIVERGING(0x2166ac, 0xf7f7f7, 0xb2182b);

        private final int[] stops;

        Colours(int... stops) {
            this.stops = stops;
        }

        /** From the first colour at 0 to the last at 1. */
        Color at(double share) {
            double u = Math.min(1, Math.max(0, share)) * (stops.length - 1);
            int i = (int) Math.min(stops.length - 2, Math.floor(u));
            int rgb = 0;
            for (int shift = 0; shift <= 16; shift += 8) {
                int a = stops[i] >> shift & 0xff;
                int b = stops[i + 1] >> shift & 0xff;
                rgb |= (int) Math.round(a + (b - a) * (u - i)) << shift;
            }
            return new Color(rgb);
        }

        /** The colours that all others lie between, as pages write them. */
        List<String> stops() {
            return Arrays.stream(stops).mapToObj(Colours::css).toList();
        }

        /** The ink that is read best on a ground. */
        static Color ink(Color ground) {
            return 0.299 * ground.getRed() + 0.587 * ground.getGreen() + 0.114 * ground.getBlue() < 140 ? Color.WHITE : Charts.INK;
        }

        /** A colour as pages write it. */
        static String css(int rgb) {
            return String.format(Locale.ROOT, "#%06x", rgb & 0xffffff);
        }
    }

    private String title;
    private final double[][] values;
    private List<String> rows = List.of();
    private String rowAxis = "";
    private String columnAxis = "";
    private List<String> columns = List.of();
    private Colours colours = Colours.PURPLES;
    private double low = Double.NaN;
    private double high = Double.NaN;
    private String measure = "";
    private int apart;
    private boolean hasNumbers = true;
    private CellText hover;
    /** The maps of one picture; empty for this one alone. */
    private List<HeatMap> beside = List.of();

    private HeatMap(String title, double[][] values) {
        this.title = Said.visible(title);           // a letter without a shape is none that SVG may hold
        this.values = values;
    }

    /** A map is never changed: what is set is set in a copy. */
    private HeatMap copy() {
        HeatMap m = new HeatMap(title, values);
        m.rows = rows;
        m.rowAxis = rowAxis;
        m.columnAxis = columnAxis;
        m.columns = columns;
        m.colours = colours;
        m.low = low;
        m.high = high;
        m.measure = measure;
        m.apart = apart;
        m.hasNumbers = hasNumbers;
        m.hover = hover;
        m.beside = beside;
        return m;
    }

    /**
     * A map of a matrix, [rows][columns].
     *
     * @throws BadRequest when there is no row or no column, or when rows differ in length
     */
    public static HeatMap of(String title, double[][] values) {
        if (values.length == 0 || values[0].length == 0) {
            throw new BadRequest("", "a heat map needs at least one row and one column");
        }
        for (int r = 1; r < values.length; r++) {
            if (values[r].length != values[0].length) {
                throw new BadRequest("", "row " + r + " of a heat map has " + values[r].length + " columns, expected " + values[0].length
                        + " as in row 0");
            }
        }
        return new HeatMap(title, Arrays.stream(values).map(double[]::clone).toArray(double[][]::new));
    }

    /**
     * A map of a matrix whose numbers may be negative: then blue below 0, red above, white at 0.
     *
     * @throws BadRequest when there is no row or no column
     */
    public static HeatMap signed(String title, double[][] values) {
        HeatMap map = of(title, values);
        return range(map.panels())[0] < 0 ? map.centred() : map;
    }

    /**
     * How many things have each pair of two whole numbers, such as layers: the first in columns, the second in rows, the largest on top.
     * Equal points of a scatter would hide each other.
     *
     * @throws BadRequest when there is nothing, not as many of both, or a number below 0
     */
    public static HeatMap counts(String title, String across, int[] columns, String up, int[] rows) {
        if (columns.length == 0 || columns.length != rows.length || IntStream.concat(IntStream.of(columns), IntStream.of(rows)).min()
                .getAsInt() < 0) {
            throw new BadRequest("", columns.length + " and " + rows.length + " numbers to count, expected as many of both, from 0 on");
        }
        int most = IntStream.of(rows).max().getAsInt();
        double[][] counts = new double[most + 1][IntStream.of(columns).max().getAsInt() + 1];
        for (int i = 0; i < columns.length; i++) {
            counts[most - rows[i]][columns[i]]++;
        }
        return of(title, counts).rows(IntStream.rangeClosed(0, most).mapToObj(r -> String.valueOf(most - r)).toList()).rowAxis(up)
                .columns(across).measure("how many");
    }

    /** Several maps in one picture, each in its own colours, with the range of the first. */
    public static HeatMap beside(HeatMap... maps) {
        HeatMap all = new HeatMap(maps[0].title, maps[0].values);
        all.low = maps[0].low;
        all.high = maps[0].high;
        all.measure = maps[0].measure;
        all.beside = List.of(maps);
        return all;
    }

    private static List<String> named(String what, List<String> names, int count) {
        if (names.size() != count) {
            throw new BadRequest("", names.size() + " names for " + count + " " + what + " of a heat map, expected " + count);
        }
        return names.stream().map(Said::visible).toList();
    }

    /** With another title. */
    public HeatMap titled(String words) {
        HeatMap m = copy();
        m.title = Said.visible(words);
        return m;
    }

    /**
     * Names of the rows, first on top.
     *
     * @throws BadRequest unless there is one for each row
     */
    public HeatMap rows(List<String> names) {
        HeatMap m = copy();
        m.rows = named("rows", names, values.length);
        return m;
    }

    /** What the rows are. */
    public HeatMap rowAxis(String name) {
        HeatMap m = copy();
        m.rowAxis = Said.visible(name);
        return m;
    }

    /**
     * The last so many rows stand apart from those above, since they are of another kind.
     *
     * @throws BadRequest unless others stay above them
     */
    public HeatMap apart(int last) {
        HeatMap m = copy();
        m.apart = Check.whole("rows apart", last, 0, values.length - 1);
        return m;
    }

    /** What the columns are; they are numbered from 0. */
    public HeatMap columns(String name) {
        HeatMap m = copy();
        m.columnAxis = Said.visible(name);
        return m;
    }

    /**
     * What the columns are, with names of their own.
     *
     * @throws BadRequest unless there is one for each column
     */
    public HeatMap columns(String name, List<String> names) {
        HeatMap m = columns(name);
        m.columns = named("columns", names, values[0].length);
        return m;
    }

    /** The colour scale. */
    public HeatMap colours(Colours scale) {
        HeatMap m = copy();
        m.colours = scale;
        return m;
    }

    /** The values at the ends of the scale; without it, those of the matrix. */
    public HeatMap range(double from, double to) {
        HeatMap m = copy();
        m.low = from;
        m.high = to;
        return m;
    }

    /** Blue below 0, red above, white at 0, and as far to both sides as the values reach. */
    public HeatMap centred() {
        double[] range = range(panels());
        double most = Math.max(Math.abs(range[0]), Math.abs(range[1]));
        return colours(Colours.DIVERGING).range(most == 0 ? -1 : -most, most == 0 ? 1 : most);
    }

    /** What the numbers are, beside the colour bar. */
    public HeatMap measure(String words) {
        HeatMap m = copy();
        m.measure = Said.visible(words);
        return m;
    }

    /** What a cell says when it is pointed at, instead of its number; its row and column stand before it. */
    public HeatMap hover(CellText text) {
        HeatMap m = copy();
        m.hover = text;
        return m;
    }

    /** The text of a cell. */
    public interface CellText {
        /** Of a row and a column, counted from 0. */
        String at(int row, int column);
    }

    /** A picture for a page, whose cells say their numbers when they are pointed at: without scripts, so that it may be exported. */
    String html(byte[] png) {
        return HoverMap.html(picture(), png);
    }

    /** What a cell says: its row and column as they are called, its number. */
    String said(int row, int column) {
        return place(row, column) + ": " + (hover == null
                ? Double.isNaN(values[row][column]) ? "nothing to average" : Tables.number(values[row][column])
                : Said.visible(hover.at(row, column)));
    }

    /** A cell's row and column as they are called. */
    String place(int row, int column) {
        return row(row) + ", " + (columnAxis.isEmpty() ? "column" : columnAxis) + " " + column(column);
    }

    String row(int row) {
        return rows.isEmpty() ? rowAxis.isEmpty() ? "row " + row : rowAxis + " " + row : rows.get(row);
    }

    String column(int column) {
        return columns.isEmpty() ? String.valueOf(column) : columns.get(column);
    }

    /** Where the largest number is, [row, column]; nothing where none is finite. */
    Optional<int[]> largest() {
        double most = Double.NEGATIVE_INFINITY;
        int[] at = null;
        for (int r = 0; r < values.length; r++) {
            for (int c = 0; c < values[r].length; c++) {
                if (Double.isFinite(values[r][c]) && values[r][c] > most) {
                    most = values[r][c];
                    at = new int[] {r, c};
                }
            }
        }
        return Optional.ofNullable(at);
    }

    /** The same under another title, all rows together and no numbers in the cells: one of several whose cells alone are painted anew. */
    HeatMap frame(String name) {
        HeatMap m = titled(name);
        m.apart = 0;
        m.hasNumbers = false;
        return m;
    }

    boolean hasNumbers() {
        return hasNumbers;
    }

    double[][] values() {
        return values;
    }

    String ownTitle() {
        return title;
    }

    List<String> rowNames() {
        return rows;
    }

    String rowAxis() {
        return rowAxis;
    }

    String columnAxis() {
        return columnAxis;
    }

    List<String> columnNames() {
        return columns;
    }

    String measure() {
        return measure;
    }

    Colours colours() {
        return colours;
    }

    /** Rows above those that stand apart. */
    int together() {
        return values.length - apart;
    }

    /** The maps of this picture: itself, or those beside each other. */
    List<HeatMap> panels() {
        return beside.isEmpty() ? List.of(this) : beside;
    }

    /** The values at the ends of the colour bar. */
    double[] ends() {
        return ends(panels());
    }

    /** Those of several maps that stand side by side or follow each other: as this map says them, else so that they hold all. */
    double[] ends(List<HeatMap> maps) {
        double[] found = range(maps);
        return new double[] {Double.isNaN(low) ? found[0] : low, Double.isNaN(high) ? found[1] : high};
    }

    HeatMapPicture picture() {
        return new HeatMapPicture(this);
    }

    /** PNG, at twice the size for sharp text. */
    public byte[] png() {
        return picture().png();
    }

    /** SVG. */
    public byte[] svg() {
        return picture().svg();
    }

    /** What is shown; of maps side by side, all of them. */
    public String title() {
        return panels().stream().map(m -> m.title).collect(Collectors.joining(" | "));
    }

    /** Width of the picture on a page, in pixels. */
    public int width() {
        return picture().width();
    }

    private static double[] range(List<HeatMap> maps) {
        double least = Double.POSITIVE_INFINITY;
        double most = Double.NEGATIVE_INFINITY;
        for (HeatMap m : maps) {
            for (double[] row : m.values) {
                for (double v : row) {
                    if (Double.isFinite(v)) {           // an infinite one has the colour of the end
                        least = Math.min(least, v);
                        most = Math.max(most, v);
                    }
                }
            }
        }
        return least > most ? new double[] {0, 1} : new double[] {least, most};
    }
}
