package lab.recall.linear;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import lab.recall.facts.Relations;
import lab.recall.model.Jacobian;
import lab.recall.model.LanguageModel;
import lab.recall.stats.Estimate;
import lab.recall.study.Answer;
import lab.recall.study.Experiment;
import lab.recall.study.Fields;
import lab.recall.study.NamedArray;
import lab.recall.study.NamedView;
import lab.recall.study.Runner;

/**
 * {@link LinearSweep} by request: {"experiment": "lre_sweep", "relation", "relations", "prompt", "mode", "samples", "splits", "facts", "every",
 * "ranks", "faithfulness_only", "seed"}. Arrays: {@code faithfulness} and, with edits, {@code causality}, [measured relations, layers, 3]: mean, low, high; the
 * embedding first. Scores over relations, and the names of the relations, are scalars.
 */
public final class LreSweepExperiment implements Experiment<LanguageModel> {
    @Override
    public String name() {
        return "lre_sweep";
    }

    @Override
    public List<String> fields() {
        return List.of("relation", "relations", "prompt", "mode", "samples", "splits", "facts", "every", "ranks", "faithfulness_only", "seed");
    }

    @Override
    public Answer run(LanguageModel model, Fields f, Runner runner) {
        Relations relations = Relations.asked(model, f.text("relations", ""), f.text("relation", "all"));
        boolean zeroShot = f.choice("prompt", List.of(Asking.IN_CONTEXT.id(), Asking.ZERO_SHOT.id())).equals(Asking.ZERO_SHOT.id());
        boolean published = f.choice("mode", List.of(Selection.NESTED.id(), Selection.PUBLISHED.id())).equals(Selection.PUBLISHED.id());
        Selection how = published ? Selection.PUBLISHED : Selection.NESTED;
        int every = f.integer("every", 1, model.layers(), 1);
        LinearSweep sweep = LinearSweep.of(model).asking(zeroShot ? Asking.ZERO_SHOT : Asking.IN_CONTEXT).samples(f.integer("samples", 1, 100, LinearSweep.SAMPLES))
                .splits(f.integer("splits", 1, 100, LinearSweep.SPLITS)).facts(f.integer("facts", Trial.LEAST, 1_000_000, LinearSweep.FACTS))
                .seed(f.integer("seed", 0, Integer.MAX_VALUE, 1))
                .layers(IntStream.range(Jacobian.EMBED, model.layers()).filter(l -> l == Jacobian.EMBED || l % every == 0).toArray());
        if (f.has("ranks")) {
            sweep = sweep.ranks(f.ids("ranks", model.width() + 1));
        }
        if (f.flag("faithfulness_only")) {
            sweep = sweep.ranks();
        }
        long start = System.nanoTime();
        LinearRelations found = sweep.over(relations, runner).chosen(how);
        double seconds = (System.nanoTime() - start) / 1e9;
        List<NamedView> views = new ArrayList<>(List.of(new NamedView("relations", found.table())));
        List<NamedArray> arrays = new ArrayList<>();
        List<LinearRelation> measured = found.measured();
        if (!measured.isEmpty()) {
            views.add(new NamedView("relations-bars", found));
            views.add(new NamedView("layers", found.layerTable()));
            measured.forEach(r -> views.add(new NamedView("layers-" + r.name(), r.chart())));
            arrays.add(array("faithfulness", measured, (r, layer) -> r.faithfulness(how, layer)));
            if (measured.stream().anyMatch(LinearRelation::hasCausality)) {
                arrays.add(array("causality", measured, (r, layer) -> r.causality(how, layer)));
            }
        }
        return new Answer(scalars(found, seconds), arrays, views);
    }

    private static Map<String, Object> scalars(LinearRelations found, double seconds) {
        Map<String, Object> scalars = new LinkedHashMap<>();
        scalars.put("summary", found.summary());
        scalars.put("relations", found.all().size());
        scalars.put("measured", found.measured().stream().map(LinearRelation::name).toList());
        if (!found.measured().isEmpty()) {
            scalars.put("mean_faithfulness", found.mean());
            scalars.put("mean_constant", found.constant());
            scalars.put("above_constant", found.aboveConstant());
            scalars.put("above_half", found.above(0.5));
            if (found.measured().stream().anyMatch(LinearRelation::hasCausality)) {
                scalars.put("mean_causality", found.causality());
            }
        }
        scalars.put("sweep_seconds", seconds);
        return scalars;
    }

    private interface Measure {
        Estimate of(LinearRelation relation, int layer);
    }

    private static NamedArray array(String name, List<LinearRelation> measured, Measure measure) {
        int[] layers = measured.get(0).layers();
        List<ToDoubleFunction<Estimate>> parts = List.of(Estimate::mean, Estimate::low, Estimate::high);
        float[] all = new float[measured.size() * layers.length * parts.size()];
        int at = 0;
        for (LinearRelation r : measured) {
            for (int layer : layers) {
                Estimate e = measure.of(r, layer);
                for (ToDoubleFunction<Estimate> part : parts) {
                    all[at++] = (float) part.applyAsDouble(e);
                }
            }
        }
        return new NamedArray(name, new long[] {measured.size(), layers.length, parts.size()}, all);
    }
}
