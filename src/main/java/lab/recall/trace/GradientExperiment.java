package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import lab.recall.model.Gradients;
import lab.recall.model.GptNeoX;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.request.Answer;
import lab.recall.request.Experiment;
import lab.recall.request.Fields;
import lab.recall.request.Journal;
import lab.recall.request.NamedArray;
import lab.recall.request.Progress;

/** Gradients of -log p(target) at sites: {"experiment": "gradient", "prompt", "target", "sites": [[layer, point, token], ..]}. */
public final class GradientExperiment implements Experiment<LanguageModel> {
    @Override
    public String name() {
        return "gradient";
    }

    @Override
    public List<String> fields() {
        return List.of("prompt", "target", "sites");
    }

    @Override
    public Answer run(LanguageModel model, Fields f, Progress progress, Journal journal) {
        int[] ids = f.prompt("prompt", model.vocabulary(), t -> model.prompt(t).ids());
        int target = f.integer("target", 0, model.vocabulary() - 1);
        List<Site> sites = new ArrayList<>();
        for (Fields.Place p : f.places("sites", model.layers(), ids.length)) {
            sites.add(new Site(p.layer(), Interchange.of(model).required(HookPoint.of(p.point())), p.token()));
        }
        Recording keep = Recording.of(sites.stream().map(Site::name).distinct().toArray(String[]::new));
        Gradients g = Gradients.of(model.run(ids, Recording.gradients()), target, keep);
        List<NamedArray> arrays = sites.stream().distinct().map(s -> {
            float[] values = g.get(s);
            boolean headed = s.point() == HookPoint.Q || s.point() == HookPoint.K || s.point() == HookPoint.V;
            long[] shape = headed ? new long[] {((GptNeoX) model).heads(), values.length / ((GptNeoX) model).heads()} : new long[] {values.length};
            return new NamedArray(s.name() + "@" + s.token(), shape, values);
        }).toList();
        return new Answer(Map.of("loss", g.loss()), arrays);
    }
}
