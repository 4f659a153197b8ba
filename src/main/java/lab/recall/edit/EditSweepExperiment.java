package lab.recall.edit;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.facts.EditRequests;
import lab.recall.facts.Relations;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import lab.recall.study.Experiment;
import lab.recall.study.NamedArray;
import lab.recall.study.NamedView;
import lab.recall.study.Runner;
import lab.recall.view.Charts;
import org.knowm.xchart.XYChart;

/** {@link EditSweep} over the facts that a model knows, or over those of a file. */
public final class EditSweepExperiment extends Experiment<EditSweepRequest, EditSweepResult> {
    public EditSweepExperiment() {
        super("edit_sweep", "edit-sweep",
                "Edits facts at every layer and matrix, each by itself, and measures efficacy, generalisation and specificity.",
                EditSweepRequest.class, EditSweepResult.class);
    }

    @Override
    public EditSweepRequest complete(LanguageModel model, EditSweepRequest q) {
        List<Integer> layers = q.layers() != null ? q.layers() : IntStream.range(0, model.layers()).boxed().toList();
        layers.forEach(l -> Check.whole("layers", l, 0, model.layers() - 1));
        List<String> matrices = q.matrices() != null ? q.matrices() : model.matrices().stream().map(EditableMatrix::id).toList();
        requireFacts(model, q.file(), q.relations(), q.relation());
        SecondMoments.of(model, layers, matrices(model, matrices)).requireSources(q.moments(), q.texts());
        return new EditSweepRequest(q.relation(), q.relations(), q.requests(), q.file(), layers, matrices,
                q.contexts(), q.documents(), q.texts(), q.moments(), q.key(), q.preset(),
                Hyperparameters.of(settings(model, q.preset(), q.key(), q.hyperparameters())), q.seed());
    }

    private static List<EditableMatrix> matrices(LanguageModel model, List<String> ids) {
        try {
            return ids.stream().map(id -> EditableMatrix.of(model, id)).toList();
        } catch (BadRequest e) {
            throw e.of("matrices");
        }
    }

    /** The model's own settings or the paper's, and other numbers where a request has them. */
    static EditSettings settings(LanguageModel model, String preset, String key, Hyperparameters others) {
        EditSettings p = (preset.equals("published") ? EditSettings.PUBLISHED : EditSettings.of(model))
                .withKey(RomeExperiment.keyMode(key));
        return others == null ? p : others.in(p);
    }

    /** Refuses a file of requests or relations that cannot be read. */
    static void requireFacts(LanguageModel model, String file, String relations, String relation) {
        if (file != null) {
            read(file);
        } else {
            Relations.asked(model, relations, relation);
        }
    }

    private static EditRequests read(String file) {
        try {
            return EditRequests.read(Path.of(file));
        } catch (IllegalArgumentException e) {
            throw BadRequest.at("file", e);
        }
    }

    /** A CounterFact file's first requests, or ones made of known facts. */
    static EditRequests requests(LanguageModel model, String file, String relations, String relation, int count, long seed, Runner runner) {
        if (file != null) {
            return read(file).first(count);
        }
        Relations asked = Relations.asked(model, relations, relation);
        return EditRequests.of(asked, asked.knownBy(model, runner), count, seed);
    }

    /**
     * Second moments of a file's texts, or of texts made of the facts that belong to the model; kept in a file where a request names one.
     */
    static SecondMoments moments(SecondMoments none, LanguageModel model, String file,
            String texts, int documents, long seed, Runner runner) {
        return (file == null ? none : none.keptIn(Path.of(file))).over(texts == null ? MomentTexts.of(model, documents, seed)
                : MomentTexts.file(Path.of(texts)).first(documents), runner);
    }

    @Override
    public EditSweepResult run(LanguageModel model, EditSweepRequest q, Runner runner) {
        List<EditableMatrix> matrices = matrices(model, q.matrices());
        EditRequests requests = requests(model, q.file(), q.relations(), q.relation(), q.requests(), q.seed(), runner);
        SecondMoments moments = moments(SecondMoments.of(model, q.layers(), matrices), model,
                q.moments(), q.texts(), q.documents(), q.seed(), runner);
        long start = System.nanoTime();
        EditCurves curves = EditSweep.of(model).layers(q.layers()).matrices(matrices)
                .with(settings(model, q.preset(), q.key(), q.hyperparameters()))
                .contexts(ContextTemplates.of(model, q.contexts(), q.seed(), runner)).moments(moments).over(requests, runner);
        return new EditSweepResult(curves, moments.tokens(), (System.nanoTime() - start) / 1e9);
    }

    /** For each measure one chart, over relative depth, a line with intervals for each model and matrix. */
    @Override
    public List<NamedView> beside(Map<String, EditSweepResult> results) {
        List<NamedView> views = new ArrayList<>();
        for (String measure : List.of("efficacy", "generalisation", "specificity", "score")) {
            XYChart chart = Charts.lines("rank-one edits: " + measure, "layer / layers", measure);
            chart.getStyler().setYAxisMin(0.0).setYAxisMax(1.05);
            results.forEach((model, result) -> result.arrays().stream().filter(a -> a.name().endsWith("." + measure)).forEach(a ->
                    Charts.byDepth(chart, model + ", " + a.name().substring(0, a.name().lastIndexOf('.')),
                            row(a, 0), row(a, 1), row(a, 2))));
            if (!chart.getSeriesCollection().isEmpty()) {
                views.add(new NamedView("together-" + measure, chart));
            }
        }
        return views;
    }

    private static double[] row(NamedArray all, int row) {
        int layers = (int) all.shape()[1];
        return IntStream.range(row * layers, (row + 1) * layers).mapToDouble(i -> all.values()[i]).toArray();
    }
}
