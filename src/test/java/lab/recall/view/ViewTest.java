package lab.recall.view;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import org.junit.jupiter.api.Test;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.internal.chartpart.Chart;
import org.nd4j.linalg.factory.Nd4j;
import tech.tablesaw.api.DoubleColumn;
import tech.tablesaw.api.Table;

class ViewTest {
    private final Table table = Tables.of("a <b>", List.of("token", "p"), List.of(List.of("<x>", 0.25), List.of("y", Double.NaN)));

    @Test
    void tablesAreEscapedAndAligned() {
        String html = Tables.html(table);
        assertTrue(html.contains("a &lt;b&gt;") && html.contains("&lt;x&gt;") && !html.contains("<x>"), html);
        assertTrue(html.contains("text-align:right\">0.2500"), html);
        assertTrue(table.column("p") instanceof DoubleColumn);
        assertEquals("token       p\n<x>    0.2500\ny           –\n", Tables.text(table));
    }

    @Test
    void rowsReadLikeTheirTable() {
        List<String> columns = List.of("rank", "a long name", "p");
        List<List<Object>> rows = List.of(List.of(1, "Paris", 0.93), List.of(10, "x", 1.5e-123));
        assertEquals(Tables.text(Tables.of("", columns, rows)), Tables.text(columns, rows));
        assertEquals("rank  a long name         p\n   1  Paris          0.9300\n  10  x            1.5e-123\n", Tables.text(columns, rows));
    }

    @Test
    void aHeatMapsCellsHaveTheirColours() throws Exception {
        HeatMap map = HeatMap.of("t", new double[][] {{0, 1}, {Double.NaN, 0.5}}).rows(List.of("a", "b *")).columns("layer").range(0, 1);
        BufferedImage image = ImageIO.read(new ByteArrayInputStream(map.png()));
        assertEquals(map.width() * 2, image.getWidth());
        boolean dark = false;
        boolean hatched = false;
        for (int x = 0; x < image.getWidth() - 160; x++) {
            for (int y = 0; y < image.getHeight(); y++) {
                dark |= (image.getRGB(x, y) & 0xffffff) == 0x3f007d;
                hatched |= (image.getRGB(x, y) & 0xffffff) == 0xeeeeee;
            }
        }
        assertTrue(dark, "the cell at the top of the range");
        assertTrue(hatched, "the cell that is none");
        assertArrayEquals(map.png(), map.png(), "the same bytes again");
        DocumentBuilderFactory xml = DocumentBuilderFactory.newInstance();
        xml.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
        assertEquals("svg", xml.newDocumentBuilder().parse(new ByteArrayInputStream(map.svg())).getDocumentElement().getTagName());
        assertTrue(HeatMap.beside(map, map).width() > map.width());
    }

    /** Each cell has an area with its row, its column and its number, by itself or side by side with others. */
    @Test
    void aHeatMapsCellsSayTheirNumbers() {
        HeatMap map = HeatMap.of("effect <1>", new double[][] {{0, 1}, {Double.NaN, 0.5}}).rows(List.of("a", "\"b\" *")).columns("layer");
        String html = Display.of(map).data();
        assertTrue(html.contains("title=\"a, layer 1: 1\""), html);
        assertTrue(html.contains("title=\"&quot;b&quot; *, layer 0: nothing to average\""), html);
        assertTrue(html.contains("alt=\"Heat map: effect &lt;1&gt;, 2 rows, 2 columns; largest: a, layer 1: 1\""), html);
        assertEquals(4, html.split("<area ").length - 1);
        assertEquals(html, Display.of(map).data(), "the same page again");
        assertTrue(html.contains("src=\"data:image/png;base64,") && html.contains(" width=\"" + map.width() + "\""));
        assertEquals("[picture: effect <1>]", Show.text(map));
        String hovered = Display.of(map.hover((r, c) -> r + "/" + c + " [0.1, 0.2]")).data();
        assertTrue(hovered.contains("title=\"a, layer 1: 0/1 [0.1, 0.2]\""), hovered);
        String two = Display.of(HeatMap.beside(map, HeatMap.of("other", new double[][] {{7}}))).data();
        assertEquals(5, two.split("<area ").length - 1);
        assertTrue(two.contains("title=\"row 0, column 0: 7\""), two);
        assertFalse(Display.of(HeatMap.of("large", new double[100][100])).data().contains("<area"));
    }

