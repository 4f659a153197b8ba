package lab.recall.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.facts.KnownFacts.Known;
import lab.recall.facts.Relations;
import lab.recall.knockout.Knockout;
import lab.recall.knockout.KnockoutCurves;
import lab.recall.model.LanguageModel;
import lab.recall.study.Runner;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The paper's shapes of knock-out. */
class KnockoutCriteriaTest {
    @BeforeAll
    static void keepNothing() {
        System.setProperty("recall.store", "none");
    }

    @Test
    void thePapersOwnCurvesHold() {
        LanguageModel mamba = LanguageModel.open("tiny-mamba");
        List<Known> facts = Relations.of(mamba).knownBy(mamba, Runner.silent()).sample(3, 1);
        KnockoutCurves curves = Knockout.of(mamba).edges().over(facts, Runner.silent());
        KnockoutCurves single = Knockout.of(mamba).edges().window(1).over(facts, Runner.silent());
        Criteria criteria = KnockoutCriteria.of("edges", curves, single);
        CriteriaTest.assertPublished(criteria);
        assertEquals(10, criteria.size());
        String steps = criteria.table().getString(9, "paper");
        assertTrue(steps.contains("layers 47 and 43"), steps);
        KnockoutCurves other = Made.elsewhere(curves, KnockoutCurves.class);
        assertEquals("model: some is a Llama; the paper's numbers of knock-out are of Mamba-2.8b (Mamba) alone",
                assertThrows(BadRequest.class, () -> KnockoutCriteria.of("edges", other, single)).getMessage());
    }

    @Test
    void layersThatEnterAndLeaveTheWindow() {
        // layer 4 is in the windows of 2 around 4 and 5
        assertEquals(4, KnockoutCriteria.readers(new double[] {0, 0, 0, 0, -1, -1, 0, 0}, 2).get(0));
        assertEquals(4, KnockoutCriteria.readers(new double[] {0, 0, 0, -1, -1, -1, 0, 0}, 3).get(0));
    }
}
