package lab.recall.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.edit.EditCurves;
import org.junit.jupiter.api.Test;

/** The paper's shapes of edits, on the paper's own numbers and on curves that miss them. */
class EditCriteriaTest {
    private static final List<String> THREE = List.of("in_proj.x", "in_proj.z", "out_proj");
    private static final List<String> ONE = List.of("mlp.dense_4h_to_h");
    private static final EditCurves MAMBA = Made.edits(Made.MAMBA, THREE, Made.published(PaperModel.MAMBA));
    private static final EditCurves NEOX = Made.edits(Made.NEOX, ONE, Made.published(PaperModel.PYTHIA));

    @Test
    void thePaperHasItsShapes() {
        CriteriaTest.assertPublished(EditCriteria.of(MAMBA));
        CriteriaTest.assertPublished(EditCriteria.of(NEOX));
        assertEquals(9, EditCriteria.of(MAMBA).size());
        assertEquals(3, EditCriteria.of(NEOX).size());
    }

    /** The paper's curves, read at few layers, keep the shapes that do not need many. */
    @Test
    void shapesAreFoundInCurvesThatHaveThem() {
        Criteria likePaper = EditCriteria.of(MAMBA);
        assertEquals(Verdict.HELD, likePaper.verdict("D2"), likePaper.table().print());
        assertTrue(EditCriteria.of(NEOX).count(Verdict.HELD) >= 2, EditCriteria.of(NEOX).table().print());
        Made.Curve flat = (matrix, measure) -> new double[] {0.5};
        assertEquals(0, EditCriteria.of(Made.edits(Made.MAMBA, THREE, flat)).count(Verdict.HELD));
        assertEquals(0, EditCriteria.of(Made.edits(Made.NEOX, ONE, flat)).count(Verdict.HELD));
    }

    @Test
    void allLayersAndMatricesAreNeeded() {
        Made.Curve zero = (matrix, measure) -> new double[] {0};
        for (EditCurves some : List.of(Made.edits(Made.MAMBA, List.of(1), THREE, zero),
                Made.edits(Made.MAMBA, THREE.subList(1, 3), zero))) {
            assertTrue(assertThrows(BadRequest.class, () -> EditCriteria.of(some)).getMessage().contains("all layers and matrices"));
        }
    }

    @Test
    void anotherFamilyHasNoNumbers() {
        EditCurves other = Made.elsewhere(MAMBA, EditCurves.class);
        assertEquals("model: some is a Llama; the paper's numbers of rank-one editing are of Mamba-2.8b (Mamba) and Pythia-2.8b (GPT-NeoX)"
                + " alone", assertThrows(BadRequest.class, () -> EditCriteria.of(other)).getMessage());
    }
}
