package lab.recall.paper;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import lab.recall.base.Json;
import lab.recall.base.Progress;
import lab.recall.edit.EditCurves;
import lab.recall.edit.EditSweepResult;
import lab.recall.study.NamedView;
import lab.recall.study.Overlay;
import lab.recall.study.Requests;
import lab.recall.study.Result;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import tech.tablesaw.api.Table;

/** What the paper's numbers add to a result's views. */
class PaperOverlayTest {
    private static final List<String> THREE = List.of("in_proj.x", "in_proj.z", "out_proj");
    private static final List<String> OWN = List.of("edits", "score", "efficacy", "generalisation", "specificity");

    private static Map<String, Object> views(EditCurves curves) {
        List<NamedView> views = Overlay.views(new EditSweepResult(curves, 0, 0));
        assertEquals(OWN, views.stream().map(NamedView::name).limit(OWN.size()).toList(), "in the places of the result's own");
        return views.stream().collect(Collectors.toMap(NamedView::name, NamedView::view));
    }

    private static List<String> published(Object chart) {
        return ((XYChart) chart).getSeriesCollection().stream().map(XYSeries::getName).filter(n -> n.contains("paper")).toList();
    }

    @Test
    void aWholeSweepStandsBesideThePapersCurvesAndShapes() {
        EditCurves curves = Made.edits(Made.MAMBA, THREE, Made.published(PaperModel.MAMBA));
        Map<String, Object> views = views(curves);
        assertEquals(OWN.size() + 1, views.size());
        assertEquals(EditCriteria.of(curves).table().print(), ((Table) views.get("criteria")).print());
        for (String measure : OWN.subList(1, OWN.size())) {
            assertEquals(List.of("W_a, paper's Mamba", "W_g, paper's Mamba", "W_o, paper's Mamba"), published(views.get(measure)));
            XYSeries gate = ((XYChart) views.get(measure)).getSeries("W_g, paper's Mamba");
            assertArrayEquals(PaperEdits.curve(PaperModel.MAMBA, "in_proj.z", measure), gate.getYData());
            assertEquals(1, gate.getXData()[63]);
            assertEquals(1 / 64.0, gate.getXData()[0]);
        }
    }

    @Test
    void aPartHasItsCurvesAlone() {
        Map<String, Object> views = views(Made.edits(Made.MAMBA, List.of(2, 3), List.of("out_proj"), Made.published(PaperModel.MAMBA)));
        assertEquals(OWN.size(), views.size(), "no criteria");
        assertEquals(List.of("W_o, paper's Mamba"), published(views.get("score")));
        EditCurves neox = Made.edits(Made.NEOX, List.of(2), List.of("mlp.dense_4h_to_h"), Made.published(PaperModel.PYTHIA));
        XYChart chart = (XYChart) views(neox).get("efficacy");
        assertEquals(List.of("W_down, paper's Pythia"), published(chart));
        assertEquals(1, chart.getSeries("W_down, paper's Pythia").getXData()[31]);
    }

    /** A folder of a result has them; the experiment itself knows none. */
    @Test
    void inTheFolderOfAResult(@TempDir Path dir) {
        System.setProperty("recall.store", "none");
        ObjectNode request = Json.object("""
                {"experiment": "edit_sweep", "model": "tiny-neox", "requests": 1, "contexts": 0, "documents": 60,
                 "hyperparameters": {"steps": 1}}""".getBytes(StandardCharsets.UTF_8), "request");
        Result result = new Requests().run(request, dir, false, Progress.silent()).result();
        assertEquals(OWN, result.views().stream().map(NamedView::name).toList());
        assertTrue(Json.object(dir.resolve("result.json")).get("files").toString().contains("\"criteria.csv\""));
        assertTrue(Files.exists(dir.resolve("criteria.csv")));
    }

    /** Never Mamba's numbers, although its matrices have the names of Mamba's: the result's own charts, over layers. */
    @ParameterizedTest
    @ValueSource(strings = {"score", "efficacy", "generalisation", "specificity"})
    void anotherFamilyHasNone(String measure) {
        EditCurves curves = Made.elsewhere(Made.edits(Made.MAMBA, THREE, Made.published(PaperModel.MAMBA)), EditCurves.class);
        Map<String, Object> views = views(curves);
        assertEquals(OWN.size(), views.size());
        XYChart chart = (XYChart) views.get(measure);
        assertEquals(List.of(), published(chart));
        assertEquals("layer", chart.getXAxisTitle());
        assertEquals(List.of(), published(PaperEdits.beside(curves)));
    }
}
