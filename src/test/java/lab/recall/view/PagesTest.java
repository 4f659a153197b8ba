package lab.recall.view;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import lab.recall.SystemProperty;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/** What stands below a cell and on a page: of use without scripts, more with them. The scripts run in environment/lab-test. */
class PagesTest {
    private static Table rows(int n) {
        return Tables.of("t", List.of("n", "effect", "text"), IntStream.range(0, n)
                .mapToObj(i -> List.<Object>of(i, "0.119 [0.035, 0.227]", "a sentence that is longer than a cell")).toList());
    }

    /** Rows beyond the first sixty are folded, so that all can be seen without a script; an estimate stays in one line. */
    @Test
    void longTablesAreFolded() {
        String html = Tables.html(rows(200));
        assertTrue(html.contains("<summary>140 more rows</summary>") && html.contains(">199<"));
        assertTrue(html.contains("<td style=\"text-align:left;white-space:nowrap\">0.119 [0.035, 0.227]</td>"));
        assertTrue(html.contains("<td style=\"text-align:left\">a sentence"));
        assertEquals(List.of("table", "table"), opened(html, "table"), "two tables, each closed");
    }

    @Test
    void aPageStaysSmall() {
        String all = Tables.html(Tables.of("t", List.of("n"), IntStream.range(0, 5_000).mapToObj(i -> List.of(i)).toList()));
        assertTrue(all.contains("<summary>4940 more rows</summary>") && all.contains(">4999<"));
        String huge = Tables.html(Tables.of("t", List.of("n"), IntStream.range(0, 50_000).mapToObj(i -> List.of(i)).toList()));
        assertTrue(huge.length() < 320_000, huge.length() + " letters");
        Matcher said = Pattern.compile("<summary>(\\d+) more rows</summary>.*<p>(\\d+) rows are left out here").matcher(huge);
        assertTrue(said.find());
        assertEquals(50_000, 60 + Integer.parseInt(said.group(1)) + Integer.parseInt(said.group(2)));
        assertTrue(huge.contains("Figures.save(name, table) writes all"));
    }

    @Test
    void aTableHasAScriptWhereThereIsSomethingToSort() {
        assertFalse(Tables.html(rows(2)).contains("<script>"));
        String html = Tables.html(rows(3));
        assertTrue(html.contains("<div class=\"recall-table\"><table") && html.endsWith("</script>"));
        assertEquals(3, html.split("<th scope=\"col\"").length - 1);
        assertTrue(html.indexOf("</table>") < html.indexOf("<script>"), "the plain table stands before it");
        assertEquals(1, html.split("</script>").length, "no text of the script ends it");
    }

    /** No library, no address, nothing kept. */
    @Test
    void scriptsNeedNothing() {
        for (String name : List.of("table.js", "slider.js")) {
            String script = Script.element(name);
            for (String foreign : List.of("http", "import", "eval", "Storage")) {
                assertFalse(script.contains(foreign), name + ": " + foreign);
            }
            assertTrue(script.length() < 4_500, name + " has " + script.length() + " letters");
            assertFalse(script.contains("//") || script.contains("\n"), "one line, without comments");
        }
    }

    @Test
    void tokensAreColouredAndSayTheirNumbers() {
        TokenColours tokens = TokenColours.of(List.of("<|end|>", "Novux", " \"Bridge\"", ""), new double[] {Double.NaN, 0, 4, 2})
                .title("bits");
        String html = Display.of(tokens).data();
        assertTrue(html.contains("<span title=\"&lt;|end|&gt;: –\">&lt;|end|&gt;</span>"), html);
        assertTrue(html.contains("<span title=\"Novux: 0\" style=\"background-color:#ffffff;color:#222222\">Novux</span>"), html);
        assertTrue(html.contains("<span title=\"&quot;Bridge&quot;: 4\" style=\"background-color:#3f007d;color:#ffffff\"> &quot;B"), html);
        assertTrue(html.contains(">·</span>"), "an empty token can be pointed at");
        assertTrue(html.contains("largest: &quot;Bridge&quot; 4, · 2, Novux 0"), html);
        assertTrue(html.contains("<summary>the numbers</summary><div class=\"recall-table\"><table"), "numbers to read");
        assertEquals("bits: <|end|> [–] Novux [0] \"Bridge\" [4] · [2]", Show.text(tokens));
        assertEquals(Set.of("t.csv", "t.json"), Export.files("t", tokens).keySet());
        assertEquals(html, Display.of(tokens).data(), "the same page again");
    }

    @Test
    void negativeNumbersAreBlue() {
        String html = Display.of(TokenColours.of(List.of("a", "b", "c"), new double[] {-2, 0, 1})).data();
        assertTrue(html.contains("title=\"a: -2\" style=\"background-color:#2166ac;color:#ffffff\""), html);
        assertTrue(html.contains("title=\"b: 0\" style=\"background-color:#f7f7f7"), html);
        String same = Display.of(TokenColours.of(List.of("a"), new double[] {3})).data();
        assertTrue(same.contains("title=\"a: 3\" style="), same);
        assertTrue(Display.of(TokenColours.of(List.of("a"), new double[] {Double.NaN})).data().contains("no token has a number"));
    }

    @Test
    void tokensThatDoNotFit() {
        assertEquals("2 tokens and 1 numbers, expected at least one token and a number for each",
                assertThrows(BadRequest.class, () -> TokenColours.of(List.of("a", "b"), new double[1])).getMessage());
        assertThrows(BadRequest.class, () -> TokenColours.of(List.of(), new double[0]));
        assertThrows(BadRequest.class, () -> TokenColours.of(List.of("a"), new double[1]).range(1, 1));
    }

