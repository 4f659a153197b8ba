package lab.recall.edit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.facts.EditRequest;
import lab.recall.facts.EditRequests;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.study.Runner;
import lab.recall.text.Template;

/**
 * Edits every request at every layer and matrix, each by itself, and measures how well it was met.
 *
 * <pre>{@code
 * EditCurves curves = EditSweep.of(mamba).over(requests);    // with a progress bar
 * curves.chart(null)
 * EditSweep.of(mamba).layers(List.of(2)).contexts(ContextTemplates.of(mamba, 20, seed)).over(requests)
 * }</pre>
 *
 * The unedited runs are made once for all layers and matrices; the searches of many requests go in step; edits are tested as forks.
 */
public final class EditSweep {
    /** Sampled context templates when none are given: fewer than an editor's {@value RankOneEditor#CONTEXTS}, for so many more edits. */
    public static final int CONTEXTS = 4;
    private static final long SEED = 1;

    private final LanguageModel model;
    private final List<Integer> layers;
    private final List<EditMatrix> matrices;
    private final EditSettings settings;
    private final List<Template> contexts;
    private final SecondMoments moments;

    private EditSweep(LanguageModel model, List<Integer> layers, List<EditMatrix> matrices, EditSettings settings, List<Template> contexts,
            SecondMoments moments) {
        this.model = model;
        this.layers = layers;
        this.matrices = matrices;
        this.settings = settings;
        this.contexts = contexts;
        this.moments = moments;
    }

    /**
     * Over all layers and matrices, with the model's settings, {@value #CONTEXTS} sampled contexts and second moments of
     * {@value SecondMoments#DOCUMENTS} texts that belong to the model.
     */
    public static EditSweep of(LanguageModel model) {
        return new EditSweep(model, IntStream.range(0, model.layers()).boxed().toList(), EditMatrix.all(model), EditSettings.of(model), null, null);
    }

    /** Over some layers. */
    public EditSweep layers(List<Integer> some) {
        return new EditSweep(model, List.copyOf(some), matrices, settings, contexts, moments);
    }

    /** Over some matrices. */
    public EditSweep matrices(List<EditMatrix> some) {
        return new EditSweep(model, layers, List.copyOf(some), settings, contexts, moments);
    }

    /** With other hyper-parameters. */
    public EditSweep with(EditSettings others) {
        return new EditSweep(model, layers, matrices, others, contexts, moments);
    }

    /** With other context templates, the plain {@code {}} first. */
    public EditSweep contexts(List<Template> templates) {
        return new EditSweep(model, layers, matrices, settings, List.copyOf(templates), moments);
    }

    /** With second moments that hold all of its layers and matrices. */
    public EditSweep moments(SecondMoments collected) {
        return new EditSweep(model, layers, matrices, settings, contexts, collected);
    }

    /** All requests, with a progress bar. */
    public EditCurves over(EditRequests requests) {
        return over(requests, Runner.shown());
    }

    /** All requests; tells how far it is, and keeps finished pieces in a journal. */
    public EditCurves over(EditRequests requests, Runner runner) {
        List<Template> templates = contexts != null ? contexts : ContextTemplates.of(model, CONTEXTS, SEED);
        SecondMoments c = moments != null ? moments
                : SecondMoments.of(model, layers, matrices).over(SecondMoments.texts(model, SecondMoments.DOCUMENTS, SEED), SecondMoments.DOCUMENTS, progress);
        Map<EditMatrix, List<List<CaseScores>>> found = new LinkedHashMap<>();
        matrices.forEach(m -> found.put(m, layers.stream().map(l -> (List<CaseScores>) new ArrayList<CaseScores>()).toList()));
        progress.start("editing", "edits", (long) requests.size() * layers.size() * matrices.size());
        long done = 0;
        int from = 0;
        for (List<EditRequest> some : Portions.of(requests.all(), r -> RankOneEditor.bytes(model, EditCase.of(model, r, templates)))) {
            Portion portion = new Portion(some, templates);
            for (int l = 0; l < layers.size(); l++) {
                for (EditMatrix m : matrices) {
                    int layer = layers.get(l);
                    double[][] numbers = journal.piece(m.id() + ", layer " + layer + ", requests " + from + "-" + (from + some.size() - 1), double[][].class,
                            () -> portion.scores(layer, m, c));
                    for (double[] n : numbers) {
                        found.get(m).get(l).add(CaseScores.of(n));
                    }
                    progress.to(done += some.size());
                }
            }
            from += some.size();
        }
        progress.finish();
        return new EditCurves(model, layers, found);
    }

    /** Some requests and their unedited runs, which are made when the first piece needs them. */
    private final class Portion {
        private final List<EditCase> cases;
        private final EditTests tests;
        private List<CasePasses> casePasses;
        private List<Pass> testPasses;

        Portion(List<EditRequest> requests, List<Template> templates) {
            cases = requests.stream().map(r -> EditCase.of(model, r, templates)).toList();
            tests = EditTests.of(model, requests);
        }

        double[][] scores(int layer, EditMatrix matrix, SecondMoments c) {
            if (casePasses == null) {
                casePasses = CasePasses.run(model, cases, layers, matrices);
                testPasses = tests.passes(model, layers, matrices);
            }
            List<RankOneEditor.Edited> edited = RankOneEditor.edited(model, layer, matrix, casePasses, settings, c.of(layer, matrix));
            return tests.edited(testPasses, edited.stream().map(RankOneEditor.Edited::edit).toList()).stream().map(CaseScores::numbers)
                    .toArray(double[][]::new);
        }
    }
}
