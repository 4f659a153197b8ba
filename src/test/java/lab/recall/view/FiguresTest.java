package lab.recall.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import lab.recall.base.BadRequest;
import org.junit.jupiter.api.Test;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;

/** What a figure must show beside its numbers: colours that belong to what was measured, one range, lines that can be told apart. */
class FiguresTest {
    private static final double[][] ONE = {{1}};

    private static BufferedImage image(byte[] png) throws Exception {
        return ImageIO.read(new ByteArrayInputStream(png));
    }

    /** The colour near the upper left corner of the n-th cell, beside its number. */
    private static int cell(HeatMap map, int n) throws Exception {
        Matcher area = Pattern.compile("coords=\"(\\d+),(\\d+),").matcher(Display.of(map).data());
        for (int i = 0; i <= n; i++) {
            assertTrue(area.find());
        }
        return image(map.png()).getRGB(2 * Integer.parseInt(area.group(1)) + 6, 2 * Integer.parseInt(area.group(2)) + 6) & 0xffffff;
    }

    @Test
    void eachPanelHasItsOwnColours() throws Exception {
        HeatMap s = HeatMap.of("s", ONE).colours(HeatMap.Colours.REDS).range(0, 1);
        HeatMap o = HeatMap.of("o", ONE).colours(HeatMap.Colours.BLUES);
        HeatMap both = HeatMap.beside(s, o);
        assertEquals(0x67000d, cell(both, 0));
        assertEquals(0x08306b, cell(both, 1));
        assertTrue(both.width() > HeatMap.beside(s, s).width(), "a strip of the colour bar for each scale");
    }

    @Test
    void rowsStandApart() throws Exception {
        double[][] v = {{0, 0}, {0, 0}, {1, 0}};
        HeatMap map = HeatMap.of("t", v).range(0, 1);
        HeatMap apart = map.apart(1);
        assertEquals(0x3f007d, cell(apart, 4), "the area lies where the cell is drawn");
        assertEquals(0xffffff, cell(apart, 5));
        assertEquals(cell(map, 4), cell(apart, 4));
        assertThrows(BadRequest.class, () -> map.apart(3));
    }

    @Test
    void differencesAreWhiteAtNothing() throws Exception {
        HeatMap map = HeatMap.of("t", new double[][] {{-0.02, 0, 0.08, Double.NaN}}).centred();
        assertEquals(0.08, map.ends()[1]);
        assertEquals(-0.08, map.ends()[0]);
        assertEquals(0xb2182b, cell(map, 2));
        assertEquals(0xf7f7f7, cell(map, 1));
        assertEquals(1, HeatMap.of("t", new double[][] {{0}}).centred().ends()[1]);
    }

    @Test
    void equalPointsAreCounted() {
        HeatMap map = HeatMap.counts("t", "x", new int[] {5, 5, 2}, "y", new int[] {4, 4, 1});
        assertEquals("y".length(), map.rowAxis().length());
        assertEquals(List.of("4", "3", "2", "1", "0"), map.rowNames());
        assertEquals(2, map.values()[0][5]);
        assertEquals(1, map.values()[3][2]);
        assertThrows(BadRequest.class, () -> HeatMap.counts("t", "x", new int[] {1}, "y", new int[] {-1}));
        assertThrows(BadRequest.class, () -> HeatMap.counts("t", "x", new int[0], "y", new int[0]));
    }

    /** Few wide cells say their numbers in the picture; the words of a long title stay within its panel. */
    @Test
    void numbersAndTitlesInThePicture() {
        String few = new String(HeatMap.of("t", new double[][] {{0.123, Double.NaN}}).svg());
        assertTrue(few.contains("0.12") && !few.contains("NaN"), few);
        assertTrue(new String(HeatMap.of("t", new double[][] {{3, 0}}).svg()).contains(">3</text>"));
        assertTrue(!new String(HeatMap.of("t", new double[8][64]).svg()).contains("0.00</text><"), "no numbers in narrow cells");
        HeatMap longer = HeatMap.of("a title of many words that is wider than the map that it is of", new double[][] {{1, 2}});
        assertTrue(longer.width() < 250, "width " + longer.width());
    }

    @Test
    void tokensOnBothAxes() {
        List<String> tokens = List.of("headquarters *", "is", "in-the-city-of", "a");
        HeatMap map = HeatMap.of("t", new double[4][4]).rows(tokens).columns("is read", tokens);
        String svg = new String(map.svg());
        tokens.forEach(t -> assertEquals(2, svg.split(Pattern.quote(">" + t + "<"), -1).length - 1, t + " on both axes\n" + svg));
    }

