package lab.recall.paper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.facts.Relation;
import lab.recall.facts.Relations;
import lab.recall.linear.Baselines;
import lab.recall.linear.LinearRelations;
import lab.recall.linear.LinearSweep;
import lab.recall.model.LanguageModel;
import lab.recall.study.Runner;
import lab.recall.text.Tokenizer;
import lab.recall.view.Show;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the paper reports about linear relations. */
class LinearCriteriaTest {
    private static LinearSweep mamba;
    private static Relations capitals;

    @BeforeAll
    static void open() {
        System.setProperty("recall.store", "none");
        LanguageModel model = LanguageModel.open("tiny-mamba");
        mamba = sweep(model);
        capitals = Relations.of(model).only("country_capital_city");
    }

    private static LinearSweep sweep(LanguageModel model) {
        return LinearSweep.of(model).zeroShot().splits(1).layers(0, 4).ranks(8);
    }

    /** Each criterion was taken from the paper: on the paper's own numbers it holds. */
    @Test
    void thePapersNumbersHold() {
        LinearRelations first = mamba.over(capitals, Runner.silent());
        LinearRelations second = sweep(LanguageModel.open("tiny-neox")).over(capitals, Runner.silent());
        CriteriaTest.assertPublished(LinearCriteria.of(first, second));
        assertEquals(LinearCriteria.of(first).size() + LinearCriteria.of(second).size(), LinearCriteria.of(second, first).size(),
                "two models of an invented world are not compared");
        assertTrue(LinearCriteria.of(first).table().name().contains("of invented facts"));
        LinearRelations real = real(first);
        assertEquals(LinearCriteria.of(first).size() + 1 + LinearCriteria.of(second).size() + 4,
                LinearCriteria.of(real, real(second)).size(), "the order of the relations, and the models");
        CriteriaTest.assertPublished(LinearCriteria.of(real, real(second)));
        LinearRelations other = Made.elsewhere(first, LinearRelations.class);
        assertTrue(assertThrows(BadRequest.class, () -> LinearCriteria.of(first, other)).getMessage()
                .startsWith("model: some is a Llama; the paper's numbers of linear relations are of "), "no second GPT-NeoX");
    }

    private static LinearRelations real(LinearRelations found) {
        ObjectNode json = (ObjectNode) Json.tree(found);
        ((ObjectNode) json.get("model").get("facts")).put("invented_world", false);
        return Made.read(json, LinearRelations.class);
    }

    @Test
    void withoutEditsOrMeasuredRelations() {
        LinearRelations unedited = mamba.faithfulnessOnly().over(capitals, Runner.silent());
        assertTrue(Show.text(LinearCriteria.of(unedited).table()).contains("no edits"));
        LinearRelations unknown = mamba.over(Relations.lre().only("country_largest_city"), Runner.silent());
        assertTrue(LinearCriteria.of(unknown).table().isEmpty());
    }

    @Test
    void barsByTheNamesOfFiles() {
        assertEquals(0.754, PaperLinearity.of(Made.MAMBA, "country_capital_city").orElseThrow().faithfulness());
        assertEquals(0.803, PaperLinearity.of(Made.NEOX, "country_capital_city").orElseThrow().faithfulness());
        assertEquals(0.162, PaperLinearity.of(Made.MAMBA, "star_constellation").orElseThrow().faithfulness());
        for (Relation r : Relations.lre().all()) {
            assertEquals(!r.name().equals("presidents_election_year"), PaperLinearity.of(Made.MAMBA, r.name()).isPresent(), r.name());
            assertFalse(PaperLinearity.of(Made.OTHER, r.name()).isPresent(), r.name());
        }
    }

    /** The paper's red bars follow from the relations' files, as exactly as they were decoded; none is above the best constant answer. */
    @Test
    void thePapersChanceIsOurs() {
        Relations lre = Relations.lre();
        List<PaperLinearity.Bar> bars = PaperLinearity.all(PaperModel.MAMBA);
        assertEquals(25, bars.size());
        for (PaperLinearity.Bar b : bars) {
            double chance = Baselines.chance(PaperLinearity.facts(lre, b), Tokenizer.bundled20b());
            assertEquals(b.chance(), chance, 1.5e-3, b.relation());
            assertTrue(PaperLinearity.constant(b) >= chance, b.relation());
        }
    }
}
