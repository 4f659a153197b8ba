package lab.recall.linear;

import java.util.List;
import java.util.Map;
import lab.recall.model.Jacobian;
import lab.recall.model.LanguageModel;
import lab.recall.model.Recording;
import lab.recall.study.Answer;
import lab.recall.study.Experiment;
import lab.recall.study.Fields;
import lab.recall.study.NamedArray;
import lab.recall.study.Runner;

/** A Jacobian of the residual stream: {"experiment": "jacobian", "prompt", "layer", "token"}. */
public final class JacobianExperiment implements Experiment<LanguageModel> {
    @Override
    public String name() {
        return "jacobian";
    }

    @Override
    public List<String> fields() {
        return List.of("prompt", "layer", "token");
    }

    @Override
    public Answer run(LanguageModel model, Fields f, Runner runner) {
        int[] ids = f.prompt("prompt", model.vocabulary(), t -> model.prompt(t).ids());
        int layer = f.layer("layer", model.layers());
        int token = f.integer("token", 0, ids.length - 1);
        Jacobian j = Jacobian.of(model.run(ids, Recording.gradients()), layer, token);
        long d = model.width();
        return new Answer(Map.of(), List.of(new NamedArray("J", new long[] {d, d}, j.values()), new NamedArray("h", new long[] {d}, j.h()),
                new NamedArray("z", new long[] {d}, j.z())));
    }
}