    private static XYChart chart(String title) {
        XYChart chart = Charts.lines(title, "layer", "effect");
        for (int i = 0; i < 6; i++) {
            Charts.line(chart, "line " + i, new double[] {0, 1}, new double[] {0.1 * i, 0.1 * i + 0.01});
        }
        return chart;
    }

    @Test
    void noTwoLinesLookAlike() {
        List<XYSeries> lines = List.copyOf(chart("t").getSeriesCollection());
        assertEquals(6, lines.stream().map(XYSeries::getLineColor).distinct().count());
        assertEquals(6, lines.stream().map(XYSeries::getMarker).distinct().count());
        for (int i = 1; i < 4; i++) {
            assertTrue(lines.get(i).getLineStyle().getLineWidth() < lines.get(i - 1).getLineStyle().getLineWidth(), "line " + i);
        }
    }

    @Test
    void intervalsAreNamedAndAMeasureHasOneRange() {
        XYChart chart = Charts.lines("t", "x", "share");
        assertEquals("share", chart.getYAxisTitle());
        for (String name : List.of("a", "b")) {
            Charts.line(chart, name, new double[] {0, 1}, new double[] {0.4, 0.5}, new double[] {0.3, 0.4}, new double[] {0.5, 1.2});
        }
        assertEquals("share, 95 % intervals", chart.getYAxisTitle());
        Charts.range(chart, 0, 1);
        assertEquals(0.0, chart.getStyler().getYAxisMin());
        assertEquals(1.2, chart.getStyler().getYAxisMax(), "what is drawn is not cut off");
        assertEquals(-1.0, Charts.range(Charts.lines("t", "x", "y"), -1, 0.2).getStyler().getYAxisMin(), "of an empty one, too");
    }

    @Test
    void chartsHaveTwiceTheirSize() throws Exception {
        XYChart chart = chart("t");
        BufferedImage image = image(Charts.png(chart));
        assertEquals(2 * chart.getWidth(), image.getWidth());
        String html = Display.of(chart).data();
        assertTrue(html.startsWith("<img width=\"" + chart.getWidth() + "\" alt=\"Chart: t\" src=\"data:image/png;base64,"));
    }

    /** XChart draws its words as shapes; here they can be searched, and a file is small. */
    @Test
    void wordsOfAnSvgAreTexts() {
        XYChart chart = Charts.lines("subject's last token, (p' − p) / p", "layer", "indirect effect");
        Charts.line(chart, "W_a, paper's Mamba", new double[] {0, 1, 2}, new double[] {-0.02, 0.01, 0.5});
        byte[] file = Export.files("c", chart).get("c.svg");
        String svg = new String(file);
        for (String word : List.of("subject's last token, (p' − p) / p", "layer", "indirect effect", "W_a, paper's Mamba", "0.2")) {
            assertTrue(svg.contains(">" + word.replace("'", "&apos;") + "</text>") || svg.contains(">" + word + "</text>"), word + svg);
        }
        assertTrue(file.length < 40_000, file.length + " bytes");
        String bars = new String(Export.files("b", BarChart.of("t", "share", List.of("country_currency", "a b")).bar("x",
                new double[] {0.3, 0.4}).chart()).get("b.svg"));
        assertTrue(bars.contains(">country_currency</text>") && bars.contains(">a b</text>"), "names that are turned, too");
    }

    @Test
    void aGridHasOneLegend() throws Exception {
        ChartGrid grid = ChartGrid.of(2, IntStream.range(0, 3).mapToObj(i -> chart("chart " + i)).toList());
        assertEquals("chart 0 | chart 1 | chart 2", grid.title());
        assertEquals(2 * grid.width(), image(grid.png()).getWidth());
        String svg = new String(grid.svg());
        assertEquals(2, svg.split(">line 5</text>", -1).length, "each line once");
        DocumentBuilderFactory xml = DocumentBuilderFactory.newInstance();
        xml.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
        assertEquals("svg", xml.newDocumentBuilder().parse(new ByteArrayInputStream(grid.svg())).getDocumentElement().getTagName());
        assertEquals(Set.of("g.png", "g.svg"), Export.files("g", grid).keySet());
        assertEquals("[picture: chart 0 | chart 1 | chart 2]", Show.text(grid));
        assertNotEquals(0, grid.charts().size());
        assertThrows(BadRequest.class, () -> ChartGrid.of(2, List.of()));
        assertThrows(BadRequest.class, () -> ChartGrid.of(0, List.of(chart("t"))));
    }
}
