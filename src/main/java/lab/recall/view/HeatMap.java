package lab.recall.view;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import lab.recall.base.BadRequest;
import lab.recall.base.Said;

/**
 * A matrix as a picture: named rows, numbered columns, a colour bar; several side by side share one range.
 *
 * <pre>{@code
 * HeatMap.of("indirect effect", effect).rows(tokens).columns("layer").colours(HeatMap.Colours.PURPLES).range(0, 1)
 * HeatMap.beside(mamba, neox)
 * }</pre>
 *
 * Cells that are NaN are hatched: there was nothing to average. Drawn by Java2D, to PNG and SVG from the same code: XChart's heat map has
 * neither hatched cells nor a shared range over several maps.
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

        /** A colour as pages write it. */
        static String css(int rgb) {
            return String.format(Locale.ROOT, "#%06x", rgb & 0xffffff);
        }
    }

    private static final Font PLAIN = new Font(Font.SANS_SERIF, Font.PLAIN, 13);
    private static final Font BOLD = PLAIN.deriveFont(Font.BOLD, 14f);
    private static final Color INK = new Color(0x222222);
    private static final int SCALE = 2;
    private static final int TOP = 34;
    private static final int BOTTOM = 46;
    private static final int GAP = 14;
    private static final int BAR = 70;

    private final String title;
    private final double[][] values;
    private final List<String> rows;
    private final String rowAxis;
    private final String columnAxis;
    private final List<String> columns;
    private final Colours colours;
    private final double low;
    private final double high;
    private final CellText hover;
    private final List<HeatMap> panels;

    /** @param beside the maps of one picture; empty for this one alone */
    private HeatMap(String title, double[][] values, List<String> rows, String rowAxis, String columnAxis, List<String> columns,
            Colours colours, double low, double high, CellText hover, List<HeatMap> beside) {
        this.title = Said.visible(title);           // a letter without a shape is none that SVG may hold
        this.values = values;
        this.rows = rows.stream().map(Said::visible).toList();
        this.rowAxis = Said.visible(rowAxis);
        this.columnAxis = Said.visible(columnAxis);
        this.columns = columns.stream().map(Said::visible).toList();
        this.colours = colours;
        this.low = low;
        this.high = high;
        this.hover = hover;
        this.panels = beside.isEmpty() ? List.of(this) : beside;
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
        return new HeatMap(title, Arrays.stream(values).map(double[]::clone).toArray(double[][]::new), List.of(), "", "", List.of(),
                Colours.PURPLES, Double.NaN, Double.NaN, null, List.of());
    }

    /**
     * A map of a matrix whose numbers may be negative: then blue below 0, red above, white at 0.
     *
     * @throws BadRequest when there is no row or no column
     */
    public static HeatMap signed(String title, double[][] values) {
        HeatMap map = of(title, values);
        double[] range = range(map.panels);
        double most = Math.max(-range[0], range[1]);
        return range[0] < 0 ? map.colours(Colours.DIVERGING).range(-most, most) : map;
    }

    /** Several maps in one picture, with the range and the colours of the first. */
    public static HeatMap beside(HeatMap... maps) {
        HeatMap first = maps[0];
        List<HeatMap> all = List.of(maps);
        double[] range = range(all);
        return new HeatMap(first.title, first.values, List.of(), "", "", List.of(), first.colours,
                Double.isNaN(first.low) ? range[0] : first.low, Double.isNaN(first.high) ? range[1] : first.high, null, all);
    }

    /** Several maps drawn together keep their own settings. */
    private List<HeatMap> beside() {
        return panels.get(0) == this ? List.of() : panels;
    }

    private static void named(String what, List<String> names, int count) {
        if (names.size() != count) {
            throw new BadRequest("", names.size() + " names for " + count + " " + what + " of a heat map, expected " + count);
        }
    }

    /**
     * Names of the rows, first on top.
     *
     * @throws BadRequest unless there is one for each row
     */
    public HeatMap rows(List<String> names) {
        named("rows", names, values.length);
        return new HeatMap(title, values, names, rowAxis, columnAxis, columns, colours, low, high, hover, beside());
    }

    /** The same under another title. */
    HeatMap titled(String name) {
        return new HeatMap(name, values, rows, rowAxis, columnAxis, columns, colours, low, high, hover, beside());
    }

    /** What the rows are. */
    public HeatMap rowAxis(String name) {
        return new HeatMap(title, values, rows, name, columnAxis, columns, colours, low, high, hover, beside());
    }

    /** What the columns are; they are numbered from 0. */
    public HeatMap columns(String name) {
        return new HeatMap(title, values, rows, rowAxis, name, columns, colours, low, high, hover, beside());
    }

    /**
     * What the columns are, with names of their own.
     *
     * @throws BadRequest unless there is one for each column
     */
    public HeatMap columns(String name, List<String> names) {
        named("columns", names, values[0].length);
        return new HeatMap(title, values, rows, rowAxis, name, names, colours, low, high, hover, beside());
    }

    /** The colour scale. */
    public HeatMap colours(Colours scale) {
        return new HeatMap(title, values, rows, rowAxis, columnAxis, columns, scale, low, high, hover, beside());
    }

    /** The values at the ends of the scale; without it, those of the matrix. */
    public HeatMap range(double from, double to) {
        return new HeatMap(title, values, rows, rowAxis, columnAxis, columns, colours, from, to, hover, beside());
    }

    /** What a cell says when it is pointed at, instead of its number; its row and column stand before it. */
    public HeatMap hover(CellText text) {
        return new HeatMap(title, values, rows, rowAxis, columnAxis, columns, colours, low, high, text, beside());
    }

    /** The text of a cell. */
    public interface CellText {
        /** Of a row and a column, counted from 0. */
        String at(int row, int column);
    }

    /** A picture for a page, whose cells say their numbers when they are pointed at: without scripts, so that it may be exported. */
    String html(byte[] png) {
        return HoverMap.html(layout(), png);
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

    /** How many maps stand side by side. */
    int panels() {
        return panels.size();
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

    Colours scale() {
        return colours;
    }

    /** The values at the ends of this map's scale; of several maps one after another, the ends that hold all. */
    static double[] ends(List<HeatMap> maps) {
        HeatMap first = maps.get(0);
        double[] found = range(maps);
        return new double[] {Double.isNaN(first.low) ? found[0] : first.low, Double.isNaN(first.high) ? found[1] : first.high};
    }

    double[][] values() {
        return values;
    }

    String ownTitle() {
        return title;
    }

    /** PNG, at twice the size for sharp text. */
    public byte[] png() {
        Layout at = layout();
        BufferedImage image = new BufferedImage(at.width * SCALE, at.height * SCALE, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.scale(SCALE, SCALE);
        draw(g, at);
        g.dispose();
        return Png.of(image);
    }

    /** SVG. */
    public byte[] svg() {
        Layout at = layout();
        return Svg.of(at.width, at.height, g -> draw(g, at));
    }

    /** What is shown; of maps side by side, all of them. */
    public String title() {
        return panels.stream().map(m -> m.title).collect(Collectors.joining(" | "));
    }

    /** Width of the picture on a page, in pixels. */
    public int width() {
        return layout().width;
    }

    record Panel(HeatMap map, int left, int top, int cellWidth, int cellHeight) {
    }

    record Layout(int width, int height, List<Panel> panels) {
    }

    Layout layout() {
        Graphics2D g = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
        g.setFont(PLAIN);
        int x = GAP;
        int tallest = 0;
        List<Panel> at = new ArrayList<>();
        for (HeatMap m : panels) {
            int labels = 0;
            for (String r : m.rows) {
                labels = Math.max(labels, g.getFontMetrics().stringWidth(r) + 8);
            }
            if (!m.rowAxis.isEmpty()) {
                labels += 20;
            }
            int room = panels.size() == 1 ? 620 : 340;
            int cellWidth = Math.max(4, Math.min(46, room / m.values[0].length));
            int cellHeight = Math.max(3, Math.min(24, 560 / m.values.length));
            at.add(new Panel(m, x + labels, TOP, cellWidth, cellHeight));
            int titleWidth = g.getFontMetrics(BOLD).stringWidth(m.title);
            x += labels + Math.max(cellWidth * m.values[0].length, titleWidth) + GAP + 6;
            tallest = Math.max(tallest, cellHeight * m.values.length);
        }
        g.dispose();
        return new Layout(x + BAR, TOP + Math.max(tallest, 110) + BOTTOM, at);
    }

    private void draw(Graphics2D g, Layout at) {
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, at.width, at.height);
        double[] found = range(panels);
        double from = Double.isNaN(low) ? found[0] : low;
        double to = Double.isNaN(high) ? found[1] : high;
        int tallest = 0;
        for (Panel p : at.panels) {
            drawPanel(g, p, from, to);
            tallest = Math.max(tallest, p.cellHeight * p.map.values.length);
        }
        drawBar(g, at.width - BAR + 6, TOP, Math.max(tallest, 110), from, to);
    }

    private void drawPanel(Graphics2D g, Panel p, double from, double to) {
        HeatMap m = p.map;
        int wide = p.cellWidth * m.values[0].length;
        int tall = p.cellHeight * m.values.length;
        g.setFont(BOLD);
        g.setColor(INK);
        g.drawString(m.title, p.left, p.top - 12);
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_OFF);
        for (int r = 0; r < m.values.length; r++) {
            for (int c = 0; c < m.values[r].length; c++) {
                double v = m.values[r][c];
                int x = p.left + c * p.cellWidth;
                int y = p.top + r * p.cellHeight;
                g.setColor(Double.isNaN(v) ? new Color(0xeeeeee) : colours.at(to > from ? (v - from) / (to - from) : 0.5));
                g.fillRect(x, y, p.cellWidth, p.cellHeight);
                if (Double.isNaN(v)) {
                    g.setColor(new Color(0xbbbbbb));
                    g.drawLine(x, y + p.cellHeight, x + p.cellWidth, y);
                }
            }
        }
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setColor(new Color(0x999999));
        g.setStroke(new BasicStroke(1f));
        g.drawRect(p.left, p.top, wide, tall);
        g.setFont(PLAIN);
        g.setColor(INK);
        int ascent = g.getFontMetrics().getAscent();
        int every = Math.max(1, (ascent + 2 + p.cellHeight - 1) / p.cellHeight);
        for (int r = 0; r < m.rows.size(); r += every) {
            String name = m.rows.get(r);
            g.drawString(name, p.left - 6 - g.getFontMetrics().stringWidth(name),
                    p.top + r * p.cellHeight + (p.cellHeight + ascent) / 2 - 2);
        }
        int step = step(m.values[0].length, p.cellWidth, m.columns.isEmpty() ? 22 : 40);
        for (int c = 0; c < m.values[0].length; c += step) {
            String name = m.columns.isEmpty() ? String.valueOf(c) : m.columns.get(c);
            g.drawString(name, p.left + c * p.cellWidth + (p.cellWidth - g.getFontMetrics().stringWidth(name)) / 2, p.top + tall + 17);
        }
        g.drawString(m.columnAxis, p.left + (wide - g.getFontMetrics().stringWidth(m.columnAxis)) / 2, p.top + tall + 37);
        if (!m.rowAxis.isEmpty()) {
            Graphics2D turned = (Graphics2D) g.create();
            int widest = m.rows.stream().mapToInt(g.getFontMetrics()::stringWidth).max().orElse(0);
            turned.rotate(-Math.PI / 2, p.left - widest - 16, p.top + tall / 2.0);
            turned.drawString(m.rowAxis, p.left - widest - 16 - g.getFontMetrics().stringWidth(m.rowAxis) / 2, p.top + tall / 2);
            turned.dispose();
        }
    }

    private static int step(int count, int cell, int room) {
        for (int step : new int[] {1, 2, 5, 10, 20, 50, 100}) {
            if (step * cell >= room || step >= count) {
                return step;
            }
        }
        return 100;
    }

    private void drawBar(Graphics2D g, int left, int top, int height, double from, double to) {
        for (int y = 0; y < height; y++) {
            g.setColor(colours.at(1 - y / (height - 1.0)));
            g.fillRect(left, top + y, 14, 1);
        }
        g.setColor(new Color(0x999999));
        g.drawRect(left, top, 14, height);
        g.setColor(INK);
        g.setFont(PLAIN.deriveFont(12f));
        for (int i = 0; i <= 4; i++) {
            double v = from + (to - from) * i / 4;
            g.drawString(String.format(Locale.ROOT, Math.abs(to - from) < 0.1 ? "%.3f" : "%.2f", v), left + 19,
                    top + height - Math.round(height * i / 4f) + 4);
        }
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
