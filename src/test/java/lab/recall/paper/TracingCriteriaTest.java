package lab.recall.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.facts.FactPairs;
import lab.recall.facts.Relations;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.study.Runner;
import lab.recall.trace.AverageTrace;
import lab.recall.trace.BlockedPaths;
import lab.recall.trace.CausalTrace;
import lab.recall.trace.PathBlocking;
import lab.recall.view.Show;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The paper's shapes of traces and blocked paths. */
class TracingCriteriaTest {
    @BeforeAll
    static void keepNothing() {
        System.setProperty("recall.store", "none");
    }

    private static FactPairs pairs(LanguageModel model) {
        return Relations.of(model).knownBy(model, Runner.silent()).pairs(12, 1);
    }

    private static AverageTrace residual(LanguageModel model) {
        return CausalTrace.of(model).residual().over(pairs(model), Runner.silent());
    }

    @ParameterizedTest
    @CsvSource({"tiny-mamba, 11", "tiny-neox, 4"})
    void thePapersOwnCurvesHold(String name, int size) {
        LanguageModel model = LanguageModel.open(name);
        List<AverageTrace> traces = new ArrayList<>(List.of(residual(model)));
        for (HookPoint p : CausalTrace.components(model)) {
            traces.add(CausalTrace.of(model).component(p).over(pairs(model), Runner.silent()));
        }
        Criteria criteria = TracingCriteria.of(traces);
        CriteriaTest.assertPublished(criteria);
        assertEquals(size, criteria.size());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"tiny-mamba | o 0.50; o − g 0.05; g − s 0.16; s 0.29",
        "tiny-neox | MLP 0.27; attention 0.13; MLP − attention 0.14"})
    void thePapersBlockedPathsHold(String name, String published) {
        LanguageModel model = LanguageModel.open(name);
        BlockedPaths blocked = PathBlocking.of(model).over(pairs(model), Runner.silent());
        Criteria criteria = TracingCriteria.of(blocked);
        CriteriaTest.assertPublished(criteria);
        assertTrue(Show.text(criteria).contains(published), Show.text(criteria));
        BlockedPaths other = Made.elsewhere(blocked, BlockedPaths.class);
        assertTrue(assertThrows(BadRequest.class, () -> TracingCriteria.of(other)).getMessage()
                .startsWith("model: some is a Llama; the paper's numbers of path blocking are of "));
    }

    @Test
    void oneTraceOfEachPointOfOneModelIsNeeded() {
        AverageTrace one = residual(LanguageModel.open("tiny-mamba"));
        AverageTrace other = Made.elsewhere(one, AverageTrace.class);
        assertEquals("model: some is a Llama; the paper's numbers of causal tracing are of Mamba-2.8b (Mamba) and Pythia-2.8b (GPT-NeoX)"
                + " alone", refused(List.of(other)));
        assertEquals("traces: none of out, which the paper's shapes are about; there are resid_post", refused(List.of(one)));
        assertEquals("traces: two of resid_post, expected one of each point", refused(List.of(one, other)));
        assertEquals("traces: of 0 models, expected those of one", refused(List.of()));
    }

    private static String refused(List<AverageTrace> traces) {
        return assertThrows(BadRequest.class, () -> TracingCriteria.of(traces)).getMessage();
    }
}
