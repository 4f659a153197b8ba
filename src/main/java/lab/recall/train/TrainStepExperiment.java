package lab.recall.train;

import java.util.ArrayList;
import java.util.List;
import lab.recall.base.Interruption;
import lab.recall.base.Progress;
import lab.recall.base.Unsolvable;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
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

    /** Refuses what is no number, of the model as it was given or of what the steps have made of it. */
    private static float finite(LanguageModel model, int[][] rows, int step, double loss) {
        if (!Double.isFinite(loss)) {
            model.runAll(List.of(rows), Recording.nothing()).forEach(Pass::requireFinite);
            throw new Unsolvable("optimizer.lr", "the loss is no longer finite at step " + step + "; expected a lower learning rate");
        }
        return (float) loss;
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
            losses[s] = finite(model, ids, s, trained.backward(ids, null));
            if (s == 0 && q.gradients()) {
                trained.gradients().forEach((n, v) -> arrays.add(new NamedArray("grad." + n, model.shapeOf(n), v.clone())));
            }
            adam.step(trained.weights(), trained.gradients(), o.lr(), 1);
            trained.changed();
            progress.to(s + 1L);
        }
        progress.finish();
        losses[q.steps()] = finite(model, ids, q.steps(), trained.loss(ids, null));
        trained.weights().forEach((n, v) -> arrays.add(new NamedArray(n, model.shapeOf(n), v)));
        arrays.add(new NamedArray("losses", new long[] {losses.length}, losses));
        return new Found(arrays);
    }
}
