package lab.recall.view;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.geom.Line2D;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * Line charts in one quiet style; no two lines of a chart have the same marker and width.
 *
 * <pre>{@code
 * XYChart c = Charts.lines("hand-over", "layer", "indirect effect");
 * Charts.line(c, "subject's last token", layers, means, low, high);
 * Charts.range(c, 0, 1)
 * }</pre>
 */
public final class Charts {
    static final Color[] PALETTE = {new Color(0x3f007d), new Color(0xd95f02), new Color(0x1b9e77), new Color(0x1f78b4),
        new Color(0xb2182b), new Color(0x666666)};

    static final Color INK = new Color(0x222222);
    static final BasicStroke THIN = new BasicStroke(1);
    /** Half the width of the small lines that end an interval, in pixels. */
    static final int END = 3;
    /** What an axis says where its lines have intervals. */
    static final String INTERVALS = ", 95 % intervals";
    private static final Marker[] MARKERS = {SeriesMarkers.CIRCLE, SeriesMarkers.DIAMOND, SeriesMarkers.SQUARE, SeriesMarkers.TRIANGLE_UP,
        SeriesMarkers.TRIANGLE_DOWN, SeriesMarkers.CROSS};
    /** Later lines are thinner: one that lies on another leaves it to be seen on both sides. */
    private static final float[] WIDTHS = {4.5f, 3, 2, 1.25f};
    private static final Marker CAP = new Marker() {
        @Override
        public void paint(Graphics2D g, double x, double y, int size) {
            g.setStroke(THIN);
            g.draw(new Line2D.Double(x - END, y, x + END, y));
        }
    };

    private Charts() {
    }

    /** An empty line chart. */
    public static XYChart lines(String title, String xAxis, String yAxis) {
        XYChart c = new XYChartBuilder().width(760).height(380).title(title).xAxisTitle(xAxis).yAxisTitle(yAxis).build();
        style(c.getStyler());
        return c;
    }

