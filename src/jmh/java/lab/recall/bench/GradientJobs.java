package lab.recall.bench;

import java.util.List;
import lab.recall.model.Gradients;
import lab.recall.model.HookPoint;
import lab.recall.model.Jacobian;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Trainable;
import lab.recall.train.AdamW;

/** What goes backwards: gradients, Jacobians, training. */
final class GradientJobs {
    private GradientJobs() {
    }

    /** Gradients of the residual stream beside the forward pass of the same rows. */
    static Job vectors(String name, int threads) {
        return new Job("backward", "backward, vectors", name, 256, threads, models -> {
            LanguageModel model = models.open(name);
            List<int[]> prompts = List.of(prompts(model, 4, 64));
            List<Pass> passes = model.runAll(prompts, Recording.gradients());
            return Work.of(() -> passes.forEach(p -> Gradients.of(p, 7, Recording.points(HookPoint.RESID_POST))))
                    .rows(256L * model.layers())
                    .beside("forward, last logits", () -> model.runAll(prompts, Recording.nothing()));
        });
    }

    /** What the gradients of all parameters add to a forward pass with its loss. */
    static Job parameters(String name, int threads) {
        return new Job("backward", "backward, parameters", name, 256, threads, models -> {
            LanguageModel model = models.open(name);
            int[][] prompts = prompts(model, 4, 64);
            Trainable trained = new Trainable(model, prompts.length, prompts[0].length);
            return Work.of(() -> trained.backward(prompts, null)).rows(256L * model.layers())
                    .beside(new Work.Own("forward and loss", () -> trained.loss(prompts, null), 1, true));
        });
    }

    /** From the middle layer to the end, at the middle token. */
    static Job jacobian(String name, int layer, int threads) {
        int tokens = 16;
        int token = 8;
        String job = "jacobian, layer " + layer + ", token " + token + " of " + tokens;
        return new Job("jacobian", job, name, tokens, threads, models -> {
            LanguageModel model = models.open(name);
            Pass pass = model.run(Models.ids(model, tokens, 1), Recording.gradients());
            return Work.of(() -> Jacobian.of(pass, layer, token))
                    .rows((long) model.width() * (tokens - token) * (model.layers() - 1 - layer))
                    .torch(job, "jacobian", model.folder().toString(), "--layer", "" + layer, "--tokens", "" + tokens,
                            "--token", "" + token, "--mode", "vmap", "--rows", "128", "--chunk", "64",
                            "--threads", "" + threads, "--repeats", "1");
        });
    }

    /** One step of training an embedded model further, optimizer included, on a batch of the shape of its recipe. */
    static Job train(String name, int threads) {
        int rows = 8;
        int tokens = 128;
        String job = "train-step, " + rows + " rows";
        return new Job("train-step", job, name, rows * tokens, threads, models -> {
            LanguageModel model = models.open(name);
            int[][] prompts = prompts(model, rows, tokens);
            Trainable trained = new Trainable(model, rows, tokens);
            AdamW adam = new AdamW(0.9, 0.98, 1e-8, 0.01, weight -> true);
            return Work.of(() -> {
                trained.backward(prompts, null);
                adam.step(trained.weights(), trained.gradients(), 1e-3, 1);
                trained.changed();
            }).rows((long) rows * tokens * model.layers())
                    // forward once, back twice; the last token of a row predicts nothing
                    .flops(3 * Models.flops(model, rows * tokens, rows * (tokens - 1)))
                    .torch(job, "train-step", model.folder().toString(), "--tokens", "" + tokens, "--batch", "" + rows,
                            "--threads", "" + threads);
        });
    }

    private static int[][] prompts(LanguageModel model, int rows, int tokens) {
        int[][] prompts = new int[rows][];
        for (int i = 0; i < rows; i++) {
            prompts[i] = Models.ids(model, tokens, i);
        }
        return prompts;
    }
}
