package lab.recall.view;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.geom.Line2D;
import java.awt.image.BufferedImage;
import java.util.Arrays;
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
 * Line charts in one quiet style.
 *
 * <pre>{@code
 * XYChart c = Charts.lines("hand-over", "layer", "indirect effect");
 * Charts.line(c, "subject, last token", layers, means, low, high);
 * }</pre>
 */
public final class Charts {
    static final Color[] PALETTE = {new Color(0x3f007d), new Color(0xd95f02), new Color(0x1b9e77), new Color(0x1f78b4),
        new Color(0xb2182b), new Color(0x666666)};

    static final BasicStroke THIN = new BasicStroke(1);
    /** Half the width of the small lines that end an interval, in pixels. */
    static final int END = 3;
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
        styler.setPlotGridLinesColor(new Color(0xdddddd));
        styler.setLegendPosition(Styler.LegendPosition.OutsideE);
        styler.setLegendBorderColor(Color.WHITE);
        styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 14));
    }

    /** Adds a line. */
    public static XYChart line(XYChart chart, String name, double[] x, double[] y) {
        series(chart, name, x, y).setMarker(SeriesMarkers.CIRCLE);
        return chart;
    }

    /** Adds a line with its intervals, each drawn from {@code low} to {@code high}: those of a share are lopsided near 0 and 1. */
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
        return chart;
    }

    /** A new series with the next colour; series of intervals, which the legend does not show, have those of their lines. */
    private static XYSeries series(XYChart chart, String name, double[] x, double[] y) {
        int before = (int) chart.getSeriesCollection().stream().filter(XYSeries::isShowInLegend).count();
        Color colour = PALETTE[before % PALETTE.length];
        BasicStroke[] strokes = chart.getStyler().getSeriesLines();
        XYSeries added = chart.addSeries(name, x, y);
        added.setFillColor(colour);
        added.setMarkerColor(colour).setLineColor(colour).setLineStyle(strokes[before / PALETTE.length % strokes.length]);
        return added;
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

    /** PNG. */
    public static byte[] png(Chart<?, ?> chart) {
        BufferedImage image = new BufferedImage(chart.getWidth(), chart.getHeight(), BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        chart.paint(g, image.getWidth(), image.getHeight());
        g.dispose();
        return Png.of(image);
    }
}
