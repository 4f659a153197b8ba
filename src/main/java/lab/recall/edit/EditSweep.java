package lab.recall.edit;

import java.util.List;
import java.util.stream.IntStream;
import lab.recall.facts.EditRequests;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import lab.recall.study.Runner;
import lab.recall.text.Template;

/**
 * Edits every request at every layer and matrix, each by itself, and measures how well it was met.
 *
 * <pre>{@code
 * EditCurves curves = EditSweep.of(mamba).over(requests);    // with a progress bar
 * curves.scoreChart()
 * EditSweep.of(mamba).layers(List.of(2)).contexts(ContextTemplates.of(mamba, 20, seed)).over(requests)
 * }</pre>
 *
 * Immutable: every setting gives a sweep of its own. The searches of many requests go in step; edits are tested as forks of unedited runs.
 */
public final class EditSweep {
    /** Sampled context templates when none are given: fewer than an editor's {@value RankOneEditor#CONTEXTS}, for so many more edits. */
    public static final int CONTEXTS = 4;
    private static final long SEED = 1;

    private final LanguageModel model;
    private final List<Integer> layers;
    private final List<EditableMatrix> matrices;
    private final EditSettings settings;
    private final List<Template> contexts;
    private final SecondMoments moments;

    private EditSweep(LanguageModel model, List<Integer> layers, List<EditableMatrix> matrices, EditSettings settings,
            List<Template> contexts, SecondMoments moments) {
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
        return new EditSweep(model, IntStream.range(0, model.layers()).boxed().toList(), model.matrices(),
                EditSettings.of(model), null, null);
    }

    /** Over some layers. */
    public EditSweep layers(List<Integer> some) {
        return new EditSweep(model, List.copyOf(some), matrices, settings, contexts, moments);
    }

    /** Over some matrices. */
    public EditSweep matrices(List<EditableMatrix> some) {
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

    /** All requests, with a runner's progress and store. */
    public EditCurves over(EditRequests requests, Runner runner) {
        List<Template> templates = contexts != null ? contexts : ContextTemplates.of(model, CONTEXTS, SEED, runner);
        SecondMoments c = moments != null ? moments
                : SecondMoments.of(model, layers, matrices).over(SecondMoments.texts(model, SecondMoments.DOCUMENTS, SEED), runner);
        return runner.run(new EditSweepStudy(), model,
                EditSweepStudy.Asked.of(new EditSweepStudy.Settings(settings, templates), layers, matrices, c, requests.all()));
    }
}