    private static Slider slider() {
        return Slider.over("share", "layer", IntStream.range(0, 3).mapToObj(k -> HeatMap.of("own " + k,
                new double[][] {{k, Double.NaN}, {0.123456, 2 - k}}).rows(List.of("a", "<b>")).columns("is read")).toList());
    }

    /** The first picture, and of all maps the numbers as they are said; what a script needs is data, not code. */
    @Test
    void aSliderSendsNumbers() throws Exception {
        Map<String, String> forms = Display.forms(slider());
        String html = forms.get(Display.HTML);
        assertEquals(1, html.split("<img ").length - 1, "one picture");
        assertTrue(html.contains("title=\"&lt;b&gt;, is read 0: 0.1235\""), html);
        assertTrue(html.contains("title=\"a, is read 1: nothing to average\""), html);
        Matcher data = Pattern.compile("data-frames=\"([^\"]+)\"").matcher(html);
        assertTrue(data.find());
        JsonNode frames = Json.MAPPER.readTree(data.group(1).replace("&quot;", "\"").replace("&lt;", "<").replace("&amp;", "&"));
        assertEquals(List.of("0 – 0.1235 2", "1 – 0.1235 1", "2 – 0.1235 0"), IntStream.range(0, 3)
                .mapToObj(k -> frames.get("values").get(k).asText()).toList());
        assertEquals(List.of(0.0, 2.0), List.of(frames.get("from").asDouble(), frames.get("to").asDouble()));
        assertEquals(2, frames.get("columns").asInt());
        Matcher area = Pattern.compile("coords=\"(\\d+),(\\d+),(\\d+),(\\d+)\"").matcher(html);
        assertTrue(area.find());
        int left = Integer.parseInt(area.group(1));
        int top = Integer.parseInt(area.group(2));
        assertEquals("[" + left + "," + top + "," + (Integer.parseInt(area.group(3)) - left) + ","
                + (Integer.parseInt(area.group(4)) - top) + "]", frames.get("cell").toString(), "where the script paints");
        assertTrue(html.contains("<summary>the largest number by layer</summary>") && html.contains(">&lt;b&gt;, is read 1<"), html);
        assertEquals("[slider: share, layer 0 to 2]", forms.get(Display.TEXT));
        assertTrue(ImageIO.read(new ByteArrayInputStream(Base64.getMimeDecoder().decode(forms.get(Display.PNG)))).getWidth() > 100);
    }

    @Test
    void aSlidersMapsFitEachOther() {
        assertEquals("share, layer 2", slider().at(2).title());
        assertEquals(12, slider().table().rowCount());
        assertEquals(Set.of("s.png", "s.svg", "s.csv", "s.json"), Export.files("s", slider()).keySet());
        HeatMap one = HeatMap.of("t", new double[][] {{1}});
        assertTrue(assertThrows(BadRequest.class, () -> slider().at(3)).getMessage().contains("expected a whole number from 0 to 2"));
        assertThrows(BadRequest.class, () -> Slider.over("t", "layer", List.of()));
        assertTrue(assertThrows(BadRequest.class, () -> Slider.over("t", "layer", List.of(one, HeatMap.of("t", new double[][] {{1, 2}}))))
                .getMessage().contains("layer 1 of a slider has 1 rows and 2 columns, expected 1 and 1 as in the first"));
        assertThrows(BadRequest.class, () -> Slider.over("t", "layer", List.of(HeatMap.beside(one, one))));
    }

    /** Nothing of a picture is lost for its being smaller. */
    @Test
    void picturesArePackedWithoutLoss() throws Exception {
        XYChart chart = Charts.line(Charts.lines("t", "x", "y"), "s", new double[] {0, 1, 2}, new double[] {1, 2, 0.5});
        BufferedImage image = new BufferedImage(chart.getWidth(), chart.getHeight(), BufferedImage.TYPE_INT_RGB);
        chart.paint(image.createGraphics(), image.getWidth(), image.getHeight());
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        ImageIO.write(image, "png", plain);
        byte[] packed = Png.packed(image);
        assertTrue(packed.length < plain.size(), packed.length + " of " + plain.size() + " bytes");
        BufferedImage back = ImageIO.read(new ByteArrayInputStream(packed));
        assertArrayEquals(image.getRGB(0, 0, 760, 380, null, 0, 760), back.getRGB(0, 0, 760, 380, null, 0, 760));
    }

    /** RECALL_FIGURES is not set here. */
    @Test
    void itIsSaidWhereAFigureIs(@TempDir Path home) throws Exception {
        PrintStream out = System.out;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        String before = SystemProperty.set("recall.home", home.toString());
        System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            Figures.save("a/b", rows(3));
        } finally {
            System.setOut(out);
            SystemProperty.set("recall.home", before);
        }
        Path folder = home.resolve("target").resolve("figures");
        assertTrue(Files.exists(folder.resolve("a-b.csv")));
        assertEquals("saved in " + folder + ": a-b.csv, a-b.json", said.toString(StandardCharsets.UTF_8).strip());
    }

    private static List<String> opened(String html, String tag) {
        assertEquals(html.split("<" + tag + " ").length, html.split("</" + tag + ">").length);
        return IntStream.range(1, html.split("<" + tag + " ").length).mapToObj(i -> tag).toList();
    }
}
