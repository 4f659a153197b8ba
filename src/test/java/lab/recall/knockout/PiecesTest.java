package lab.recall.knockout;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.base.BadRequest;
import lab.recall.base.Progress;
import lab.recall.facts.KnownFacts;
import lab.recall.facts.KnownFacts.Known;
import lab.recall.facts.Relations;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.block.AttentionPoints;
import lab.recall.model.block.ScanPoints;
import lab.recall.study.GivenPrompt;
import lab.recall.study.Runner;
import lab.recall.study.Store;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pieces, requests and results as data. */
class PiecesTest {
    private static final List<Route> ROUTES = List.of(Route.from(TokenGroup.SUBJECT).to(TokenGroup.PROMPT_LAST),
            Route.from(TokenGroup.BEFORE));

    private static LanguageModel mamba;
    private static LanguageModel neox;
    private static KnownFacts known;
    private static MeanActivations means;

    @TempDir
    Path dir;

    @BeforeAll
    static void open() {
        System.setProperty("recall.store", "none");
        mamba = LanguageModel.open("tiny-mamba");
        neox = LanguageModel.open("tiny-neox");
        known = Relations.of(mamba).knownBy(mamba, Runner.silent());
        means = MeanActivations.of(mamba, MeanActivations.documents(mamba, 5, 2), Runner.silent(), ScanPoints.IN_X, ScanPoints.DELTA);
    }

    private static KnockoutStudy.Asked asked(Knockout.Form form, MeanActivations ofDocuments, List<Known> facts) {
        return new KnockoutStudy.Asked(Ablation.of(mamba, form, ofDocuments), 1, ROUTES, facts);
    }

    @Test
    void knockoutInAnyOrder() throws IOException {
        Pieces.anyOrder(new KnockoutStudy(), mamba, asked(Knockout.Form.HELD, means, known.sample(70, 1)), dir);
    }

    @Test
    void meansInAnyOrder() throws IOException {
        var asked = new MeansStudy.Asked(List.of(ScanPoints.IN_X, ScanPoints.DELTA), MeanActivations.documents(mamba, 70, 1));
        MeanActivations plain = Pieces.anyOrder(new MeansStudy(), mamba, asked, dir);
        assertEquals(plain, MeanActivations.of(mamba, asked.documents(), Runner.silent(), ScanPoints.DELTA, ScanPoints.IN_X));
    }

    @Test
    void remainderInAnyOrder() throws IOException {
        Map<String, Ablation> cuts = new LinkedHashMap<>();
        cuts.put("convolution", Ablation.of(mamba, new Knockout.Form("conv"), null));
        cuts.put("held", Ablation.of(mamba, Knockout.Form.HELD, means));
        Pieces.anyOrder(new RemainderStudy(), mamba, new RemainderStudy.Asked(cuts, known.pairs(70, 1).pairs()), dir);
    }

    /** Sums of pieces, added up, round to the same single-precision means as one sum over all tokens of all documents in their order. */
    @Test
    void meansAreThoseOfOneSum() {
        for (LanguageModel model : List.of(mamba, neox)) {
            List<int[]> documents = MeanActivations.documents(model, 100, 3);
            HookPoint point = model == mamba ? ScanPoints.IN_X : AttentionPoints.MLP_OUT;
            MeanActivations found = MeanActivations.of(model, documents, Runner.silent(), point);
            double[][] sums = new double[model.layers()][model.width(point)];
            for (int[] d : documents) {
                Pass pass = model.run(Arrays.copyOf(d, Math.min(d.length, MeanActivations.TOKENS)), Recording.points(point));
                for (int l = 0; l < sums.length; l++) {
                    float[] values = pass.values(l, point);
                    for (int i = 0; i < values.length; i++) {
                        sums[l][i % sums[l].length] += (double) values[i] / pass.length();
                    }
                }
            }
            for (int l = 0; l < sums.length; l++) {
                float[] mean = new float[sums[l].length];
                for (int i = 0; i < mean.length; i++) {
                    mean[i] = (float) (sums[l][i] / documents.size());
                }
                assertArrayEquals(mean, found.get(l, point), model + ", layer " + l);
            }
        }
    }

