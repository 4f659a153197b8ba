package lab.recall.edit;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import lab.recall.edit.EditScores.Measure;
import lab.recall.model.EditableMatrix;
import lab.recall.stats.Estimate;
import lab.recall.study.Measured;
import lab.recall.study.NamedArray;
import lab.recall.study.NamedView;
import lab.recall.study.Result;

/**
 * What {@link EditSweepRequest} finds.
 *
 * @param curves                scores by matrix and layer
 * @param tokensOfSecondMoments how many the second moments were collected over
 * @param sweepSeconds          without opening the model, asking for facts and collecting
 */
public record EditSweepResult(EditCurves curves, long tokensOfSecondMoments, double sweepSeconds) implements Result {
    @Override
    public Map<String, Object> scalars() {
        Map<String, Object> scalars = new LinkedHashMap<>();
        scalars.put("requests", curves.requests());
        scalars.put("tokens_of_second_moments", tokensOfSecondMoments);
        scalars.put("sweep_seconds", sweepSeconds);
        for (EditableMatrix m : curves.matrices()) {
            int best = curves.best(m);
            scalars.put("best_" + m.id(), "layer " + best + ": score " + curves.at(m, best).score());
        }
        return scalars;
    }

    /** {@code MATRIX.MEASURE}, [mean, low, high][L]. */
    @Override
    public List<NamedArray> arrays() {
        List<NamedArray> arrays = new ArrayList<>();
        for (EditableMatrix matrix : curves.matrices()) {
            for (Measure m : Measure.values()) {
                arrays.add(array(matrix.id() + "." + m.label(), curves.estimates(matrix, m)));
            }
            arrays.add(array(matrix.id() + ".score", curves.scoreEstimates(matrix)));
        }
        return arrays;
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

    /** {@code MEASURE/MATRIX/LAYER}, for the layers that were edited. */
    @Override
    public List<Measured> measures() {
        List<Measured> all = new ArrayList<>();
        for (EditableMatrix matrix : curves.matrices()) {
            for (int layer : curves.layers()) {
                EditScores scores = curves.at(matrix, layer);
                String place = "/" + matrix.id() + "/" + layer;
                for (Measure m : Measure.values()) {
                    all.add(new Measured(m.label() + place, scores.success(m)));
                    all.add(new Measured(m.label() + "_magnitude" + place, scores.magnitude(m)));
                }
                all.add(new Measured("score" + place, scores.score()));
            }
        }
        return all;
    }

    @Override
    public List<NamedView> views() {
        List<NamedView> views = new ArrayList<>(List.of(
                new NamedView("edits", curves.table()), new NamedView("score", curves.scoreChart())));
        for (Measure m : Measure.values()) {
            views.add(new NamedView(m.label(), curves.chart(m)));
        }
        return views;
    }
}
