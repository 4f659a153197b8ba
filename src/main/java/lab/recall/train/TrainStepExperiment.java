package lab.recall.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import lab.recall.model.LanguageModel;
import lab.recall.model.Trainable;
import lab.recall.study.Answer;
import lab.recall.study.Experiment;
import lab.recall.study.Fields;
import lab.recall.study.NamedArray;
import lab.recall.study.Runner;

/** Steps of AdamW on one batch: {"experiment": "train_step", "ids", "steps", "optimizer", "gradients"}. */
public final class TrainStepExperiment implements Experiment<LanguageModel> {
    private static final int MOST_STEPS = 1_000_000;

    @Override
    public String name() {
        return "train_step";
    }

    @Override
    public List<String> fields() {
        return List.of("ids", "steps", "optimizer", "gradients");
    }

    @Override
    public Answer run(LanguageModel model, Fields f, Runner runner) {
        int[][] ids = f.rows("ids", model.vocabulary());
        if (ids[0].length < 2) {
            throw new IllegalArgumentException("ids: rows of 1 token, expected at least 2, one to predict from the other");
        }
        int steps = f.integer("steps", 1, MOST_STEPS);
        Fields o = f.object("optimizer");
        double rate = o.number("lr", 0);
        AdamW adam = new AdamW(AdamW.beta(o, "beta1"), AdamW.beta(o, "beta2"), AdamW.epsilon(o), o.number("weight_decay", 0), name -> true);
        o.done();
        boolean wanted = f.flag("gradients");
        Trainable trained = new Trainable(model, ids.length, ids[0].length);
        List<NamedArray> arrays = new ArrayList<>();
        float[] losses = new float[steps + 1];
        progress.start("training", "steps", steps);
        for (int s = 0; s < steps; s++) {
            losses[s] = (float) trained.backward(ids, null);
            if (s == 0 && wanted) {
                trained.gradients().forEach((n, v) -> arrays.add(new NamedArray("grad." + n, model.shapeOf(n), v.clone())));
            }
            adam.step(trained.weights(), trained.gradients(), rate, 1);
            trained.changed();
            progress.to(s + 1L);
        }
        progress.finish();
        losses[steps] = (float) trained.loss(ids, null);
        trained.weights().forEach((n, v) -> arrays.add(new NamedArray(n, model.shapeOf(n), v)));
        arrays.add(new NamedArray("losses", new long[] {losses.length}, losses));
        return new Answer(Map.of(), arrays);
    }
}