    /** Areas lie where the cells are drawn. */
    @Test
    void areasLieOnTheirCells() throws Exception {
        HeatMap map = HeatMap.of("t", new double[][] {{0, 0, 0}, {0, 0, 1}}).rows(List.of("first", "second")).columns("layer").range(0, 1);
        BufferedImage image = ImageIO.read(new ByteArrayInputStream(map.png()));
        Matcher area = Pattern.compile("coords=\"(\\d+),(\\d+),(\\d+),(\\d+)\" title=\"([^\"]+)\"").matcher(Display.of(map).data());
        int found = 0;
        while (area.find()) {
            int x = 2 * Integer.parseInt(area.group(1)) + 6;            // beside the number
            int y = 2 * Integer.parseInt(area.group(2)) + 6;
            int expected = area.group(5).equals("second, layer 2: 1") ? 0x3f007d : 0xffffff;
            assertEquals(expected, image.getRGB(x, y) & 0xffffff, area.group(5));
            found++;
        }
        assertEquals(6, found);
    }

    @Test
    void aHeatMapIsARectangleWithANameForEachRow() {
        HeatMap map = HeatMap.of("t", new double[][] {{0, 1}, {1, 2}});
        assertTrue(assertThrows(BadRequest.class, () -> map.rows(List.of("a", "b", "c"))).getMessage().contains("3 names for 2 rows"));
        assertTrue(assertThrows(BadRequest.class, () -> map.columns("c", List.of("a"))).getMessage().contains("1 names for 2 columns"));
        assertTrue(assertThrows(BadRequest.class, () -> HeatMap.of("t", new double[][] {{0, 1}, {1}})).getMessage()
                .contains("row 1 of a heat map has 1 columns, expected 2"));
    }

    /** The bootstrap intervals of shares are lopsided: what is drawn is the interval, not its half width on both sides. */
    @Test
    void aLinesIntervalsReachFromLowToHigh() {
        XYChart chart = Charts.line(Charts.lines("t", "x", "y"), "a", new double[] {0, 1}, new double[] {0.9, 0.5}, new double[] {0.6, 0.4},
                new double[] {1, 0.8});
        Charts.line(chart, "b", new double[] {0, 1}, new double[] {0.2, 0.3});
        XYSeries spans = chart.getSeries("a, intervals");
        assertArrayEquals(new double[] {0, 0, 0, 1, 1, 1}, spans.getXData());
        assertArrayEquals(new double[] {0.6, 1, Double.NaN, 0.4, 0.8, Double.NaN}, spans.getYData());
        assertFalse(spans.isShowInLegend());
        assertEquals(chart.getSeries("a").getLineColor(), spans.getLineColor());
        assertNotEquals(chart.getSeries("a").getLineColor(), chart.getSeries("b").getLineColor());
        BufferedImage image = drawn(chart);
        int x = (int) chart.getScreenXFromChart(0);
        int[] rows = rows(image, x, chart.getSeries("a").getLineColor().getRGB());
        assertEquals(chart.getScreenYFromChart(1), rows[0], 1.5);
        assertEquals(chart.getScreenYFromChart(0.6), rows[1], 1.5);
    }

    @Test
    void barsAndDotsStandInTheMiddle() {
        CategoryChart chart = BarChart.of("t", "share", List.of("p", "q"))
                .bar("a", new double[] {0.9, Double.NaN}, new double[] {0.6, Double.NaN}, new double[] {1, Double.NaN})
                .bar("b", new double[] {0.5, 0.4}).dots("level", new double[] {0.7, 0.8}).chart();
        BufferedImage image = drawn(chart);
        int middle = (int) Math.round(chart.getScreenXFromChart(0.5));
        int purple = 0xff3f007d;
        int orange = 0xffd95f02;
        int y = (int) chart.getScreenYFromChart(0.1);
        assertEquals(purple, image.getRGB(middle - 3, y));
        assertEquals(orange, image.getRGB(middle + 3, y));
        int left = middle;
        int right = middle;
        while (image.getRGB(left - 1, y) == purple || left == middle) {
            left--;
        }
        while (image.getRGB(right + 1, y) == orange) {
            right++;
        }
        assertEquals(middle - left, right - middle, 2, "both bars together are centred");
        assertEquals(0xff1b9e77, image.getRGB(middle, (int) chart.getScreenYFromChart(0.7)), "the dot is in the middle of its category");
        int[] span = rows(image, (left + middle) / 2, 0xff999999);
        assertEquals(chart.getScreenYFromChart(1), span[0], 1.5);
        assertEquals(chart.getScreenYFromChart(0.6), span[1], 1.5);
        assertEquals(List.of("a", "b", "level"),
                chart.getSeriesCollection().stream().filter(s -> s.isShowInLegend()).map(s -> s.getName()).toList());
        assertThrows(IllegalArgumentException.class, () -> BarChart.of("t", "y", List.of()));
    }

    private static BufferedImage drawn(Chart<?, ?> chart) {
        BufferedImage image = new BufferedImage(chart.getWidth(), chart.getHeight(), BufferedImage.TYPE_INT_ARGB);
        Graphics2D g = image.createGraphics();
        chart.paint(g, image.getWidth(), image.getHeight());
        g.dispose();
        return image;
    }

