package lab.recall.trace;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import lab.recall.model.HookPoint;
import lab.recall.stats.Estimate;
import lab.recall.study.Measured;
import lab.recall.study.ModelCard;
import lab.recall.study.NamedArray;
import lab.recall.study.NamedView;
import lab.recall.study.Result;

/**
 * What {@link TraceRequest} finds.
 *
 * @param model          that was traced
 * @param traces         one for each point
 * @param attributions   the estimates to first order, one for each point; empty where they were not asked for
 * @param passedOver     facts that no other fits token on token
 * @param tracingSeconds without opening the model and asking for facts
 */
public record TraceResult(ModelCard model, List<AverageTrace> traces, List<AverageTrace> attributions,
        int passedOver, double tracingSeconds) implements Result {
    @Override
    public Map<String, Object> scalars() {
        Map<String, Object> scalars = new LinkedHashMap<>();
        for (int i = 0; i < attributions.size(); i++) {
            scalars.put(traces.get(i).point().id() + "_attribution_rank_correlation", traces.get(i).rankCorrelation(attributions.get(i)));
        }
        scalars.put("pairs", traces.get(0).pairs());
        scalars.put("facts_passed_over", passedOver);
        scalars.put("tracing_seconds", tracingSeconds);
        return scalars;
    }

    /** The traces by the names of their files; with o, s and g among them also o - s - g. */
    private Map<String, AverageTrace> named() {
        Map<String, AverageTrace> all = new LinkedHashMap<>();
        for (int i = 0; i < traces.size(); i++) {
            all.put(traces.get(i).point().id(), traces.get(i));
            if (!attributions.isEmpty()) {
                all.put(traces.get(i).point().id() + ".attribution", attributions.get(i));
            }
        }
        AverageTrace o = byLetter("o");
        AverageTrace s = byLetter("s");
        AverageTrace g = byLetter("g");
        if (o != null && s != null && g != null) {
            all.put("difference", o.minus(s, g));
        }
        return all;
    }

    /** The trace of the point that has this letter in the paper; null where there is none. */
    private AverageTrace byLetter(String letter) {
        return traces.stream().filter(t -> t.point().letter().equals(Optional.of(letter))).findFirst().orElse(null);
    }

    /** Means and intervals, [positions, layers]. */
    @Override
    public List<NamedArray> arrays() {
        List<NamedArray> arrays = new ArrayList<>();
        named().forEach((name, t) -> {
            int layers = model.layers();
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
        });
        return arrays;
    }

    /** {@code POINT/POSITION/LAYER}, of states {@code POINT/TOKENS_AFTER_SUBJECT/LAYER} too. */
    @Override
    public List<Measured> measures() {
        List<Measured> all = new ArrayList<>();
        named().forEach((name, t) -> {
            for (Position p : Position.values()) {
                for (int l = 0; l < model.layers(); l++) {
                    all.add(new Measured(name + "/" + p.id() + "/" + l, t.at(p, l)));
                }
            }
            AfterSubject after = t.point().isState() && t.isByToken() ? t.afterSubject() : null;
            for (int token = 0; after != null && token <= after.longest(); token++) {
                for (int l = 0; l < model.layers(); l++) {
                    all.add(new Measured(name + "/+" + token + "/" + l, after.at(token, l)));
                }
            }
        });
        for (int i = 0; i < attributions.size(); i++) {
            all.add(new Measured(traces.get(i).point().id() + ".attribution/rank_correlation",
                    traces.get(i).rankCorrelation(attributions.get(i))));
        }
        return all;
    }

    @Override
    public List<NamedView> views() {
        List<NamedView> views = new ArrayList<>();
        named().forEach((name, t) -> {
            views.add(new NamedView(name, t.table()));
            views.add(new NamedView(name + "-map", t.heatmap()));
            if (t.point().isState() && t.isByToken()) {
                views.add(new NamedView(name + "-after-subject", t.afterSubject().table()));
                views.add(new NamedView(name + "-after-subject-map", t.afterSubject().heatmap()));
            }
            if (name.equals(HookPoint.RESID_POST.id())) {
                views.add(new NamedView("hand-over", t.handOver()));
                if (t.countsEveryPair()) {
                    views.add(new NamedView("hand-over-by-subject-tokens", t.bySubjectTokens().table()));
                }
            }
        });
        return views;
    }
}
