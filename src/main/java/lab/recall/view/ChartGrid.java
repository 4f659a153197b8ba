package lab.recall.view;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Line2D;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * Line charts of one kind in a grid, with one legend for all: small multiples.
 *
 * <pre>{@code
 * ChartGrid.of(2, List.of(efficacy, generalisation, specificity, score))
 * }</pre>
 *
 * Lines of one name look alike in all charts, so the first of each stands in the legend.
 */
public final class ChartGrid {
    private static final int WIDE = 440;
    private static final int TALL = 290;
    private static final int LEGEND_LINE = 22;
    private static final int SAMPLE = 30;
    private static final Font PLAIN = new Font(Font.SANS_SERIF, Font.PLAIN, 12);

    private final int columns;
    private final List<XYChart> charts;

    private ChartGrid(int columns, List<XYChart> charts) {
        this.columns = columns;
        this.charts = charts;
    }

    /**
     * Charts row by row; they lose their own legends.
     *
     * @throws BadRequest when there is no chart, or no column
     */
    public static ChartGrid of(int columns, List<XYChart> charts) {
        if (charts.isEmpty()) {
            throw new BadRequest("", "a grid needs at least one chart");
        }
        charts.forEach(c -> {
            c.getStyler().setLegendVisible(false);
            c.getStyler().setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 12));
            c.getStyler().setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
            c.getStyler().setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
            c.getStyler().setMarkerSize(6);
        });
        return new ChartGrid(Check.whole("columns", columns, 1, Integer.MAX_VALUE), List.copyOf(charts));
    }

    /** The charts, row by row. */
    public List<XYChart> charts() {
        return charts;
    }

    /** What is shown. */
    public String title() {
        return charts.stream().map(XYChart::getTitle).collect(Collectors.joining(" | "));
    }

    /** Width of the picture on a page, in pixels. */
    public int width() {
        return WIDE * Math.min(columns, charts.size());
    }

    private int height() {
        return TALL * rows() + LEGEND_LINE * legend().size() + 8;
    }

    private int rows() {
        return (charts.size() + columns - 1) / columns;
    }

    /** PNG, at twice the size for sharp text. */
    public byte[] png() {
        return Png.of(width(), height(), this::draw);
    }

    /** SVG. */
    public byte[] svg() {
        return Svg.of(width(), height(), List.copyOf(charts), this::draw);
    }

    /** The lines of the legend, as many samples in each as there is room for. */
    private List<List<XYSeries>> legend() {
        Map<String, XYSeries> all = new LinkedHashMap<>();
        charts.forEach(c -> c.getSeriesCollection().stream().filter(XYSeries::isShowInLegend)
                .forEach(s -> all.putIfAbsent(s.getName(), s)));
        List<List<XYSeries>> lines = new ArrayList<>();
        int room = 0;
        for (XYSeries s : all.values()) {
            int width = entry(s);
            if (lines.isEmpty() || room + width > width()) {
                lines.add(new ArrayList<>());
                room = 16;
            }
            room += width;
            lines.get(lines.size() - 1).add(s);
        }
        return lines;
    }

    private static int entry(XYSeries s) {
        return SAMPLE + 8 + TextWidth.of(PLAIN, s.getName()) + 20;
    }

    private void draw(Graphics2D g) {
        g.setColor(Color.WHITE);
        g.fillRect(0, 0, width(), height());
        for (int i = 0; i < charts.size(); i++) {
            Graphics2D own = (Graphics2D) g.create();
            own.translate(i % columns * WIDE, i / columns * TALL);
            charts.get(i).paint(own, WIDE, TALL);
            own.dispose();
        }
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setFont(PLAIN);
        int y = TALL * rows() + LEGEND_LINE / 2;
        for (List<XYSeries> line : legend()) {
            int x = 16;
            for (XYSeries s : line) {
                sample(g, s, x, y);
                x += entry(s);
            }
            y += LEGEND_LINE;
        }
    }

    private static void sample(Graphics2D g, XYSeries s, int x, int y) {
        g.setColor(s.getLineColor());
        g.setStroke(s.getLineStyle() == null ? new BasicStroke(2) : s.getLineStyle());
        g.draw(new Line2D.Double(x, y, x + SAMPLE, y));
        Marker marker = s.getMarker();
        if (marker != null && marker != SeriesMarkers.NONE) {
            g.setColor(s.getMarkerColor());
            marker.paint(g, x + SAMPLE / 2.0, y, 7);
        }
        g.setColor(Charts.INK);
        g.drawString(s.getName(), x + SAMPLE + 8, y + 4);
    }
}
