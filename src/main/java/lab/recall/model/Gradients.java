package lab.recall.model;

import java.util.Arrays;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.math.CrossEntropy;

/**
 * Gradients of -log p(target) after the last token with respect to vectors added at hook points.
 *
 * <pre>{@code
 * Pass pass = model.run(ids, Recording.gradients());
 * Gradients g = Gradients.of(pass, answer, Recording.points(RESID_POST, OUT));
 * g.get(new Site(4, RESID_POST, 3))                          // [width]
 * }</pre>
 *
 * Exact, by each block's own backward; one pass down the layers for all sites. Used by attribution patching and rank-one editing.
 */
public final class Gradients {
    private final Pass pass;
    private final double loss;
    private final BackBatch.Cotangent found;

    private Gradients(Pass pass, double loss, BackBatch.Cotangent found) {
        this.pass = pass;
        this.loss = loss;
        this.found = found;
    }

    /**
     * Of a pass that was run with {@link Recording#gradients()}; keeps the gradients that {@code keep} names.
     *
     * @throws BadRequest when the pass kept too little, or has cut edges
     * @throws lab.recall.base.Unsolvable when the logits are not finite
     */
    public static Gradients of(Pass pass, int target, Recording keep) {
        LanguageModel model = pass.model();
        model.requireId(target);
        boolean[][] wanted = keep.table(model);
        model.requireTape(pass);
        model.requireGradients(wanted);
        float[] logits = pass.logits();
        model.requireFinite(logits, 0);
        double loss = CrossEntropy.forward(logits, 0, logits.length, target);
        CrossEntropy.backward(logits, 0, logits.length, target, 1f, logits, 0);
        int d = model.width();
        int tokens = pass.length() - pass.from();
        float[] grad = new float[tokens * d];
        float[] dNormed = new float[d];
        model.headBackward(logits, 0, 1, dNormed, 0);
        float[] last = pass.values(model.layers() - 1, HookPoint.RESID_POST);
        model.finalNorm().backward(last, (tokens - 1) * d, 1, dNormed, 0, grad, (tokens - 1) * d, null);
        BackBatch.Cotangent c = new BackBatch.Cotangent(pass, pass.from(), wanted);
        new Backward(model).run(List.of(c), grad, 0);
        return new Gradients(pass, loss, c);
    }

    /** -log p(target). */
    public double loss() {
        return loss;
    }

    /**
     * The gradient at a site, [width].
     *
     * @throws BadRequest when it was not kept
     */
    public float[] get(Site site) {
        int width = pass.model().width(site.point());
        int slot = site.point().isGlobal() ? pass.model().layers() : site.layer();
        float[] all = found.kept == null ? null : found.kept[slot][site.point().number()];
        if (all == null) {
            throw new BadRequest("", "the gradient at " + site.name()
                    + " was not kept; ask for it with Recording.of(\"" + site.name() + "\")");
        }
        int at = (site.token() - found.from) * width;
        if (at < 0 || at + width > all.length) {
            throw new BadRequest("", site + ": the token must be from " + found.from + " to " + (pass.length() - 1));
        }
        return Arrays.copyOfRange(all, at, at + width);
    }
}
