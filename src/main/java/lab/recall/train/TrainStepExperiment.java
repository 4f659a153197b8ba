package lab.recall.train;

import java.util.ArrayList;
import java.util.List;
import lab.recall.base.Interruption;
import lab.recall.base.Progress;
import lab.recall.model.LanguageModel;
import lab.recall.model.Trainable;
import lab.recall.study.Experiment;
import lab.recall.study.GivenPrompt;
import lab.recall.study.NamedArray;
import lab.recall.study.Result;
import lab.recall.study.Runner;

/** Steps of AdamW on one batch. */
public final class TrainStepExperiment extends Experiment<TrainStepRequest, TrainStepExperiment.Found> {
    /** Weights by name, {@code losses} before each step and after the last one, and if asked for the first step's {@code grad.}* */
    public record Found(List<NamedArray> arrays) implements Result {
    }

    public TrainStepExperiment() {
        super("train_step", "Steps of AdamW on one batch.", TrainStepRequest.class, Found.class);
    }

    @Override
    public TrainStepRequest complete(LanguageModel model, TrainStepRequest q) {
        rows(model, q);
        return q;
    }

    private static int[][] rows(LanguageModel model, TrainStepRequest q) {
        int[][] rows = new int[q.ids().size()][];
        for (int r = 0; r < rows.length; r++) {
            rows[r] = GivenPrompt.ids(model, "ids[" + r + "]", q.ids().get(r));
        }
        return rows;
    }

    @Override
    public Found run(LanguageModel model, TrainStepRequest q, Runner runner) {
        int[][] ids = rows(model, q);
        TrainStepRequest.Optimizer o = q.optimizer();
        AdamW adam = new AdamW(o.beta1(), o.beta2(), o.eps(), o.weightDecay(), name -> true);
        Trainable trained = new Trainable(model, ids.length, ids[0].length);
        List<NamedArray> arrays = new ArrayList<>();
        float[] losses = new float[q.steps() + 1];
        Progress progress = runner.progress();
        progress.start("training", "steps", q.steps());
        for (int s = 0; s < q.steps(); s++) {
            Interruption.betweenPieces();
            losses[s] = (float) trained.backward(ids, null);
            if (s == 0 && q.gradients()) {
                trained.gradients().forEach((n, v) -> arrays.add(new NamedArray("grad." + n, model.shapeOf(n), v.clone())));
            }
            adam.step(trained.weights(), trained.gradients(), o.lr(), 1);
            trained.changed();
            progress.to(s + 1L);
        }
        progress.finish();
        losses[q.steps()] = (float) trained.loss(ids, null);
        trained.weights().forEach((n, v) -> arrays.add(new NamedArray(n, model.shapeOf(n), v)));
        arrays.add(new NamedArray("losses", new long[] {losses.length}, losses));
        return new Found(arrays);
    }
}