    /** First and last row in which a colour, as far as smoothing leaves it, stands near a column. */
    private static int[] rows(BufferedImage image, int column, int colour) {
        int[] rows = IntStream.range(0, image.getHeight()).filter(y -> IntStream.rangeClosed(column - 2, column + 2)
                .anyMatch(x -> image.getRGB(x, y) == colour)).toArray();
        return new int[] {rows[0], rows[rows.length - 1]};
    }

    @Test
    void eachKindOfObjectHasItsForm() {
        assertEquals(Display.HTML, Display.of(table).mime());
        assertEquals(Display.HTML,
                Display.of(Charts.line(Charts.lines("t", "x", "y"), "s", new double[] {0, 1}, new double[] {1, 2})).mime());
        assertEquals(Display.HTML, Display.of(Nd4j.rand(3, 4)).mime());
        assertEquals(Display.TEXT, Display.of(Nd4j.rand(3, 4, 5)).mime());
        assertEquals("float[3] 1.000 2.000 3.000", Display.of(new float[] {1, 2, 3}).data());
        assertEquals("int[3] 1 -2 3", Display.of(new int[] {1, -2, 3}).data());
        assertEquals("long[50]" + " 0".repeat(40) + " …", Display.of(new long[50]).data());
        assertEquals(Display.HTML, Display.of((Showable) () -> table).mime());
        assertTrue(Show.text(table).startsWith("token"));
    }

    @Test
    void aPageThatShowsNoHtmlHasThePicture() throws Exception {
        HeatMap map = HeatMap.of("t", new double[][] {{0, 1}});
        Map<String, String> forms = Display.forms((Showable) () -> map);
        assertEquals(List.of(Display.TEXT, Display.HTML, Display.PNG), List.copyOf(forms.keySet()));
        assertArrayEquals(map.png(), Base64.getMimeDecoder().decode(forms.get(Display.PNG)));
        assertTrue(forms.get(Display.HTML).contains(Base64.getEncoder().encodeToString(map.png())), "the same picture");
        assertEquals(List.of(Display.TEXT, Display.HTML), List.copyOf(Display.forms(table).keySet()));
        assertEquals(Map.of(Display.TEXT, "float[1] 2.000"), Display.forms(new float[] {2}));
    }

    @Test
    void matricesAreTables() {
        String small = Display.of(new float[][] {{0.5f, 2}, {-1, 1e-7f}}).data();
        assertTrue(small.contains(">float[2][2]<") && small.contains(">0.5000<") && small.contains(">1.0e-07<"), small);
        assertEquals(List.of("row  0  1  2", "0    1  2  3", "1    4", "2"),
                Show.text(new int[][] {{1, 2, 3}, {4}, null}).lines().map(String::stripTrailing).toList());
        assertTrue(Display.of(new int[][] {{1, 2, 3}, {4}}).data().contains("int[2][up to 3]"));
        String large = Display.of(new double[1000][1000]).data();
        assertTrue(large.contains("double[1000][1000]") && large.length() < 20_000, "length " + large.length());
        assertEquals(22, large.split("<tr>").length - 1, "a head, twenty rows, and one that says that there are more");
        assertTrue(Display.of(new float[0][]).data().contains("float[0][0]"));
    }

    @Test
    void progressIsThrottledAndEndsWithASentence() {
        List<String> shown = new ArrayList<>();
        long[] now = {0};
        Show.Channel kernel = new Show.Channel() {
            @Override
            public String show(Object o, String... mime) {
                shown.add(String.valueOf(o));
                return "id";
            }

            @Override
            public void update(String id, Object o, String... mime) {
                shown.add(String.valueOf(o));
            }
        };
        try (ProgressBar bar = ProgressBar.of("tracing", "rows", 100, kernel, () -> now[0])) {
            for (int i = 1; i <= 100; i++) {
                now[0] += 10_000_000;
                bar.to(i);
            }
        }
        assertTrue(shown.size() >= 5 && shown.size() <= 9, "drawn " + shown.size() + " times in a second");
        assertTrue(shown.get(2).contains("left"), shown.get(2));
        assertEquals("<small>tracing: 100 rows in 1.0 s</small>", shown.get(shown.size() - 1));
        assertFalse(shown.get(0).contains("left"));
        assertNotEquals(shown.get(0), shown.get(1));

        shown.clear();
        ProgressBar resumed = ProgressBar.of("training", "steps", 1000, kernel, () -> now[0]);
        resumed.from(900);
        now[0] += 2_000_000_000L;
        resumed.to(910);
        assertTrue(shown.get(1).contains("910 of 1,000 steps, going on after 900, 5.0 a second, 18 s left"), shown.get(1));
        resumed.close();
        assertEquals("<small>training: stopped after 910 of 1,000 steps, 2.0 s</small>", shown.get(2));
        assertEquals(3, shown.size());

        shown.clear();
        ProgressBar slow = ProgressBar.of("asking", "facts", 420, kernel, () -> now[0]);
        now[0] += 3_000_000_000L;
        slow.to(0);
        assertTrue(shown.get(1).contains("asking: 0 of 420 facts, 3 s so far"), shown.get(1));
        ProgressBar.stopAll();
        slow.to(256);
        slow.close();
        assertEquals("<small>asking: stopped after 0 of 420 facts, 3.0 s</small>", shown.get(shown.size() - 1));
    }