    static void style(AxesChartStyler styler) {
        styler.setLocale(Locale.ROOT);
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setSeriesColors(PALETTE);
        styler.setPlotBorderVisible(false);
        styler.setPlotGridLinesColor(new Color(0xe4e4e4));
        styler.setPlotGridLinesStroke(new BasicStroke(0.5f));               // each dash of another would be a shape of its own
        styler.setLegendPosition(Styler.LegendPosition.OutsideE);
        styler.setLegendBorderColor(Color.WHITE);
        styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 14));
    }

    /** Adds a line. */
    public static XYChart line(XYChart chart, String name, double[] x, double[] y) {
        series(chart, name, x, y);
        return chart;
    }

    /** Adds a line with its 95 % intervals, each drawn from {@code low} to {@code high}: those of a share are lopsided near 0 and 1. */
    public static XYChart line(XYChart chart, String name, double[] x, double[] y, double[] low, double[] high) {
        line(chart, name, x, y);
        double[] at = new double[3 * x.length];
        double[] ends = new double[3 * x.length];
        for (int i = 0; i < x.length; i++) {
            Arrays.fill(at, 3 * i, 3 * i + 3, x[i]);
            ends[3 * i] = low[i];
            ends[3 * i + 1] = high[i];
            ends[3 * i + 2] = Double.NaN;                       // where a line breaks
        }
        Color colour = chart.getSeries(name).getLineColor();
        XYSeries spans = chart.addSeries(name + ", intervals", at, ends);
        spans.setShowInLegend(false).setFillColor(colour);
        spans.setMarker(CAP).setMarkerColor(colour).setLineColor(colour).setLineStyle(THIN);
        String axis = chart.getYAxisTitle();
        chart.setYAxisTitle(axis.endsWith(INTERVALS) ? axis : axis + INTERVALS);
        return chart;
    }

    /** One range for a measure, or as far as what is drawn reaches, so that noise is not scaled up to a trend. Call it last. */
    public static XYChart range(XYChart chart, double low, double high) {
        DoubleSummaryStatistics drawn = chart.getSeriesCollection().stream().flatMapToDouble(s -> Arrays.stream(s.getYData()))
                .filter(Double::isFinite).summaryStatistics();
        chart.getStyler().setYAxisMin(Math.min(low, drawn.getMin())).setYAxisMax(Math.max(high, drawn.getMax()));
        return chart;
    }

    /** A new series with the next colour; series of intervals, which the legend does not show, have those of their lines. */
    private static XYSeries series(XYChart chart, String name, double[] x, double[] y) {
        int before = (int) chart.getSeriesCollection().stream().filter(XYSeries::isShowInLegend).count();
        Color colour = PALETTE[before % PALETTE.length];
        XYSeries added = chart.addSeries(name, x, y);
        added.setFillColor(colour);
        added.setMarker(MARKERS[before % MARKERS.length]).setMarkerColor(colour).setLineColor(colour)
                .setLineStyle(new BasicStroke(WIDTHS[before % WIDTHS.length], BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
        return added;
    }

    /** Adds a line with its intervals, over layers or over relative depth. */
    public interface Adding {
        /** To a chart, which is returned. */
        XYChart add(XYChart chart, String name, double[] means, double[] low, double[] high);
    }

    /** Adds a line over layers 0, 1, .. with its intervals; a layer without a value is left out. */
    public static XYChart byLayer(XYChart chart, String name, double[] means, double[] low, double[] high) {
        return byLayer(chart, name, means, low, high, 0, 1);
    }

    /** The same over relative depth, (l + 1) / L. */
    public static XYChart byDepth(XYChart chart, String name, double[] means, double[] low, double[] high) {
        return byLayer(chart, name, means, low, high, 1, means.length);
    }

    private static XYChart byLayer(XYChart chart, String name, double[] means, double[] low, double[] high, int from,
            double scale) {
        int[] layers = IntStream.range(0, means.length).filter(l -> !Double.isNaN(means[l])).toArray();
        if (layers.length == 0) {
            return chart;
        }
        return line(chart, name, IntStream.of(layers).mapToDouble(l -> (l + from) / scale).toArray(),
                some(means, layers), some(low, layers), some(high, layers));
    }

    private static double[] some(double[] all, int[] layers) {
        return IntStream.of(layers).mapToDouble(l -> all[l]).toArray();
    }

    /** Adds a dashed line without markers, such as a baseline. */
    public static XYChart dashed(XYChart chart, String name, double[] x, double[] y) {
        series(chart, name, x, y).setMarker(SeriesMarkers.NONE).setLineStyle(SeriesLines.DASH_DASH);
        return chart;
    }

    /**
     * Adds a dashed line without markers in the colour of a line that is there, such as published numbers of the same.
     *
     * @throws BadRequest when there is no such line
     */
    public static XYChart counterpart(XYChart chart, String of, String name, double[] x, double[] y) {
        List<String> names = chart.getSeriesCollection().stream().map(XYSeries::getName).toList();
        if (!names.contains(of)) {
            throw new BadRequest("", "no line '" + of + "' in this chart; there are " + String.join(", ", names));
        }
        chart.addSeries(name, x, y).setMarker(SeriesMarkers.NONE).setLineStyle(SeriesLines.DASH_DASH)
                .setLineColor(chart.getSeries(of).getLineColor());
        return chart;
    }

    /** Adds a dashed level from one x to another. */
    public static XYChart level(XYChart chart, String name, double from, double to, double y) {
        return dashed(chart, name, new double[] {from, to}, new double[] {y, y});
    }

    /** Adds points that no line joins. */
    public static XYChart points(XYChart chart, String name, double[] x, double[] y) {
        series(chart, name, x, y).setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
        return chart;
    }

    /** PNG, at twice the size for sharp text. */
    public static byte[] png(Chart<?, ?> chart) {
        return Png.of(chart.getWidth(), chart.getHeight(), g -> chart.paint(g, chart.getWidth(), chart.getHeight()));
    }
}
