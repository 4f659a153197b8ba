package lab.recall.view;

import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.stream.IntStream;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * Line charts in one quiet style.
 *
 * <pre>{@code
 * XYChart c = Charts.lines("hand-over", "layer", "indirect effect");
 * Charts.line(c, "subject, last token", layers, means, halfWidths);
 * }</pre>
 */
public final class Charts {
    private static final Color[] PALETTE = {new Color(0x3f007d), new Color(0xd95f02), new Color(0x1b9e77), new Color(0x1f78b4),
        new Color(0xb2182b), new Color(0x666666)};

    private Charts() {
    }

    /** An empty line chart. */
    public static XYChart lines(String title, String xAxis, String yAxis) {
        XYChart c = new XYChartBuilder().width(760).height(380).title(title).xAxisTitle(xAxis).yAxisTitle(yAxis).build();
        c.getStyler().setChartBackgroundColor(Color.WHITE);
        c.getStyler().setSeriesColors(PALETTE);
        c.getStyler().setPlotBorderVisible(false);
        c.getStyler().setPlotGridLinesColor(new Color(0xdddddd));
        c.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
        c.getStyler().setLegendBorderColor(Color.WHITE);
        c.getStyler().setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 14));
        c.getStyler().setErrorBarsColorSeriesColor(true);
        return c;
    }

    /** Adds a line; {@code errors}, half the height of each error bar, may be null. */
    public static XYChart line(XYChart chart, String name, double[] x, double[] y, double[] errors) {
        (errors == null ? chart.addSeries(name, x, y) : chart.addSeries(name, x, y, errors)).setMarker(SeriesMarkers.CIRCLE);
        return chart;
    }

    /** Adds a line over layers 0, 1, .. with the widths of its intervals as error bars; a layer without a value is left out. */
    public static XYChart byLayer(XYChart chart, String name, double[] means, double[] low, double[] high) {
        return byLayer(chart, name, means, low, high, 1);
    }

    /** The same over relative depth, l / L. */
    public static XYChart byDepth(XYChart chart, String name, double[] means, double[] low, double[] high) {
        return byLayer(chart, name, means, low, high, means.length);
    }

    private static XYChart byLayer(XYChart chart, String name, double[] means, double[] low, double[] high, double scale) {
        int[] layers = IntStream.range(0, means.length).filter(l -> !Double.isNaN(means[l])).toArray();
        if (layers.length == 0) {
            return chart;
        }
        return line(chart, name, IntStream.of(layers).mapToDouble(l -> l / scale).toArray(), IntStream.of(layers).mapToDouble(l -> means[l]).toArray(),
                IntStream.of(layers).mapToDouble(l -> (high[l] - low[l]) / 2).toArray());
    }

    /** PNG. */
    public static byte[] png(Chart<?, ?> chart) {
        try {
            return BitmapEncoder.getBitmapBytes(chart, BitmapEncoder.BitmapFormat.PNG);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
