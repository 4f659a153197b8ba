package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import lab.recall.base.Unsolvable;
import lab.recall.facts.Relations;
import lab.recall.model.block.ScanPoints;
import lab.recall.study.Runner;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** A model with a weight that is no number answers nothing, instead of its first token. */
class NotFiniteTest {
    private static final int[] IDS = {0, 5, 9};
    private static LanguageModel whole;
    private static LanguageModel model;

    @BeforeAll
    static void open() {
        whole = LanguageModel.open("tiny-mamba");
        String weight = "backbone.layers.1.mixer.out_proj.weight";
        float[] values = whole.weight(weight);
        Arrays.fill(values, Float.NaN);
        model = whole.with(weight, values);
    }

    private static void refused(Executable work) {
        Unsolvable said = assertThrows(Unsolvable.class, work);
        assertEquals("tiny-mamba", said.what());
        assertTrue(said.reason().startsWith("logits are not finite"), said.reason());
    }

    @Test
    void theNextToken() {
        refused(() -> model.next("Novux Bridge is located in the city of"));
    }

    @Test
    void aPassesBestTokenAndProbabilities() {
        Pass pass = model.run(IDS);
        refused(pass::argmax);
        refused(() -> pass.probability(3));
    }

    @Test
    void forks() {
        Pass pass = model.run(IDS);
        refused(() -> model.forks().add(pass).tokens());
        refused(() -> model.forks().add(pass).probabilities(3));
        refused(() -> model.forks().add(pass).scores(List.of(List.of(new int[] {3}))));
    }

    @Test
    void scoresOfTargets() {
        refused(() -> TargetScore.of(model, List.of(IDS), List.of(List.of(new int[] {3}))));
    }

    @Test
    void gradients() {
        refused(() -> Gradients.of(model.run(IDS, Recording.gradients()), 3, Recording.nothing()));
        AddedVectors vectors = AddedVectors.at(model, 2, ScanPoints.OUT);
        vectors.add(model.run(IDS), 1, new float[model.width()], 1);
        refused(() -> vectors.forward((fork, token, logits, at) -> { }));
    }

    @Test
    void knownFacts() {
        refused(() -> Relations.world().only("landmark_in_country").knownBy(model, Runner.silent()));
    }

    @Test
    void aNameThatIsNearlyThatOfAModel() {
        String said = assertThrows(IllegalArgumentException.class, () -> LanguageModel.open("tiny-mambo")).getMessage();
        assertTrue(said.endsWith("; did you mean 'tiny-mamba'?"), said);
    }
}
