package lab.recall.edit;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import lab.recall.base.Progress;
import lab.recall.edit.EditScores.Measure;
import lab.recall.facts.Documents;
import lab.recall.facts.EditRequests;
import lab.recall.facts.Relations;
import lab.recall.model.LanguageModel;
import lab.recall.stats.Estimate;
import lab.recall.study.Answer;
import lab.recall.study.Experiment;
import lab.recall.study.Fields;
import lab.recall.study.NamedArray;
import lab.recall.study.NamedView;
import lab.recall.study.Runner;

/**
 * {@link EditSweep} by request file: {"experiment": "edit_sweep", "relation", "relations", "requests", "file", "layers", "matrices", "contexts",
 * "documents", "texts", "moments", "key", "preset", "hyperparameters", "seed"}. Arrays: {@code MATRIX.MEASURE}, [mean, low, high][L].
 */
public final class EditSweepExperiment implements Experiment<LanguageModel> {
    /** Requests at most when the request does not say. */
    public static final int REQUESTS = 50;
    private static final int MANY = 1_000_000;

    @Override
    public String name() {
        return "edit_sweep";
    }

    @Override
    public List<String> fields() {
        return List.of("relation", "relations", "requests", "file", "layers", "matrices", "contexts", "documents", "texts", "moments", "key",
                "preset", "hyperparameters", "seed");
    }

    @Override
    public Answer run(LanguageModel model, Fields f, Runner runner) {
        int seed = f.integer("seed", 0, Integer.MAX_VALUE, 1);
        int count = f.integer("requests", 1, MANY, REQUESTS);
        List<Integer> layers = f.has("layers") ? f.integers("layers", 0, model.layers() - 1) : IntStream.range(0, model.layers()).boxed().toList();
        List<EditMatrix> matrices = f.has("matrices") ? f.texts("matrices").stream().map(id -> EditMatrix.of(model, id)).distinct().toList()
                : EditMatrix.all(model);
        EditSettings settings = RomeExperiment.preset(model, f);
        int contexts = f.integer("contexts", 0, 1_000, EditSweep.CONTEXTS);
        EditRequests requests = requests(model, f, count, seed);
        SecondMoments moments = moments(model, f, layers, matrices, seed, progress);
        long start = System.nanoTime();
        EditCurves curves = EditSweep.of(model).layers(layers).matrices(matrices).with(settings).contexts(ContextTemplates.of(model, contexts, seed))
                .moments(moments).over(requests, runner);
        double seconds = (System.nanoTime() - start) / 1e9;
        List<NamedView> views = new ArrayList<>(List.of(new NamedView("edits", curves.table()), new NamedView("score", curves.besidePaper(null))));
        List<NamedArray> arrays = new ArrayList<>();
        for (Measure m : Measure.values()) {
            views.add(new NamedView(m.label(), curves.besidePaper(m)));
        }
        for (EditMatrix matrix : matrices) {
            for (Measure m : Measure.values()) {
                arrays.add(array(matrix.id() + "." + m.label(), curves.estimates(matrix, m)));
            }
            arrays.add(array(matrix.id() + ".score", curves.estimates(matrix, null)));
        }
        if (layers.size() == model.layers() && matrices.size() == EditMatrix.all(model).size()) {
            views.add(new NamedView("criteria", EditCriteria.of(curves).table()));
        }
        Map<String, Object> scalars = new LinkedHashMap<>();
        scalars.put("requests", requests.size());
        scalars.put("tokens_of_second_moments", moments.tokens());
        scalars.put("sweep_seconds", seconds);
        for (EditMatrix m : matrices) {
            int best = curves.best(m);
            scalars.put("best_" + m.id(), "layer " + best + ": score " + curves.at(m, best).score());
        }
        return new Answer(scalars, arrays, views);
    }

    /** A CounterFact file's first requests, or ones made of known facts. */
    static EditRequests requests(LanguageModel model, Fields f, int count, int seed) {
        if (f.has("file")) {
            if (f.has("relations") || !f.text("relation", "all").equals("all")) {
                throw new IllegalArgumentException("file: requests come from a file or from relations, not from both");
            }
            try {
                return EditRequests.read(Path.of(f.text("file"))).first(count);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("file: " + e.getMessage(), e);
            }
        }
        Relations relations = Relations.asked(model, f.text("relations", ""), f.text("relation", "all"));
        return EditRequests.of(relations, relations.knownBy(model), count, seed);
    }

    /** Second moments of a file's texts, or of texts made of the facts that belong to the model; kept in a file where the request names one. */
    static SecondMoments moments(LanguageModel model, Fields f, List<Integer> layers, List<EditMatrix> matrices, int seed, Progress progress) {
        int documents = f.integer("documents", 1, MANY, SecondMoments.DOCUMENTS);
        SecondMoments moments = SecondMoments.of(model, layers, matrices);
        if (f.has("moments")) {
            moments.keptIn(Path.of(f.text("moments")));
        }
        return moments.over(f.has("texts") ? Documents.read(Path.of(f.text("texts"))) : SecondMoments.texts(model, documents, seed), documents, progress);
    }

    private static NamedArray array(String name, Estimate[] estimates) {
        int layers = estimates.length;
        List<ToDoubleFunction<Estimate>> parts = List.of(Estimate::mean, Estimate::low, Estimate::high);
        float[] all = new float[3 * layers];
        for (int i = 0; i < all.length; i++) {
            all[i] = (float) parts.get(i / layers).applyAsDouble(estimates[i % layers]);
        }
        return new NamedArray(name, new long[] {3, layers}, all);
    }
}
