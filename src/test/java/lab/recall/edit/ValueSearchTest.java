package lab.recall.edit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import lab.recall.model.AddedVectors;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A search whose forks do not fit in memory together. */
class ValueSearchTest {
    private static final int LAYER = 2;

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
}
