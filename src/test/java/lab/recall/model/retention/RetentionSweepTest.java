package lab.recall.model.retention;

import static lab.recall.model.retention.RetentionFixture.ask;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import lab.recall.base.BadRequest;
import lab.recall.edit.EditCurves;
import lab.recall.edit.EditScores.Measure;
import lab.recall.edit.EditSettings;
import lab.recall.edit.EditSweepResult;
import lab.recall.edit.MomentTexts;
import lab.recall.edit.RankOneEdit;
import lab.recall.edit.RankOneEditor;
import lab.recall.edit.SecondMoments;
import lab.recall.facts.EditRequest;
import lab.recall.facts.EditRequests;
import lab.recall.facts.Relations;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import lab.recall.paper.EditCriteria;
import lab.recall.study.Runner;
import lab.recall.text.Template;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A sweep of edits by text over both matrices, its second moments and its scores against a dense model whose weights are changed. */
class RetentionSweepTest {
    private static final int LAYER = 2;
    private static final int DOCUMENTS = 20;

    @TempDir
    static Path dir;
    private static LanguageModel model;
    private static SecondMoments moments;
    private static EditCurves curves;

    @BeforeAll
    static void sweep() {
        model = RetentionFixture.talking(dir);
        moments = SecondMoments.of(model, List.of(LAYER), model.matrices()).over(MomentTexts.of(model, DOCUMENTS, 1), Runner.silent());
        curves = ((EditSweepResult) ask(model, "edit_sweep", "'requests':3,'layers':[2],'contexts':0,'documents':20,"
                + "'hyperparameters':{'steps':4}")).curves();
    }

    private static EditableMatrix matrix(String id) {
        return EditableMatrix.of(model, id);
    }

    @ParameterizedTest
    @ValueSource(strings = {"in.value", "out.kernel"})
    void secondMomentsOfKeys(String id) {
        int width = model.width(matrix(id).key());
        double[] expected = new double[width * width];
        int tokens = 0;
        DenseRetention dense = new DenseRetention(dir);
        try (Stream<String> texts = MomentTexts.of(model, DOCUMENTS, 1).stream()) {
            for (String text : texts.toList()) {
                for (double[] k : dense.values(model.prompt(text).ids()).get(matrix(id).key().name(LAYER))) {
                    tokens++;
                    for (int i = 0; i < expected.length; i++) {
                        expected[i] += k[i / width] * k[i % width];
                    }
                }
            }
        }
        assertEquals(tokens, moments.tokens());
        double[] found = moments.of(LAYER, matrix(id)).matrix();
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i] / tokens, found[i], 1e-4);
        }
    }

    /** Each request's scores under its own edit: the matrix is changed in the dense model's weights. */
    @ParameterizedTest
    @ValueSource(strings = {"in.value", "out.kernel"})
    void scoresOfEditedModels(String id) {
        EditRequests requests = EditRequests.of(Relations.of(model), Relations.of(model).knownBy(model, Runner.silent()), 3, 1);
        List<RankOneEditor.Edited> edits = RankOneEditor.of(model).at(LAYER, matrix(id)).with(EditSettings.PUBLISHED.withSteps(4))
                .contexts(List.of(new Template("{}"))).moment(moments.of(LAYER, matrix(id))).edit(requests.all(), Runner.silent());
        double[] magnitude = new double[2];
        for (int r = 0; r < requests.size(); r++) {
            EditRequest q = requests.get(r);
            DenseRetention edited = edited(edits.get(r).edit());
            magnitude[0] += gain(edited, q.template().with(q.subject()), q) / requests.size();
            magnitude[1] += q.paraphrases().stream().mapToDouble(text -> gain(edited, text, q)).average().orElseThrow() / requests.size();
        }
        assertEquals(magnitude[0], curves.at(matrix(id), LAYER).magnitude(Measure.EFFICACY).mean(), 1e-4);
        assertEquals(magnitude[1], curves.at(matrix(id), LAYER).magnitude(Measure.GENERALISATION).mean(), 1e-4);
    }

    /** left u' added to what is stored [key, value]. */
    private static DenseRetention edited(RankOneEdit edit) {
        DenseRetention dense = new DenseRetention(dir);
        boolean inner = edit.matrix().equals(Retention.W_VALUE);
        double[] w = dense.weights.get("stack.2." + (inner ? "in" : "out") + ".kernel");
        int stride = w.length / edit.u().length;
        int first = inner ? 12 : 0;
        for (int k = 0; k < edit.u().length; k++) {
            for (int v = 0; v < edit.left().length; v++) {
                w[k * stride + first + v] += edit.left()[v] * edit.u()[k];
            }
        }
        return dense;
    }

    /** By how much the new target is likelier than the true one, over the geometric mean of their tokens. */
    private static double gain(DenseRetention dense, String text, EditRequest q) {
        return likelihood(dense, text, q.targetNew()) - likelihood(dense, text, q.targetTrue());
    }

    private static double likelihood(DenseRetention dense, String text, String target) {
        int[] prompt = model.prompt(text).ids();
        int[] said = model.requireTokenizer().encode(" " + target, false).ids();
        int[] ids = Arrays.copyOf(prompt, prompt.length + said.length);
        System.arraycopy(said, 0, ids, prompt.length, said.length);
        double[][] logits = dense.logits(ids);
        double sum = 0;
        for (int i = 0; i < said.length; i++) {
            sum += DenseRetention.log(logits[prompt.length - 1 + i], said[i]) / said.length;
        }
        return Math.exp(sum);
    }

    /** The paper has nothing of such a family. */
    @Test
    void thePaperHasNothingBesideIt() {
        String said = assertThrows(BadRequest.class, () -> EditCriteria.of(curves)).getMessage();
        assertTrue(said.contains(" is a Retention; the paper's numbers of rank-one editing are of "), said);
    }
}
