package lab.recall.view;

import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.CategorySeries;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * Line and bar charts in one quiet style.
 *
 * <pre>{@code
 * XYChart c = Charts.lines("hand-over", "layer", "indirect effect");
 * Charts.line(c, "subject, last token", layers, means, halfWidths);
 * }</pre>
 */
public final class Charts {
    private static final Color[] PALETTE = {new Color(0x3f007d), new Color(0xd95f02), new Color(0x1b9e77), new Color(0x1f78b4),
        new Color(0xb2182b), new Color(0x666666)};

    private static final int MOST_BARS = 60;

    private Charts() {
    }

    /** An empty line chart. */
    public static XYChart lines(String title, String xAxis, String yAxis) {
        XYChart c = new XYChartBuilder().width(760).height(380).title(title).xAxisTitle(xAxis).yAxisTitle(yAxis).build();
        style(c.getStyler());
        return c;
    }

    private static void style(AxesChartStyler styler) {
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setSeriesColors(PALETTE);
        styler.setPlotBorderVisible(false);
        styler.setPlotGridLinesColor(new Color(0xdddddd));
        styler.setLegendPosition(Styler.LegendPosition.OutsideE);
        styler.setLegendBorderColor(Color.WHITE);
        styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 14));
        styler.setErrorBarsColorSeriesColor(true);
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

    /** Adds a dashed line without markers, such as a baseline. */
    public static XYChart dashed(XYChart chart, String name, double[] x, double[] y) {
        chart.addSeries(name, x, y).setMarker(SeriesMarkers.NONE).setLineStyle(SeriesLines.DASH_DASH);
        return chart;
    }

    /** Adds a dashed line without markers in the colour of a line that is there, such as published numbers of the same. */
    public static XYChart counterpart(XYChart chart, String of, String name, double[] x, double[] y) {
        List<String> names = chart.getSeriesCollection().stream().map(XYSeries::getName).toList();
        if (!names.contains(of)) {
            throw new IllegalArgumentException("no line '" + of + "' in this chart; there are " + String.join(", ", names));
        }
        chart.addSeries(name, x, y).setMarker(SeriesMarkers.NONE).setLineStyle(SeriesLines.DASH_DASH)
                .setLineColor(PALETTE[names.indexOf(of) % PALETTE.length]);
        return chart;
    }

    /** Adds a dashed level from one x to another. */
    public static XYChart level(XYChart chart, String name, double from, double to, double y) {
        return dashed(chart, name, new double[] {from, to}, new double[] {y, y});
    }

    /** Adds points that no line joins. */
    public static XYChart points(XYChart chart, String name, double[] x, double[] y) {
        chart.addSeries(name, x, y).setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
        return chart;
    }

    /** An empty bar chart over named categories. */
    public static CategoryChart bars(String title, String yAxis) {
        CategoryChart c = new CategoryChartBuilder().width(1080).height(500).title(title).yAxisTitle(yAxis).build();
        style(c.getStyler());
        c.getStyler().setAvailableSpaceFill(0.75);
        c.getStyler().setXAxisLabelRotation(60);
        c.getStyler().setXAxisMaxLabelCount(MOST_BARS);
        c.getStyler().setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
        c.getStyler().setErrorBarsColorSeriesColor(false);
        c.getStyler().setErrorBarsColor(new Color(0x999999));
        c.getStyler().setYAxisMin(0.0).setYAxisMax(1.05);
        return c;
    }

    /** Adds a bar for each category; {@code errors}, half the height of each error bar, may be null. No bar where y is NaN. */
    public static CategoryChart bar(CategoryChart chart, String name, List<String> categories, double[] y, double[] errors) {
        chart.addSeries(name, categories, numbers(y), errors == null ? null : numbers(errors));
        return chart;
    }

    /** Adds a dot for each category, such as a baseline; after all bars. */
    public static CategoryChart dots(CategoryChart chart, String name, List<String> categories, double[] y) {
        chart.addSeries(name, categories, numbers(y)).setChartCategorySeriesRenderStyle(CategorySeries.CategorySeriesRenderStyle.Scatter);
        return chart;
    }

    private static List<Double> numbers(double[] values) {
        return Arrays.stream(values).mapToObj(v -> Double.isNaN(v) ? null : (Double) v).collect(Collectors.toCollection(ArrayList::new));
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
