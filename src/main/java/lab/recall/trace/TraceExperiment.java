package lab.recall.trace;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import lab.recall.facts.FactPairs;
import lab.recall.facts.Pairing;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.request.Answer;
import lab.recall.request.Experiment;
import lab.recall.request.Fields;
import lab.recall.request.Journal;
import lab.recall.request.NamedArray;
import lab.recall.request.NamedView;
import lab.recall.request.Progress;
import lab.recall.stats.Estimate;

/**
 * {@link CausalTrace} by request: {"experiment": "trace", "relation", "relations", "points", "window", "mode", "pairs", "seed", "reverse",
 * "noise", "samples", "attribution"}.
 */
public final class TraceExperiment implements Experiment<LanguageModel> {
    @Override
    public String name() {
        return "trace";
    }

    @Override
    public List<String> fields() {
        return List.of("relation", "relations", "points", "window", "mode", "pairs", "seed", "reverse", "noise", "samples", "attribution");
    }

    @Override
    public Answer run(LanguageModel model, Fields f, Progress progress, Journal journal) {
        List<HookPoint> points = points(model, f);
        boolean published = f.choice("mode", List.of("corrected", "published")).equals("published");
        int window = f.has("window") ? f.integer("window", 1, 2 * model.layers(), 1) : 0;
        boolean reverse = f.flag("reverse");
        boolean noise = f.has("noise");
        double deviations = noise ? f.number("noise", 0) : 0;
        if (f.has("samples") && !noise) {
            throw new IllegalArgumentException("samples: only noise is sampled; give noise, or leave samples out");
        }
        int samples = f.integer("samples", 1, 10_000, 10);
        boolean attribution = f.flag("attribution");
        if (reverse && published) {
            throw new IllegalArgumentException("reverse: true with mode published: the reference code has no reverse direction");
        }
        if (attribution && (reverse || noise)) {
            throw new IllegalArgumentException("attribution: true, expected false with reverse or noise: it estimates the effect of a clean value put back");
        }
        FactPairs pairs = TracedFacts.pairs(model, f, published ? Pairing.PUBLISHED : Pairing.CORRECTED);
        long start = System.nanoTime();
        Map<HookPoint, AverageTrace> traces = new LinkedHashMap<>();
        List<NamedArray> arrays = new ArrayList<>();
        List<NamedView> views = new ArrayList<>();
        Map<String, Object> scalars = new LinkedHashMap<>();
        for (HookPoint p : points) {
            CausalTrace trace = CausalTrace.of(model).averaging(published ? Averaging.PUBLISHED : Averaging.CORRECTED);
            trace = p == HookPoint.RESID_POST ? trace.residual() : trace.component(p);
            trace = window > 0 ? trace.window(window) : trace;
            trace = reverse ? trace.reverse() : trace;
            trace = noise ? trace.noise(deviations, samples, f.settings().get("seed").asLong()) : trace;
            AverageTrace t = trace.over(pairs, progress, journal);
            traces.put(p, t);
            add(p.id(), t, arrays, views);
            if (p == HookPoint.RESID_POST) {
                views.add(new NamedView("hand-over", t.handOver()));
            }
            if (attribution) {
                AverageTrace fast = AttributionPatching.of(model).point(p).window(trace.window()).over(pairs, progress, journal);
                add(p.id() + ".attribution", fast, arrays, views);
                scalars.put(p.id() + "_attribution_rank_correlation", t.rankCorrelation(fast));
            }
        }
        if (traces.keySet().containsAll(List.of(HookPoint.OUT, HookPoint.Y, HookPoint.GATE))) {
            add("difference", traces.get(HookPoint.OUT).minus(traces.get(HookPoint.Y), traces.get(HookPoint.GATE)), arrays, views);
        }
        scalars.put("pairs", traces.values().iterator().next().pairs());
        scalars.put("facts_passed_over", pairs.unmatched());
        scalars.put("tracing_seconds", (System.nanoTime() - start) / 1e9);
        return new Answer(scalars, arrays, views);
    }

    private static List<HookPoint> points(LanguageModel model, Fields f) {
        List<String> names = f.has("points") ? f.texts("points") : List.of("residual");
        return names.stream().flatMap(n -> n.equals("components") ? CausalTrace.components(model).stream() : Stream.of(HookPoint.of(n)))
                .map(p -> Interchange.of(model).required(p)).distinct().toList();
    }

    /** Means and intervals as arrays [positions, layers], a table, and the picture. */
    private static void add(String name, AverageTrace t, List<NamedArray> arrays, List<NamedView> views) {
        int layers = t.model().layers();
        float[][] all = new float[3][Position.values().length * layers];
        for (Position p : Position.values()) {
            for (int l = 0; l < layers; l++) {
                Estimate e = t.at(p, l);
                int at = p.ordinal() * layers + l;
                all[0][at] = (float) e.mean();
                all[1][at] = (float) e.low();
                all[2][at] = (float) e.high();
            }
        }
        long[] shape = {Position.values().length, layers};
        arrays.add(new NamedArray(name + ".mean", shape, all[0]));
        arrays.add(new NamedArray(name + ".low", shape, all[1]));
        arrays.add(new NamedArray(name + ".high", shape, all[2]));
        views.add(new NamedView(name, t.table()));
        views.add(new NamedView(name + "-map", t.heatmap()));
    }
}
