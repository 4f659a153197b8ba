package lab.recall.edit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import lab.recall.base.Unsolvable;
import lab.recall.model.AddedVectors;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A search whose forks do not fit in memory together. */
class ValueSearchTest {
    private static final int LAYER = 2;

    /** Its length has no number, and by it the bound would make no change of it. */
    @Test
    void aValueThatIsNoLongerFiniteIsRefused() {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        EditableMatrix matrix = model.outputMatrix();
        List<CasePasses> passes = CasePasses.run(model, List.of(EditCase.of(new int[] {5, 9, 11}, 1, List.of(new int[0]), new int[] {4},
                new int[] {8, 1}, 1)), List.of(LAYER), List.of(matrix));
        EditSettings fast = new EditSettings(3, 1e300, 0.5, 0.0625, 3, 0, Double.POSITIVE_INFINITY, 0, EditSettings.KeyMode.PUBLISHED);
        String said = assertThrows(Unsolvable.class, () -> ValueSearch.run(model, LAYER, matrix, passes, fast)).getMessage();
        assertTrue(said.startsWith("hyperparameters.lr: the value is no longer finite at step 1"), said);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-neox"})
    void valuesDoNotDependOnHowManyForksFit(String name) {
        LanguageModel model = LanguageModel.open(name);
        EditableMatrix matrix = model.outputMatrix();
        int[] kl = {8, 1};
        List<int[]> prefixes = List.of(new int[0], new int[] {7, 1}, new int[] {12});
        int[] asked = {5, 9, 11, 3, 2};
        List<EditCase> cases = List.of(EditCase.of(asked, 2, prefixes, new int[] {4, 6}, kl, 1),
                EditCase.of(asked, 1, prefixes, new int[] {model.run(asked).argmax()}, kl, 1));         // a target that is soon sure
        List<CasePasses> passes = CasePasses.run(model, cases, List.of(LAYER), List.of(matrix));
        EditSettings settings = EditSettings.PUBLISHED.withSteps(8);
        List<FoundValue> whole = ValueSearch.run(model, LAYER, matrix, passes, settings);
        assertTrue(whole.get(0).steps() == 7, whole.get(0).steps() + " steps");
        long four = AddedVectors.bytes(model, LAYER, 4);
        for (long most : new long[] {1, four, 3 * four}) {
            assertEquals(whole, ValueSearch.run(model, LAYER, matrix, passes, settings, most), most + " bytes");
        }
    }

    /** For numbers of v0's own size nothing changes, bit for bit; a step is as long beside v0 as the size says, whatever v0 is. */
    @Test
    void settingsFreeOfScale() {
        LanguageModel model = LanguageModel.open("tiny-mamba");
        EditableMatrix matrix = model.outputMatrix();
        List<CasePasses> passes = CasePasses.run(model, List.of(EditCase.of(new int[] {5, 9, 11}, 1, List.of(new int[0]), new int[] {4},
                new int[] {8, 1}, 1)), List.of(LAYER), List.of(matrix));
        EditSettings literal = EditSettings.PUBLISHED.withSteps(4);
        FoundValue own = ValueSearch.run(model, LAYER, matrix, passes, literal).get(0);
        double size = own.startNorm() / Math.sqrt(own.start().length);
        assertEquals(own, ValueSearch.run(model, LAYER, matrix, passes, literal.withSize(size)).get(0));
        EditSettings free = literal.withSize(EditSettings.PUBLISHED_SIZE);
        FoundValue found = ValueSearch.run(model, LAYER, matrix, passes, free).get(0);
        assertEquals(0.4, found.firstStep(free), 1e-9, "0.5 / 1.25, as in the paper's Mamba");
        assertTrue(found.firstStep(free) < own.firstStep(literal));
        double length = ValueSearch.norm(found.delta()) / found.startNorm();
        assertTrue(length > 0 && length < 3 * 0.4 + 1e-9, "three Adam steps: " + length);
        FoundValue once = ValueSearch.run(model, LAYER, matrix, passes, free.withSteps(2)).get(0);
        assertEquals(0.4, ValueSearch.norm(once.delta()) / once.startNorm(), 1e-3);
        assertThrows(IllegalArgumentException.class, () -> literal.withSize(0));
    }
}
