package lab.recall.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.paper.Criteria.Criterion;
import lab.recall.paper.Found.Span;
import lab.recall.stats.Estimate;
import lab.recall.stats.Samples;
import org.junit.jupiter.api.Test;
import tech.tablesaw.api.Table;

/** What criteria say of what was found and of what was published. */
class CriteriaTest {
    /** Each holds on the paper's own numbers. */
    static void assertPublished(Criteria criteria) {
        Table table = criteria.table();
        assertTrue(table.name().contains("the paper's numbers: "), table.name());
        for (int r = 0; r < table.rowCount(); r++) {
            assertFalse(table.getString(r, "paper").matches(".*\\((not held|undecided|not testable.*)\\)"),
                    table.getString(r, "criterion") + ": " + table.getString(r, "paper"));
        }
    }

    @Test
    void oneFunctionExaminesBoth() {
        Samples here = new Samples(new double[][] {{0.5, 0.5}, {0.2, 0.2}}, List.of("a", "b"));
        Samples wide = new Samples(new double[][] {{0.1, 0.9}, {0.2, 0.2}}, List.of("a", "b"));
        List<Criterion<Samples>> criteria = List.of(
                new Criterion<>("A1", "peak", (c, p) -> Found.atLeast(c.at(0), Found.HALF * p.at(0).mean())),
                new Criterion<>("A2", "end", (c, p) -> Found.everywhere(c.estimates(), new int[] {1}, Found.TENTH * p.at(0).mean(), false)),
                new Criterion<>("A3", "beyond", (c, p) -> Found.everywhere(c.estimates(), new int[0], 1, true)));
        Samples paper = Samples.published(0.6, 0.04);
        Criteria c = Criteria.examined("m", criteria, here, paper, "read");
        assertEquals("m: 1 of 3 held, 1 not held, 1 not testable at this depth", c.summary());
        assertEquals(Verdict.HELD, c.verdict("A1"));
        assertEquals(Verdict.NOT_HELD, c.verdict("A2"));
        assertEquals(Verdict.NOT_TESTABLE, c.verdict("A3"));
        assertEquals(Verdict.UNDECIDED, Criteria.examined("m", criteria, wide, paper, "read").verdict("A1"), "0.3 lies in [0.1, 0.9]");
        assertTrue(c.table().name().endsWith("the paper's numbers: read"), c.table().name());
        assertTrue(Criteria.examined("m", criteria, here, here, "read").table().getString(1, "paper").contains("(not held)"));
        assertEquals(4, c.add("A4", "more", new Found("yes", Verdict.HELD), "–").size());
        assertThrows(BadRequest.class, () -> c.verdict("A4"));
    }

    @Test
    void anIntervalClearsABoundOrDoesNot() {
        Estimate e = new Estimate(0.5, 0.4, 0.6, 9);
        assertEquals(new Found("0.50 [0.40, 0.60]", Verdict.HELD), Found.atLeast(e, 0.4));
        assertEquals(Verdict.UNDECIDED, Found.atLeast(e, 0.41).verdict());
        assertEquals(Verdict.NOT_HELD, Found.atLeast(e, 0.61).verdict());
        assertEquals(Verdict.HELD, Found.atMost(e, 0.6).verdict());
        assertEquals(Verdict.NOT_HELD, Found.atMost(e, 0.39).verdict());
        assertEquals(Verdict.NOT_TESTABLE, Found.atMost(Estimate.share(0, 0), 1).verdict());
        Estimate[] curve = {Estimate.exactly(-0.2), e, Estimate.exactly(0.1)};
        assertEquals("at most 0.50 [0.40, 0.60]", Found.everywhere(curve, new int[] {1, 2}, 0.55, false).text());
        assertEquals(Verdict.UNDECIDED, Found.everywhere(curve, new int[] {1, 2}, 0.55, false).verdict());
        assertEquals(Verdict.NOT_HELD, Found.nearNothing(curve, new int[] {0, 2}, 0.1).verdict());
        assertEquals(Verdict.NOT_HELD, Verdict.NOT_TESTABLE.and(Verdict.NOT_HELD));
        assertEquals(Verdict.NOT_TESTABLE, Verdict.UNDECIDED.and(Verdict.NOT_TESTABLE));
        assertEquals("-0.001", Criteria.number(-0.001, 3));
    }

    /** A layer is known as far as the intervals of the curve tell. */
    @Test
    void places() {
        Estimate[] sharp = {Estimate.exactly(0.1), Estimate.exactly(0.9), Estimate.exactly(0.2), Estimate.exactly(0)};
        Estimate[] blurred = {Estimate.exactly(0.1), new Estimate(0.9, 0.5, 1, 9), new Estimate(0.6, 0.3, 0.9, 9), Estimate.exactly(0)};
        assertEquals(new Span(1, 1, 4), Span.peak(sharp));
        assertEquals(new Span(1, 2, 4), Span.peak(blurred));
        assertEquals(new Span(3, 3, 4), Span.trough(sharp));
        assertEquals(new Span(1, 2, 4), Span.firstAbove(new Estimate[] {sharp[0], blurred[2], sharp[1], sharp[1]}, 0.5));
        assertEquals(new Span(2, 2, 4), Span.until(Samples.published(0.2, 1, 0.5, 0.4)));
        assertEquals(Verdict.HELD, Found.place(Span.peak(sharp), Span.peak(sharp)).verdict());
        assertEquals(Verdict.UNDECIDED, Found.place(Span.peak(blurred), Span.peak(sharp)).verdict());
        assertEquals(Verdict.NOT_HELD, Found.place(Span.trough(sharp), Span.peak(sharp)).verdict());
        assertEquals(Verdict.NOT_TESTABLE, Found.place(new Span(0, 0, 1), Span.peak(sharp)).verdict(),
                "one layer alone is all of the depth");
    }

    @Test
    void aModelHasTheNumbersOfItsFamilyOrNone() {
        assertEquals(PaperModel.MAMBA, PaperModel.of(Made.MAMBA).orElseThrow());
        assertEquals(PaperModel.PYTHIA, PaperModel.of(Made.NEOX).orElseThrow());
        assertTrue(PaperModel.of(Made.OTHER).isEmpty());
        assertEquals("model: tiny-neox is a GPT-NeoX; the paper's numbers of knock-out are of Mamba-2.8b (Mamba) alone",
                assertThrows(BadRequest.class, () -> PaperModel.of(Made.NEOX, "knock-out", PaperModel.MAMBA)).getMessage());
    }
}
