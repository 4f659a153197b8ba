package lab.recall.knockout;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import lab.recall.stats.Estimate;
import lab.recall.study.Measured;
import lab.recall.study.NamedArray;
import lab.recall.study.NamedView;
import lab.recall.study.Result;

/**
 * What {@link KnockoutRequest} finds.
 *
 * @param curves       along the paper's categories
 * @param flows        one more, from each part of the prompt to each later one; none where it was not asked for
 * @param sweepSeconds of the curves, without opening the model and asking for facts
 */
public record KnockoutResult(KnockoutCurves curves, List<KnockoutCurves> flows, double sweepSeconds) implements Result {
    @Override
    public Map<String, Object> scalars() {
        Map<String, Object> scalars = new LinkedHashMap<>();
        scalars.put("facts", curves.facts());
        scalars.put("sweep_seconds", sweepSeconds);
        scalars.put("groups", labels(curves));
        flows.forEach(f -> scalars.put("routes", labels(f)));
        return scalars;
    }

    private static List<String> labels(KnockoutCurves curves) {
        return curves.routes().stream().map(Route::label).toList();
    }

    /** {@code change}, {@code low} and {@code high}, [groups, L]; with flows also {@code flow}, [routes, L]. */
    @Override
    public List<NamedArray> arrays() {
        List<NamedArray> arrays = new ArrayList<>(List.of(array("change", curves, Estimate::mean), array("low", curves, Estimate::low),
                array("high", curves, Estimate::high)));
        flows.forEach(f -> arrays.add(array("flow", f, Estimate::mean)));
        return arrays;
    }

    private static NamedArray array(String name, KnockoutCurves curves, ToDoubleFunction<Estimate> what) {
        int layers = curves.model().layers();
        float[] all = new float[curves.routes().size() * layers];
        for (int i = 0; i < all.length; i++) {
            all[i] = (float) what.applyAsDouble(curves.at(curves.routes().get(i / layers), i % layers));
        }
        return new NamedArray(name, new long[] {curves.routes().size(), layers}, all);
    }

    /** {@code change/ROUTE/LAYER}, of flows {@code flow/ROUTE/LAYER}. */
    @Override
    public List<Measured> measures() {
        List<Measured> all = new ArrayList<>(measures("change", curves));
        flows.forEach(f -> all.addAll(measures("flow", f)));
        return all;
    }

    private static List<Measured> measures(String name, KnockoutCurves curves) {
        return curves.routes().stream().flatMap(route -> IntStream.range(0, curves.model().layers())
                .mapToObj(l -> new Measured(name + "/" + route.label() + "/" + l, curves.at(route, l)))).toList();
    }

    @Override
    public List<NamedView> views() {
        List<NamedView> views = new ArrayList<>();
        views.add(new NamedView("curves", curves.table()));
        views.add(new NamedView("curves-chart", curves.chart()));
        flows.forEach(f -> views.addAll(List.of(new NamedView("flows", f.table()), new NamedView("flows-map", f.heatmap()))));
        return views;
    }
}
