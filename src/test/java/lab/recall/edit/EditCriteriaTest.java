package lab.recall.edit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.edit.EditScores.Measure;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import lab.recall.model.mamba.Mamba;
import lab.recall.study.ModelCard;
import lab.recall.view.Criteria;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tech.tablesaw.api.Table;

/** The paper's shapes, on the paper's own numbers and on curves that miss them. */
class EditCriteriaTest {
    private interface Curve {
        double[] at(EditableMatrix matrix, Measure measure);
    }

    @BeforeAll
    static void keepNothing() {
        System.setProperty("recall.store", "none");
    }

    /** One case at each layer, the numbers of a curve read at the same relative depth. */
    private static EditCurves curves(LanguageModel model, Curve curve) {
        Map<EditableMatrix, List<List<CaseScores>>> found = new LinkedHashMap<>();
        for (EditableMatrix m : model.matrices()) {
            List<List<CaseScores>> layers = new ArrayList<>();
            for (int l = 0; l < model.layers(); l++) {
                double[] success = new double[CaseScores.KINDS];
                for (Measure measure : Measure.values()) {
                    double[] all = curve.at(m, measure);
                    success[measure.ordinal()] = all[l * all.length / model.layers()];
                }
                layers.add(List.of(new CaseScores(success, success, success)));
            }
            found.put(m, layers);
        }
        return new EditCurves(ModelCard.of(model), IntStream.range(0, model.layers()).boxed().toList(), found);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-neox"})
    void thePaperHasItsShapes(String name) {
        LanguageModel model = LanguageModel.open(name);
        Criteria criteria = EditCriteria.of(curves(model, EditCurves::paper));
        Table table = criteria.table();
        for (int r = 0; r < table.rowCount(); r++) {
            assertFalse(table.getString(r, "paper").contains("not held"),
                    table.getString(r, "criterion") + ": " + table.getString(r, "paper"));
        }
        assertEquals(name.equals("tiny-mamba") ? 8 : 3, criteria.size());
        assertTrue(table.name().contains("the paper's numbers: "), table.name());
    }

    /** The paper's curves, read at few layers, keep the shapes that do not need many. */
    @Test
    void shapesAreFoundInCurvesThatHaveThem() {
        LanguageModel mamba = LanguageModel.open("tiny-mamba");
        LanguageModel neox = LanguageModel.open("tiny-neox");
        Criteria likePaper = EditCriteria.of(curves(mamba, EditCurves::paper));
        assertTrue(likePaper.held("D2"), likePaper.table().print());
        assertTrue(EditCriteria.of(curves(neox, EditCurves::paper)).held() >= 2);
        Curve flat = (matrix, measure) -> new double[] {0.5};
        assertEquals(0, EditCriteria.of(curves(mamba, flat)).held());
        assertEquals(0, EditCriteria.of(curves(neox, flat)).held());
        double[] zero = new double[CaseScores.KINDS];
        EditCurves some = new EditCurves(ModelCard.of(mamba), List.of(1),
                Map.of(Mamba.W_O, List.of(List.of(new CaseScores(zero, zero, zero)))));
        assertTrue(assertThrows(IllegalArgumentException.class, () -> EditCriteria.of(some))
                .getMessage().contains("all layers and matrices"));
    }
}
