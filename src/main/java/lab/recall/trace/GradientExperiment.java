package lab.recall.trace;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.model.Gradients;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.study.Experiment;
import lab.recall.study.NamedArray;
import lab.recall.study.Result;
import lab.recall.study.Runner;

/** Gradients of -log p(target) at places of one run. */
public final class GradientExperiment extends Experiment<GradientRequest, GradientExperiment.Found> {
    /** The loss, and a gradient for each place. */
    public record Found(double loss, List<NamedArray> arrays) implements Result {
        @Override
        public Map<String, Object> scalars() {
            return Map.of("loss", loss);
        }
    }

    public GradientExperiment() {
        super("gradient", "Gradients of -log p(target) with respect to the values at some places.", GradientRequest.class, Found.class);
    }

    @Override
    public GradientRequest complete(LanguageModel model, GradientRequest q) {
        Check.whole("target", q.target(), 0, model.vocabulary() - 1);
        sites(model, q, q.prompt().ids(model, "prompt").length);
        return q;
    }

    private static List<Site> sites(LanguageModel model, GradientRequest q, int tokens) {
        Set<Site> sites = new LinkedHashSet<>();
        for (int i = 0; i < q.sites().size(); i++) {
            List<Object> s = q.sites().get(i);
            String field = "sites[" + i + "]";
            int layer = Check.whole(field + " (layer)", (Integer) s.get(0), 0, model.layers() - 1);
            int token = Check.whole(field + " (token)", (Integer) s.get(2), 0, tokens - 1);
            try {
                HookPoint point = Interchange.required(model, HookPoint.of((String) s.get(1)));
                if (point.isState()) {
                    throw new BadRequest("", "'" + point.id() + "' is a layer's memory, at which no gradient is taken");
                }
                sites.add(new Site(layer, point, token));
            } catch (IllegalArgumentException e) {
                throw new BadRequest(field, e instanceof BadRequest bad ? bad.reason() : e.getMessage(), e);
            }
        }
        return new ArrayList<>(sites);
    }

    @Override
    public Found run(LanguageModel model, GradientRequest q, Runner runner) {
        int[] ids = q.prompt().ids(model, "prompt");
        List<Site> sites = sites(model, q, ids.length);
        Recording keep = Recording.of(sites.stream().map(Site::name).distinct().toArray(String[]::new));
        Gradients g = Gradients.of(model.run(ids, Recording.gradients()), q.target(), keep);
        return new Found(g.loss(), sites.stream().map(s -> {
            float[] values = g.get(s);
            int heads = model.heads(s.point());
            long[] shape = heads > 0 ? new long[] {heads, values.length / heads} : new long[] {values.length};
            return new NamedArray(s.name() + "@" + s.token(), shape, values);
        }).toList());
    }
}
