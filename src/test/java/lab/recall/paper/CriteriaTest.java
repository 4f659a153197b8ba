package lab.recall.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.paper.Criteria.Criterion;
import lab.recall.paper.Criteria.Found;
import lab.recall.view.Tables;
import org.junit.jupiter.api.Test;
import tech.tablesaw.api.Table;

/** What criteria say of what was found and of what was published. */
class CriteriaTest {
    /** Each holds on the paper's own numbers. */
    static void assertPublished(Criteria criteria) {
        Table table = criteria.table();
        assertTrue(table.name().contains("the paper's numbers: "), table.name());
        for (int r = 0; r < table.rowCount(); r++) {
            assertFalse(table.getString(r, "paper").contains("not held"),
                    table.getString(r, "criterion") + ": " + table.getString(r, "paper"));
        }
    }

    @Test
    void oneFunctionExaminesBoth() {
        Criteria c = Criteria.examined("m", List.<Criterion<double[]>>of(
                new Criterion<>("A1", "peak", v -> Found.atLeast(v, 0, 0, 0.4)),
                new Criterion<>("A2", "fall", v -> Found.below(v, 0.5, 1, 0.1))), new double[] {0.5, 0.2}, new double[] {0.3, 0}, "read");
        assertEquals(1, c.held());
        assertTrue(c.held("A1") && !c.held("A2"));
        assertEquals("m: 1 of 2 held; the paper's numbers: read", c.table().name());
        assertTrue(Tables.text(c.table()).contains("at least 0.30 (not held)"), Tables.text(c.table()));
        assertEquals(3, c.add("A3", "more", new Found("yes", true), "–").size());
        assertThrows(BadRequest.class, () -> c.held("A3"));
    }

    @Test
    void boundsAreIncludedOrNot() {
        double[] curve = {0.1, 0.5, 0.2, -0.001};
        assertTrue(Found.atMost(curve, 0, 1, 0.5).held() && !Found.below(curve, 0, 1, 0.5).held());
        assertTrue(Found.atLeast(curve, 0, 0.5, 0.1).held());
        assertEquals(new Found("at most 0.20", true), Found.below(curve, 0.5, 1, 0.21));
        assertEquals(new Found("at least 0.00", false), Found.atLeast(curve, 0.75, 1, 0));
        assertEquals("-0.001", Criteria.number(-0.001, 3));
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
