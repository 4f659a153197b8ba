package lab.recall.view;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Line2D;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import lab.recall.base.BadRequest;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.CategorySeries;
import org.knowm.xchart.internal.chartpart.Annotation;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * Bars over named categories, with intervals, and dots for levels such as a baseline.
 *
 * <pre>{@code
 * BarChart.of("faithfulness", "share of known facts", relations).bar("tiny-mamba", means, low, high).dots("chance", chance).chart()
 * }</pre>
 *
 * XChart's own error bars are symmetric, and its points over a category stand beside the bars, as one bar more: both are drawn over the
 * bars here, each interval from its low to its high end, each dot in the middle of its category.
 */
public final class BarChart {
    private static final int MOST_BARS = 60;
    /** Of a category's width, the part that its bars fill. */
    private static final double FILL = 0.75;
    private static final Marker[] MARKERS = {SeriesMarkers.CIRCLE, SeriesMarkers.DIAMOND, SeriesMarkers.SQUARE};
    private static final Color INTERVAL = new Color(0x999999);

    private record Bar(String name, double[] y, double[] low, double[] high) {
    }

    private record Dots(String name, double[] y) {
    }

    private final String title;
    private final String yAxis;
    private final List<String> categories;
    private final List<Bar> bars;
    private final List<Dots> dots;

    private BarChart(String title, String yAxis, List<String> categories, List<Bar> bars, List<Dots> dots) {
        this.title = title;
        this.yAxis = yAxis;
        this.categories = categories;
        this.bars = bars;
        this.dots = dots;
    }

    /**
     * Without bars yet; values are shares, from 0 to 1.
     *
     * @throws BadRequest when there is no category
     */
    public static BarChart of(String title, String yAxis, List<String> categories) {
        if (categories.isEmpty()) {
            throw new BadRequest("", "a bar chart needs at least one category");
        }
        return new BarChart(title, yAxis, List.copyOf(categories), List.of(), List.of());
    }

    /** With one bar more in each category; none where y is NaN. */
    public BarChart bar(String name, double[] y) {
        return bar(name, y, null, null);
    }

    /** With one bar more in each category and its 95 % interval; none where y is NaN. */
    public BarChart bar(String name, double[] y, double[] low, double[] high) {
        List<Bar> more = new ArrayList<>(bars);
        more.add(new Bar(name, y, low, high));
        return new BarChart(title, yAxis, categories, List.copyOf(more), dots);
    }

    /** With a dot more in the middle of each category; none where y is NaN. */
    public BarChart dots(String name, double[] y) {
        List<Dots> more = new ArrayList<>(dots);
        more.add(new Dots(name, y));
        return new BarChart(title, yAxis, categories, bars, List.copyOf(more));
    }

    /**
     * The chart. The legend shows series alone, and each series takes the room of a bar: those of the dots have no values, and as many
     * without a name stand on the other side, so that the bars are in the middle.
     */
    public CategoryChart chart() {
        CategoryChart chart = new CategoryChartBuilder().width(1080).height(500).title(title)
                .yAxisTitle(bars.stream().anyMatch(b -> b.low != null) ? yAxis + Charts.INTERVALS : yAxis).build();
        Charts.style(chart.getStyler());
        int room = bars.size() + 2 * dots.size();
        chart.getStyler().setAvailableSpaceFill(FILL * room / bars.size());
        chart.getStyler().setXAxisLabelRotation(60);
        chart.getStyler().setXAxisLabelAlignment(AxesChartStyler.TextAlignment.Right);      // a name ends under its bars
        chart.getStyler().setXAxisMaxLabelCount(MOST_BARS);
        chart.getStyler().setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
        chart.getStyler().setYAxisMin(0.0).setYAxisMax(1.05);
        for (int i = 0; i < dots.size(); i++) {
            chart.addSeries(" ".repeat(i + 1), categories, nothing()).setShowInLegend(false);
        }
        for (Bar b : bars) {
            chart.addSeries(b.name, categories, numbers(b.y)).setFillColor(colour(bars.indexOf(b)));
        }
        for (Dots d : dots) {
            int i = dots.indexOf(d);
            CategorySeries series = chart.addSeries(d.name, categories, nothing())
                    .setChartCategorySeriesRenderStyle(CategorySeries.CategorySeriesRenderStyle.Scatter);
            series.setMarker(marker(i)).setMarkerColor(colour(bars.size() + i));
        }
        chart.addAnnotation(new Overlay());
        return chart;
    }

    private static Color colour(int i) {
        return Charts.PALETTE[i % Charts.PALETTE.length];
    }

    private static Marker marker(int i) {
        return MARKERS[i % MARKERS.length];
    }

    private List<Double> nothing() {
        return Collections.nCopies(categories.size(), null);
    }

    private static List<Double> numbers(double[] values) {
        return Arrays.stream(values).mapToObj(v -> Double.isNaN(v) ? null : (Double) v).collect(Collectors.toCollection(ArrayList::new));
    }

    /** The intervals and the dots, in the pixels of the chart that is being drawn. */
    private final class Overlay extends Annotation {
        Overlay() {
            super(false);
        }

        @Override
        public void paint(Graphics2D g) {
            Object smooth = g.getRenderingHint(RenderingHints.KEY_ANTIALIASING);
            g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
            double first = chart.getScreenXFromChart(0.5);
            double width = chart.getScreenXFromChart(1.5) - first;
            for (int c = 0; c < categories.size(); c++) {
                double middle = first + c * width;
                for (int b = 0; b < bars.size(); b++) {
                    if (bars.get(b).low != null && !Double.isNaN(bars.get(b).y[c])) {
                        interval(g, middle + width * FILL * ((b + 0.5) / bars.size() - 0.5), bars.get(b).low[c], bars.get(b).high[c]);
                    }
                }
                for (int d = 0; d < dots.size(); d++) {
                    if (!Double.isNaN(dots.get(d).y[c])) {
                        g.setColor(colour(bars.size() + d));
                        marker(d).paint(g, middle, chart.getScreenYFromChart(dots.get(d).y[c]), chart.getStyler().getMarkerSize());
                    }
                }
            }
            if (smooth != null) {
                g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, smooth);
            }
        }

        private void interval(Graphics2D g, double x, double low, double high) {
            double bottom = chart.getScreenYFromChart(low);
            double top = chart.getScreenYFromChart(high);
            g.setColor(INTERVAL);
            g.setStroke(Charts.THIN);
            g.draw(new Line2D.Double(x, bottom, x, top));
            g.draw(new Line2D.Double(x - Charts.END, bottom, x + Charts.END, bottom));
            g.draw(new Line2D.Double(x - Charts.END, top, x + Charts.END, top));
        }
    }
}
