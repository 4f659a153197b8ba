package lab.recall.knockout;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import lab.recall.facts.Documents;
import lab.recall.facts.KnownFacts.Known;
import lab.recall.facts.Relations;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Mamba;
import lab.recall.stats.Estimate;
import lab.recall.study.Answer;
import lab.recall.study.Experiment;
import lab.recall.study.Fields;
import lab.recall.study.NamedArray;
import lab.recall.study.NamedView;
import lab.recall.study.Runner;

/**
 * {@link Knockout} by request file: {"experiment": "knockout", "form", "relation", "relations", "facts", "window", "seed", "flows",
 * "texts", "documents"}.
 * Arrays: {@code change}, {@code low}, {@code high}, [groups, L]; with flows also {@code flow} [routes, L].
 */
public final class KnockoutExperiment implements Experiment<LanguageModel> {
    /** Documents for the means when the request does not say. */
    public static final int DOCUMENTS = 128;

    @Override
    public String name() {
        return "knockout";
    }

    @Override
    public List<String> fields() {
        return List.of("form", "relation", "relations", "facts", "window", "seed", "flows", "texts", "documents");
    }

    @Override
    public Answer run(LanguageModel model, Fields f, Runner runner) {
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
        } else if (f.has("documents") || f.has("texts")) {
            throw new IllegalArgumentException((f.has("texts") ? "texts" : "documents") + ": only the forms published and held need means of documents");
        }
        List<Known> facts = relations.knownBy(model).sample(count, seed);
        Knockout knockout = Knockout.of(model).form(form, means).window(window);
        long start = System.nanoTime();
        KnockoutCurves curves = knockout.over(facts, runner);
        double seconds = (System.nanoTime() - start) / 1e9;
        List<NamedView> views = new ArrayList<>(List.of(new NamedView("curves", curves.table()), new NamedView("curves-chart", curves.chart())));
        List<NamedArray> arrays = new ArrayList<>(arrays(curves));
        if (flows) {
            KnockoutCurves found = knockout.along(Route.flows()).over(facts, runner);
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

    /** Those of a file, or documents made of the relations' facts. */
    private static List<int[]> documents(LanguageModel model, Relations relations, Fields f, int seed) {
        int count = f.integer("documents", 1, 1_000_000, DOCUMENTS);
        if (!f.has("texts")) {
            return MeanActivations.documents(model, relations, count, seed);
        }
        String file = f.text("texts");
        try (Stream<String> texts = Documents.read(Path.of(file))) {
            List<int[]> documents = texts.limit(count).map(text -> model.requireTokenizer().encode(text, false).ids()).toList();
            if (documents.isEmpty()) {
                throw new IllegalArgumentException("texts: " + file + " holds no line of text");
            }
            return documents;
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
