package lab.recall.linear;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import lab.recall.stats.Estimate;
import lab.recall.study.Measured;
import lab.recall.study.NamedArray;
import lab.recall.study.NamedView;
import lab.recall.study.Result;

/**
 * What {@link LreSweepRequest} finds.
 *
 * @param found        the relations, chosen as was asked
 * @param sweepSeconds without opening the model
 */
public record LreSweepResult(LinearRelations found, double sweepSeconds) implements Result {
    /** Scores over relations, and the names of those that are measured. */
    @Override
    public Map<String, Object> scalars() {
        Map<String, Object> scalars = new LinkedHashMap<>();
        scalars.put("summary", found.summary());
        scalars.put("relations", found.all().size());
        scalars.put("measured", found.measured().stream().map(LinearRelation::name).toList());
        if (!found.measured().isEmpty()) {
            scalars.put("mean_faithfulness", found.mean());
            scalars.put("mean_constant", found.constant());
            scalars.put("above_constant", found.aboveConstant());
            scalars.put("above_half", found.above(0.5));
            if (edited()) {
                scalars.put("mean_causality", found.causality());
            }
        }
        scalars.put("sweep_seconds", sweepSeconds);
        return scalars;
    }

    private boolean edited() {
        return found.measured().stream().anyMatch(LinearRelation::hasCausality);
    }

    /** {@code faithfulness} and, with edits, {@code causality}, [measured relations, layers, 3]: mean, low, high; the embedding first. */
    @Override
    public List<NamedArray> arrays() {
        List<LinearRelation> measured = found.measured();
        List<NamedArray> arrays = new ArrayList<>();
        if (!measured.isEmpty()) {
            arrays.add(array("faithfulness", measured, (r, layer) -> r.faithfulness(found.how(), layer)));
            if (edited()) {
                arrays.add(array("causality", measured, (r, layer) -> r.causality(found.how(), layer)));
            }
        }
        return arrays;
    }

    /**
     * {@code MEASURE/RELATION} at the layer that is chosen and {@code MEASURE/RELATION/LAYER}; a relation of which too few facts are known
     * has one row of no number.
     */
    @Override
    public List<Measured> measures() {
        List<Measured> all = new ArrayList<>();
        for (LinearRelation r : found.all()) {
            all.add(new Measured("faithfulness/" + r.name(), r.faithfulness(found.how())));
            if (!r.isMeasured()) {
                continue;
            }
            all.add(Measured.of("constant/" + r.name(), r.constant(), r.tested()));
            all.add(Measured.of("chance/" + r.name(), r.chance(), r.tested()));
            if (r.hasCausality()) {
                all.add(new Measured("causality/" + r.name(), r.causality(found.how())));
            }
            for (int layer : r.layers()) {
                String place = "/" + r.name() + "/" + LinearRelation.label(layer);
                all.add(new Measured("faithfulness" + place, r.faithfulness(found.how(), layer)));
                if (r.hasCausality()) {
                    all.add(new Measured("causality" + place, r.causality(found.how(), layer)));
                }
            }
        }
        return all;
    }

    @Override
    public List<NamedView> views() {
        List<NamedView> views = new ArrayList<>(List.of(new NamedView("relations", found.table())));
        if (!found.measured().isEmpty()) {
            views.add(new NamedView("relations-bars", found));
            views.add(new NamedView("layers", found.layerTable()));
            found.measured().forEach(r -> views.add(new NamedView("layers-" + r.name(), r.chart())));
        }
        return views;
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
