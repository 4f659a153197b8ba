package lab.recall.model;

import java.util.Arrays;
import java.util.List;
import lab.recall.base.BadRequest;

/**
 * The edges that a run leaves out in one layer: all its {@link Intervention.Cut cuts} of the layer together.
 *
 * @param conv  through the convolution; null for none, like {@code scan}
 * @param scan  through the scan
 * @param delta the step size that tokens passed by a cut edge are taken to have, [E]; null for their own
 * @param heads through each head of the attention; null for none
 */
record Cuts(Edges conv, Edges scan, float[] delta, Edges[] heads) {
    private static final Cuts NONE = new Cuts(null, null, null, null);

    /** For each layer; null when nothing is cut anywhere. */
    static Cuts[] of(LanguageModel model, List<Intervention> changes) {
        Cuts[] all = null;
        for (Intervention i : changes) {
            if (i instanceof Intervention.Cut c && !c.edges().isEmpty()) {
                all = all == null ? new Cuts[model.layers()] : all;
                int layer = c.site().layer();
                all[layer] = (all[layer] == null ? NONE : all[layer]).with(model, c);
            }
        }
        return all;
    }

    private Cuts with(LanguageModel model, Intervention.Cut c) {
        return switch (c.site().point()) {
            case CONV -> new Cuts(join(conv, c.edges()), scan, delta, heads);
            case Y -> {
                if (scan != null && !Arrays.equals(delta, c.delta())) {
                    throw new BadRequest("", c.site().name() + ": two cuts of one layer must hold delta at the same vector");
                }
                yield new Cuts(conv, join(scan, c.edges()), c.delta(), heads);
            }
            default -> new Cuts(conv, scan, delta, attention(model, c));
        };
    }

    private Edges[] attention(LanguageModel model, Intervention.Cut c) {
        Edges[] all = heads == null ? new Edges[((GptNeoX) model).heads()] : heads.clone();
        for (int h = 0; h < all.length; h++) {
            if (c.cuts(h)) {
                all[h] = join(all[h], c.edges());
                for (int t = c.edges().firstTarget(); t <= c.edges().lastTarget(); t++) {
                    if (all[h].count(t) == t + 1) {
                        throw new BadRequest("", c.site().name() + ": token " + t + " would attend to nothing in head " + h
                                + "; at least one source must stay");
                    }
                }
            }
        }
        return all;
    }

    private static Edges join(Edges a, Edges b) {
        return a == null ? b : a.and(b);
    }
}
