package lab.recall.knockout;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import lab.recall.facts.KnownFacts.Known;
import lab.recall.facts.Relations;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Mamba;
import lab.recall.request.Answer;
import lab.recall.request.Experiment;
import lab.recall.request.Fields;
import lab.recall.request.Journal;
import lab.recall.request.NamedArray;
import lab.recall.request.NamedView;
import lab.recall.request.Progress;
import lab.recall.stats.Estimate;

/**
 * {@link Knockout} by request file: {"experiment": "knockout", "form", "relation", "relations", "facts", "window", "seed", "flows", "documents"}.
 * Arrays: {@code change}, {@code low}, {@code high}, [groups, L]; with flows also {@code flow} [routes, L].
 */
public final class KnockoutExperiment implements Experiment<LanguageModel> {
    private static final int DOCUMENTS = 128;

    @Override
    public String name() {
        return "knockout";
    }

    @Override
    public List<String> fields() {
        return List.of("form", "relation", "relations", "facts", "window", "seed", "flows", "documents");
    }

    @Override
    public Answer run(LanguageModel model, Fields f, Progress progress, Journal journal) {
        List<Knockout.Form> forms = model instanceof Mamba ? List.of(Knockout.Form.values()) : List.of(Knockout.Form.EDGES);
        Knockout.Form form = Knockout.Form.valueOf(f.requiredChoice("form", forms.stream().map(Knockout.Form::id).toList()).toUpperCase(Locale.ROOT));
        String set = f.text("relations", "");
        Relations relations = Relations.asked(model, set, f.text("relation", "all"));
        int count = f.integer("facts", 1, 1_000_000, 200);
        int seed = f.integer("seed", 0, Integer.MAX_VALUE, 1);
        int window = f.integer("window", 1, 2 * model.layers(), Knockout.paperWindow(model));
        boolean flows = f.flag("flows");
        if (flows && form == Knockout.Form.PUBLISHED) {
            throw new IllegalArgumentException("flows: true, expected false: the form published does not tell readers apart");
        }
        MeanActivations means = null;
        if (form == Knockout.Form.PUBLISHED || form == Knockout.Form.HELD) {
            means = MeanActivations.of(model, documents(model, Relations.asked(model, set, "all"), f, seed), HookPoint.IN_X, HookPoint.DELTA);
        } else if (f.has("documents")) {
            throw new IllegalArgumentException("documents: only the forms published and held need means of documents");
        }
        List<Known> facts = relations.knownBy(model).sample(count, seed);
        Knockout knockout = Knockout.of(model).form(form, means).window(window);
        long start = System.nanoTime();
        KnockoutCurves curves = knockout.over(facts, progress, journal);
        double seconds = (System.nanoTime() - start) / 1e9;
        List<NamedView> views = new ArrayList<>(List.of(new NamedView("curves", curves.table()), new NamedView("curves-chart", curves.chart())));
        List<NamedArray> arrays = new ArrayList<>(arrays(curves));
        if (flows) {
            KnockoutCurves found = knockout.along(Route.flows()).over(facts, progress, journal);
            views.add(new NamedView("flows", found.table()));
            views.add(new NamedView("flows-map", found.heatmap()));
            arrays.add(array("flow", found, Estimate::mean));
        }
        Map<String, Object> scalars = new LinkedHashMap<>();
        scalars.put("facts", facts.size());
        scalars.put("sweep_seconds", seconds);
        scalars.put("groups", curves.routes().stream().map(Route::label).toList());
        if (flows) {
            scalars.put("routes", Route.flows().stream().map(Route::label).toList());
        }
        return new Answer(scalars, arrays, views);
    }

    /** A file with one document a line, or documents made of the relations' facts. */
    private static List<int[]> documents(LanguageModel model, Relations relations, Fields f, int seed) {
        if (!f.has("documents")) {
            return MeanActivations.documents(model, relations, DOCUMENTS, seed);
        }
        String file = f.text("documents");
        try {
            List<int[]> documents = Files.readAllLines(Path.of(file)).stream().filter(line -> !line.isBlank())
                    .map(line -> model.requireTokenizer().encode(line, false).ids()).toList();
            if (documents.isEmpty()) {
                throw new IllegalArgumentException("documents: " + file + " holds no line of text");
            }
            return documents;
        } catch (IOException e) {
            throw new IllegalArgumentException("documents: " + file + " cannot be read as lines of UTF-8 text", e);
        }
    }

    private static List<NamedArray> arrays(KnockoutCurves curves) {
        return List.of(array("change", curves, Estimate::mean), array("low", curves, Estimate::low), array("high", curves, Estimate::high));
    }

    private static NamedArray array(String name, KnockoutCurves curves, ToDoubleFunction<Estimate> what) {
        int layers = curves.means(curves.routes().get(0)).length;
        float[] all = new float[curves.routes().size() * layers];
        for (int i = 0; i < all.length; i++) {
            all[i] = (float) what.applyAsDouble(curves.at(curves.routes().get(i / layers), i % layers));
        }
        return new NamedArray(name, new long[] {curves.routes().size(), layers}, all);
    }
}