    /** What was killed goes on with what it has; where facts or means are others than before, only with what is the same. */
    @Test
    void goesOnWithWhatIsTheSame() {
        List<Known> facts = known.sample(70, 1);
        List<Known> others = new ArrayList<>(facts);
        others.set(40, known.sample(71, 1).get(70));
        Store store = Store.at(dir);
        Knockout knockout = Knockout.of(mamba).published(means).window(1).along(ROUTES);
        assertThrows(IllegalStateException.class, () -> knockout.over(facts,
                Runner.of(store, Store.none(), Pieces.stopsBehind(65L * ROUTES.size() * mamba.layers()))));
        Runner same = Runner.of(store, Store.none(), Progress.silent());
        assertEquals(knockout.over(facts, Runner.silent()), knockout.over(facts, same));
        assertEquals(2, same.taken());
        Runner changed = Runner.of(store, Store.none(), Progress.silent());
        assertEquals(knockout.over(others, Runner.silent()), knockout.over(others, changed));
        assertEquals(2, changed.taken(), "the first piece and the last one");
        MeanActivations ofOthers = MeanActivations.of(mamba, MeanActivations.documents(mamba, 5, 9), Runner.silent(), ScanPoints.IN_X);
        Knockout along = knockout.along(ROUTES.subList(0, 1));
        for (Knockout other : List.of(knockout.published(ofOthers), knockout.window(2), knockout.through("scan"), along)) {
            Runner none = Runner.of(store, Store.none(), Progress.silent());
            assertEquals(other.over(facts, Runner.silent()), other.over(facts, none));
            assertEquals(0, none.taken());
        }
    }

    @Test
    void meansOfOtherTextsAreOthers() {
        Store store = Store.at(dir);
        List<int[]> texts = new ArrayList<>(MeanActivations.documents(mamba, 40, 1));
        Runner runner = Runner.of(Store.none(), store, Progress.silent());
        MeanActivations before = MeanActivations.of(mamba, texts, runner, ScanPoints.IN_X);
        assertEquals(before, MeanActivations.of(mamba, texts, runner, ScanPoints.IN_X));
        texts.set(35, new int[] {1, 2, 3});
        MeanActivations after = MeanActivations.of(mamba, texts, runner, ScanPoints.IN_X);
        assertEquals(MeanActivations.of(mamba, texts, Runner.silent(), ScanPoints.IN_X), after);
        assertNotEquals(before, after);
    }

    @Test
    void requestsAndResultsAreData() {
        var request = new KnockoutRequest("held", null, null, 3, 1, 2, true, null, null);
        assertEquals(request, Pieces.read(request, KnockoutRequest.class));
        assertEquals(128, request.documents());
        KnockoutExperiment experiment = new KnockoutExperiment();
        KnockoutResult result = experiment.run(mamba, experiment.complete(mamba, request), Runner.silent());
        KnockoutResult again = Pieces.read(result, KnockoutResult.class);
        assertEquals(result, again);
        assertEquals(result.scalars(), again.scalars());
        assertEquals(result.arrays(), again.arrays());
    }

    @Test
    void whatACellShowsIsData() {
        assertEquals(means, Pieces.read(means, MeanActivations.class));
        Remainder remainder = Remainder.of(mamba, known.pairs(3, 1), means, Runner.silent());
        assertEquals(remainder, Pieces.read(remainder, Remainder.class));
        for (LanguageModel model : List.of(mamba, neox)) {
            HiddenAttention hidden = HiddenAttention.of(model, known.sample(1, 1).get(0).prompt(), 2);
            assertEquals(hidden, Pieces.read(hidden, HiddenAttention.class));
        }
    }

    @Test
    void edgesAreData() {
        GivenPrompt prompt = new GivenPrompt("Novux Bridge is located in", null);
        var request = new EdgesRequest(prompt, List.of(1, 2), List.of(List.of(0, 1), List.of(1, 2)), "both", true);
        assertEquals(request, Pieces.read(request, EdgesRequest.class));
        EdgesExperiment experiment = new EdgesExperiment();
        EdgesExperiment.Found found = experiment.run(mamba, experiment.complete(mamba, request), Runner.silent());
        assertEquals(found, Pieces.read(found, EdgesExperiment.Found.class));
        String said = assertThrows(BadRequest.class, () -> experiment.complete(neox, request)).getMessage();
        assertTrue(said.startsWith("cut: 'both', expected attention"), said);
    }
}