    @Test
    void aLiveOutputReplacesItself() {
        List<String> shown = new ArrayList<>();
        Show.Live live = new Show.Live(new Show.Channel() {
            @Override
            public String show(Object o, String... mime) {
                shown.add("shown " + o);
                return "id";
            }

            @Override
            public void update(String id, Object o, String... mime) {
                shown.add(id + " now " + o);
            }
        });
        live.update("a");
        live.update("b");
        assertEquals(List.of("shown a", "id now b"), shown);
        new Show.Live(null).update("nobody watches");
    }

    @Test
    void tablesAndPicturesAsFiles() throws Exception {
        Map<String, byte[]> files = Export.files("t", table);
        assertEquals("token,p\n<x>,0.25\ny,\n", new String(files.get("t.csv"), StandardCharsets.UTF_8).replace("\r", ""));
        JsonNode rows = new ObjectMapper().readTree(files.get("t.json"));
        assertEquals(0.25, rows.get(0).get("p").asDouble());
        assertTrue(rows.get(1).get("p").isNull(), rows.toString());
        assertEquals(Set.of("m.png", "m.svg"), Export.files("m", HeatMap.of("t", new double[][] {{1}})).keySet());
        assertThrows(IllegalArgumentException.class, () -> Export.files("x", "text"));
    }

    /** A token may hold a command to a terminal, a formula, a letter that XML does not know. */
    @Test
    void hostileTextsDoNothing() throws Exception {
        String hostile = "a\u001b[2Jb\n\u0001\u202e";
        String shown = "a\\u001b[2Jb\\n\\u0001\\u202e";
        Table t = Tables.of(hostile, List.of(hostile, "text"), List.of(List.of(1, hostile), List.of(2, "=1+1"), List.of(3, "-x")));
        assertEquals(List.of(shown + "  text", " ".repeat(shown.length() - 1) + "1  " + shown, " ".repeat(shown.length() - 1) + "2  =1+1",
                " ".repeat(shown.length() - 1) + "3  -x"), Tables.text(t).lines().toList());
        assertTrue(Tables.html(t).contains("<td style=\"text-align:left\">" + shown + "</td>"), Tables.html(t));
        assertTrue(Tables.html(t).chars().noneMatch(Character::isISOControl));
        Map<String, byte[]> files = Export.files("t", t);
        assertEquals(List.of(shown + ",text", "1," + shown, "2,'=1+1", "3,'-x"),
                new String(files.get("t.csv"), StandardCharsets.UTF_8).lines().toList());
        assertEquals(hostile, Json.MAPPER.readTree(files.get("t.json")).get(0).get("text").asText(), "JSON has the text itself");
        HeatMap map = HeatMap.of(hostile, new double[][] {{1, 2}}).rows(List.of(hostile)).columns(hostile, List.of(hostile, "x"));
        XYChart chart = Charts.line(Charts.lines(hostile, hostile, hostile), hostile, new double[] {0, 1}, new double[] {0, 1});
        for (byte[] svg : List.of(map.svg(), Export.files("c", chart).get("c.svg"))) {
            DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new ByteArrayInputStream(
                    new String(svg, StandardCharsets.UTF_8).replaceFirst("<!DOCTYPE[^>]*>", "").getBytes(StandardCharsets.UTF_8)));
        }
    }

    @Test
    void oneInfiniteCellLeavesTheOthersTheirColours() throws Exception {
        double[][] values = {{0, 1, Double.POSITIVE_INFINITY}};
        BufferedImage image = ImageIO.read(new ByteArrayInputStream(HeatMap.of("t", values).png()));
        BufferedImage finite = ImageIO.read(new ByteArrayInputStream(HeatMap.of("t", new double[][] {{0, 1, 1}}).png()));
        for (int x = 0; x < image.getWidth(); x++) {
            assertEquals(finite.getRGB(x, image.getHeight() / 3), image.getRGB(x, image.getHeight() / 3));
        }
    }

    @Test
    void sectionsAndTheirMinutes() {
        Minutes clock = Minutes.start();
        clock.took("a");
        clock.took("b");
        double before = clock.hours();
        clock.took("a");
        assertTrue(clock.hours() > before);
        Table table = (Table) clock.view();
        assertEquals(List.of("a", "b"), table.stringColumn("section").asList());
    }
}
