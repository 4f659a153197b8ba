package lab.recall.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.math.CrossEntropy;
import lab.recall.math.MatMul;

/**
 * Mean cross-entropy of next-token prediction over rows of tokens, and its gradient with respect to every weight.
 *
 * <pre>{@code
 * ParameterGradients g = ParameterGradients.of(model, ids);  // ids [rows][tokens]
 * g.loss()
 * g.gradients().get("backbone.norm_f.weight")
 * }</pre>
 *
 * @param loss      mean over all rows and positions 0..T-2
 * @param gradients by checkpoint name, in the checkpoint's layout; a tied head once, as the embedding, the sum of both roles
 */
public record ParameterGradients(double loss, Map<String, float[]> gradients) {
    /** The loss and its gradients. */
    public static ParameterGradients of(LanguageModel model, int[][] ids) {
        return of(model, ids, true);
    }

    /** The loss alone. */
    public static double loss(LanguageModel model, int[][] ids) {
        return of(model, ids, false).loss;
    }

    private static ParameterGradients of(LanguageModel model, int[][] ids, boolean backward) {
        int positions = 0;
        for (int[] row : ids) {
            if (row.length < 2) {
                throw new IllegalArgumentException("ids: a row of " + row.length + " tokens; each needs at least 2, one to predict from the other");
            }
            positions += row.length - 1;
        }
        Recording keep = backward ? Recording.gradients() : Recording.points(HookPoint.RESID_POST);
        List<Pass> passes = model.runAll(List.of(ids), keep);
        Map<String, float[]> raw = new LinkedHashMap<>();
        List<BackBatch.Cotangent> cotangents = new ArrayList<>();
        int d = model.width();
        int rows = passes.stream().mapToInt(Pass::length).sum();
        float[] grad = new float[rows * d];
        double sum = 0;
        int row = 0;
        for (Pass pass : passes) {
            sum += head(model, pass, positions, grad, row * d, backward ? raw : null);
            BackBatch.Cotangent c = new BackBatch.Cotangent(pass, 0, null);
            c.row = row;
            cotangents.add(c);
            row += pass.length();
        }
        if (backward) {
            new Backward(model).run(cotangents, grad, 0, raw);
            float[] embedding = raw.computeIfAbsent(model.embeddingName(), n -> new float[model.vocabulary() * d]);
            for (BackBatch.Cotangent c : cotangents) {
                int[] tokens = c.pass.ids();
                for (int t = 0; t < tokens.length; t++) {
                    for (int i = 0; i < d; i++) {
                        embedding[tokens[t] * d + i] += grad[(c.row + t) * d + i];
                    }
                }
            }
        }
        return new ParameterGradients(sum / positions, model.asStored(raw));
    }

    /** Loss of one row; with {@code raw}, the gradients of the head and the final norm, and that of the last residual stream. */
    private static double head(LanguageModel model, Pass pass, int positions, float[] grad, int gradAt, Map<String, float[]> raw) {
        int d = model.width();
        int v = model.vocabulary();
        int[] ids = pass.ids();
        int n = ids.length - 1;
        float[] last = pass.values(model.layers() - 1, HookPoint.RESID_POST);
        float[] normed = new float[n * d];
        model.finalNorm(last, n, normed);
        float[] logits = new float[n * v];
        model.logits(normed, n, logits);
        double sum = 0;
        for (int t = 0; t < n; t++) {
            sum += CrossEntropy.forward(logits, t * v, v, ids[t + 1]);
            CrossEntropy.backward(logits, t * v, v, ids[t + 1], 1f / positions, logits, t * v);
        }
        if (raw != null) {
            float[] head = raw.computeIfAbsent(model.headName(), name -> new float[v * d]);
            MatMul.addOuter(logits, 0, v, normed, 0, d, n, v, d, head);
            float[] dNormed = new float[n * d];
            model.headBackward(logits, n, dNormed);
            model.finalNormBackward(last, 0, n, dNormed, grad, gradAt, raw);
        }
        return sum;
    }
}
