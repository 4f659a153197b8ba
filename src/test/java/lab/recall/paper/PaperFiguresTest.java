package lab.recall.paper;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import lab.recall.base.BadRequest;
import lab.recall.trace.Position;
import org.junit.jupiter.api.Test;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/** The paper's figures, drawn again, and what is counted of them. */
class PaperFiguresTest {
    /** The background of most maps is known from their flat cells: 0.03 of o and g, next to nothing of s and the stream. */
    @Test
    void backgrounds() {
        PaperNumbers numbers = PaperFigures.traced();
        assertEquals(0.032, TracingCriteria.background(numbers, "mamba o"), 0.006);
        assertEquals(0.030, TracingCriteria.background(numbers, "mamba g(mlp_after_silu)"), 0.003);
        assertEquals(0.001, TracingCriteria.background(numbers, "mamba s"), 1e-9);
        assertEquals(0.002, TracingCriteria.background(numbers, "mamba residual"), 1e-9);
        assertEquals(0.084, TracingCriteria.background(numbers, "pythia mlp"), 0.004);
        assertEquals(7, PaperFigures.maps().size());
        Table maps = PaperCorrections.maps();
        assertEquals("326", maps.getString(PaperFigures.maps().indexOf("mamba o"), "examples"));
        assertEquals("prefix, subject_[:-2]", maps.getString(0, "rows without a number"));
        assertThrows(BadRequest.class, () -> PaperFigures.corrected("mamba q"));
    }

    @Test
    void aDifferenceLosesItsBackgrounds() {
        double[] published = PaperFigures.difference(0);
        double[] corrected = PaperFigures.difference(1);
        PaperNumbers n = PaperFigures.traced();
        double off = TracingCriteria.background(n, "mamba o") - TracingCriteria.background(n, "mamba s")
                - TracingCriteria.background(n, "mamba g(mlp_after_silu)");
        assertArrayEquals(Arrays.stream(published).map(v -> v - off).toArray(), corrected, 1e-12);
        assertEquals(0.499 - 0.015 - 0.111, published[17], 1e-9, "the numbers of layer 17");
        assertTrue(PaperCorrections.difference().contains("326, 601 and 604"), PaperCorrections.difference());
    }

    /** The share that blocking takes away is 1 - blocked / nothing blocked, where something returns at all. */
    @Test
    void sharesLost() {
        XYChart lost = PaperFigures.lost("mamba-2.8b", Position.SUBJECT_LAST);
        double[] x = lost.getSeries("o blocked").getXData();
        int at = Arrays.binarySearch(x, 15);
        assertEquals(1 - 0.029 / 0.575, lost.getSeries("o blocked").getYData()[at], 1e-9);
        assertTrue(Arrays.stream(x).max().orElseThrow() < 47, "nothing returns from layer 47 on");
        assertEquals(4, PaperFigures.blocked("pythia-2.8b-deduped", Position.LAST).getSeriesCollection().size() + 1);
        assertThrows(BadRequest.class, () -> PaperFigures.blocked("gpt2", Position.LAST));
    }

    @Test
    void everyFigureIsDrawn() {
        PaperFigures.maps().forEach(m -> assertTrue(PaperFigures.published(m).png().length > 0));
        for (String measure : new String[] {"efficacy", "generalisation", "specificity", "score"}) {
            assertEquals(4, PaperFigures.edits(measure).getSeriesCollection().size());
        }
        assertEquals(8, PaperFigures.sweeps().size());
        PaperFigures.sweeps().forEach(r -> assertTrue(PaperFigures.sweep(r).getSeriesCollection().size() >= 4, r));
        assertEquals(5, PaperFigures.knockout().getSeriesCollection().size());
        assertEquals(4, PaperFigures.handOver().getSeriesCollection().size());
    }

    @Test
    void baselinesAndChoices() {
        assertEquals(25, PaperCorrections.linear().rowCount());
        assertTrue(PaperCorrections.linearSummary().startsWith("Mamba-2.8b: 25 of 25 relations at or above the paper's baseline, "),
                PaperCorrections.linearSummary());
        Table edits = PaperCorrections.edits();
        assertEquals("1 of 64", edits.getString(2, "best layer"));
        assertTrue(edits.getString(2, 3).startsWith("0.944 ["), edits.print());
        assertEquals("47", PaperCorrections.readers().getString(0, 0));
    }
}
