package lab.recall.paper;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.edit.EditCurves;
import lab.recall.facts.Relations;
import lab.recall.knockout.KnockoutCurves;
import lab.recall.knockout.Route;
import lab.recall.knockout.TokenGroup;
import lab.recall.model.LanguageModel;
import lab.recall.model.ModelFacts;
import lab.recall.stats.RelativeDepth;
import lab.recall.study.ModelCard;
import lab.recall.study.Runner;
import lab.recall.trace.AverageTrace;
import lab.recall.trace.CausalTrace;
import lab.recall.trace.Position;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/** Published numbers that are fed as measured ones agree; wrong ones differ; another model's are not compared. */
class CertificateTest {
    private static final List<String> THREE = List.of("in_proj.x", "in_proj.z", "out_proj");
    private static final ModelCard PAPERS = new ModelCard("state-spaces/mamba-2.8b-hf", "Mamba", 64, 2560, 50280, "9",
            new ModelFacts("lre", false, true, null));
    private static AverageTrace trace;

    @BeforeAll
    static void open() {
        System.setProperty("recall.store", "none");
        LanguageModel mamba = LanguageModel.open("tiny-mamba");
        trace = CausalTrace.of(mamba).residual()
                .over(Relations.of(mamba).only("place_in_city").knownBy(mamba, Runner.silent()).pairs(4, 1), Runner.silent());
    }

    private static EditCurves edits(ModelCard card, DoubleUnaryOperator change) {
        return Made.edits(card, THREE, (matrix, measure) -> Arrays.stream(PaperEdits.curve(PaperModel.MAMBA, matrix, measure.label()))
                .map(change).toArray());
    }

    /** A trace of 64 layers, all of whose pairs have these curves. */
    private static AverageTrace traced(ModelCard card, BiFunction<Position, double[], double[]> change) {
        ObjectNode json = (ObjectNode) Json.tree(trace);
        json.set("model", Json.tree(card));
        ArrayNode samples = json.putArray("samples");
        for (Position p : Position.values()) {
            double[] published = TracingCriteria.ROWS.containsKey(p)
                    ? TracingCriteria.traces(PaperModel.MAMBA).at(TracingCriteria.RESIDUAL, p).means() : new double[64];
            ArrayNode layers = samples.addArray();
            for (double v : change.apply(p, published)) {
                ArrayNode pairs = layers.addArray();
                IntStream.range(0, 4).forEach(i -> pairs.add(v));
            }
        }
        json.putArray("effects");
        return Made.read(json, AverageTrace.class);
    }

    private static KnockoutCurves knockedOut(ModelCard card, DoubleUnaryOperator change) {
        double[][] routes = TokenGroup.PUBLISHED.stream().map(g -> Arrays.stream(PaperNumbers.of("knockout")
                .curve("categories", KnockoutCriteria.NAMES.get(g))).map(change).toArray()).toArray(double[][]::new);
        return Made.read(Json.tree(Map.of("model", card, "what", "mean in_x", "window", 10, "routes",
                TokenGroup.PUBLISHED.stream().map(Route::from).toList(), "changes", new double[][][] {routes, routes}, "relations",
                List.of("a", "b"))), KnockoutCurves.class);
    }

    @Test
    void aCurveBesideThePublishedOne() {
        Certificate right = Certificate.of(PAPERS).edits(edits(PAPERS, v -> v));
        String curve = "W_o, efficacy";
        assertTrue(right.curves().contains(curve), right.curves().toString());
        XYChart chart = right.chart(curve);
        double[] published = PaperEdits.curve(PaperModel.MAMBA, PaperEdits.W_O, "efficacy");
        assertArrayEquals(published, chart.getSeries("published, " + PaperModel.MAMBA.checkpoint()).getYData());
        assertArrayEquals(chart.getSeries(PAPERS.name()).getXData(), RelativeDepth.each(published.length));
        assertEquals("curve: 'W_o, eficacy' is none of this certificate; did you mean 'W_o, efficacy'?",
                assertThrows(BadRequest.class, () -> right.chart("W_o, eficacy")).getMessage());
    }

    @Test
    void publishedNumbersAgreeAndWrongOnesDiffer() {
        Certificate right = Certificate.of(PAPERS).traces(List.of(traced(PAPERS, (p, curve) -> curve))).edits(edits(PAPERS, v -> v))
                .knockout(knockedOut(PAPERS, v -> v));
        assertTrue(right.isComparable());
        int rows = right.table().rowCount();
        assertEquals(4 + 12 + 4, rows);
        assertEquals(rows, right.count("agrees"), right.table().print());
        Certificate wrong = Certificate.of(PAPERS).traces(List.of(traced(PAPERS, (p, curve) -> Arrays.stream(curve).map(v -> v + 0.2)
                .toArray()))).edits(edits(PAPERS, v -> 0.8 * v)).knockout(knockedOut(PAPERS, v -> v + 0.1));
        assertEquals(rows, wrong.table().rowCount());
        assertEquals(0, wrong.count("agrees"), wrong.table().print());
        assertTrue(wrong.count("differs") >= rows - 1, "what is cut off at the top says at least as much: " + wrong.table().print());
        assertTrue(right.summary().endsWith("20 published curves and bars: 20 agree, 0 are undecided, 0 differ"), right.summary());
    }

    /** Where a published map is cut off, more is no contradiction, and less is. */
    @Test
    void whatIsCutOffMeansAtLeast() {
        Certificate more = Certificate.of(PAPERS).traces(List.of(traced(PAPERS,
                (p, curve) -> Arrays.stream(curve).map(v -> v > 0.79 ? 1 : v).toArray())));
        assertEquals(4, more.count("agrees"), more.table().print());
        Certificate less = Certificate.of(PAPERS).traces(List.of(traced(PAPERS,
                (p, curve) -> Arrays.stream(curve).map(v -> v > 0.79 ? 0.6 : v).toArray())));
        assertEquals(1, less.count("differs"), less.table().print());
    }

    @Test
    void anotherModelIsComparedByShape() {
        Certificate own = Certificate.of(Made.MAMBA).edits(edits(Made.MAMBA, v -> v));
        assertFalse(own.isComparable());
        assertEquals(0, own.count("agrees"));
        assertTrue(own.summary().contains("of an invented world, so that its numbers are not comparable"), own.summary());
        Table table = own.table();
        Table turned = Certificate.of(Made.MAMBA).edits(edits(Made.MAMBA, v -> 1 - v)).table();
        for (int r = 0; r < table.rowCount(); r++) {
            assertEquals("not comparable", table.getString(r, "verdict"));
        }
        double same = Double.parseDouble(table.getString(11, "shape"));
        assertTrue(same > 0.95, table.print());
        assertTrue(Double.parseDouble(turned.getString(8, "shape")) < -0.9, turned.print());
    }

    @Test
    void oneModelOfTheFamily() {
        assertTrue(assertThrows(BadRequest.class, () -> Certificate.of(Made.OTHER)).getMessage().startsWith("model: some is a Llama;"));
        EditCurves other = edits(Made.MAMBA, v -> v);
        assertEquals("model: a result of tiny-mamba in the certificate of state-spaces/mamba-2.8b-hf",
                assertThrows(BadRequest.class, () -> Certificate.of(PAPERS).edits(other)).getMessage());
    }
}
