package lab.recall.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import lab.recall.base.BadRequest;

/**
 * One run to be computed: some ids, from token {@link #from} and layer {@link #entry} on. Everything before is the base pass's.
 */
public final class Run {
    final int[] ids;
    /** Supplies what lies left of {@link #from} and below {@link #entry}; null when the run starts at token 0 and layer 0. */
    final Pass base;
    /** The first token that differs from the base. */
    final int from;
    /** The first layer that is computed; L: only the final norm and the head are. */
    final int entry;
    final List<Intervention> changes;
    /** The edges left out in each layer; null when nothing is cut. */
    private final LayerCuts[] cuts;
    final boolean[][] keep;
    /** Of how many of the last tokens logits are wanted. */
    final int logits;
    /** What was kept, [layer, L for global points][point ordinal]; null where nothing was asked for. */
    float[][][] kept;
    /** First row in its group's residual matrix. */
    int row;

    private Run(LanguageModel model, int[] ids, Pass base, int from, int entry, List<Intervention> changes, boolean[][] keep, int logits) {
        model.requireLength(ids.length);
        this.ids = ids;
        this.base = base;
        this.from = from;
        this.entry = entry;
        this.changes = changes;
        this.cuts = cuts(model, changes);
        requireOneOfBoth();
        this.keep = keep;
        this.logits = logits;
    }

    /** A run from the start. */
    static Run whole(LanguageModel model, int[] ids, List<Intervention> changes, boolean[][] keep, int logits) {
        return new Run(model, ids, null, 0, 0, spread(model, changes, ids.length), keep, logits);
    }

    /** The base pass with more tokens after it, and changes of these; one for all tokens is made at each of them. */
    static Run continued(Pass base, int[] ids, List<Intervention> ongoing, boolean[][] keep, int logits) {
        List<Intervention> changes = new ArrayList<>();
        for (Intervention i : ongoing) {
            for (int t = base.length(); t < ids.length; t++) {
                changes.add(i.at(t));
            }
        }
        return new Run(base.model(), ids, base, base.length(), 0, changes, keep, logits);
    }

    /** The base pass changed by interventions; those of the base itself stay in force. */
    static Run fork(Pass base, List<Intervention> changes, boolean[][] keep, int logits) {
        LanguageModel model = base.model();
        if (base.from() > 0 || model.statePoints().stream().anyMatch(p -> !base.has(model.layers() - 1, p))) {
            throw new BadRequest("", "a fork needs a base that kept its states: run it with Recording.states()");
        }
        List<Intervention> all = spread(model, changes, base.length());
        int from = base.length() - 1;
        int entry = model.layers();
        for (Intervention i : all) {
            from = Math.min(from, i.site().token());
            entry = Math.min(entry, entryLayer(model, i.site()));
        }
        int enters = entry;
        List<Intervention> inForce = new ArrayList<>(base.changes());
        inForce.removeIf(i -> isIn(model, i.site(), enters));
        inForce.addAll(all);
        return new Run(model, base.ids(), base, from, entry, inForce, keep, logits);
    }

    private static LayerCuts[] cuts(LanguageModel model, List<Intervention> changes) {
        Map<Integer, List<Intervention.Cut>> byLayer = new TreeMap<>();
        for (Intervention i : changes) {
            if (i instanceof Intervention.Cut c && !c.edges().isEmpty()) {
                byLayer.computeIfAbsent(c.site().layer(), l -> new ArrayList<>()).add(c);
            }
        }
        if (byLayer.isEmpty()) {
            return null;
        }
        LayerCuts[] all = new LayerCuts[model.layers()];
        byLayer.forEach((layer, cuts) -> all[layer] = model.block(layer).cuts(cuts));
        return all;
    }

    /** What a cut edge would carry of a state that was put in its place, nobody can say. */
    private void requireOneOfBoth() {
        for (Intervention i : changes) {
            if (i.site().point().isState() && cuts(i.site().layer()) != null) {
                throw new BadRequest("", i.site() + ": one layer cannot have its " + i.site().point().id()
                        + " changed and edges cut; take two layers or two runs");
            }
        }
    }

    int tokens() {
        return ids.length - from;
    }

    /** The first token that differs from the base. */
    public int from() {
        return from;
    }

    /** The edges left out in a layer; null for none. */
    public LayerCuts cuts(int layer) {
        return cuts == null ? null : cuts[layer];
    }

    boolean keeps(int layer, HookPoint point) {
        return keep != null && point.number() < keep[layer].length && keep[layer][point.number()];
    }

    /** Whether the residual stream that a run loads on entering a layer holds a change of its base already. */
    private static boolean isIn(LanguageModel model, Site site, int entry) {
        int felt = entryLayer(model, site);
        return felt < entry || (felt == entry && site.point().equals(HookPoint.RESID_POST));
    }

    /** The layer from which a change at this site is felt: a change of the residual stream is felt by the next layer. */
    private static int entryLayer(LanguageModel model, Site site) {
        HookPoint point = site.point();
        if (point.isGlobal()) {
            return point.equals(HookPoint.EMBED) ? 0 : model.layers();
        }
        return point.equals(HookPoint.RESID_POST) ? site.layer() + 1 : site.layer();
    }

    /** Checks the changes and writes one for every token where all tokens are meant. */
    private static List<Intervention> spread(LanguageModel model, List<Intervention> changes, int tokens) {
        List<Intervention> all = new ArrayList<>(changes.size());
        for (Intervention i : changes) {
            i.check(model, tokens);
            if (i.site().token() == Site.ALL) {
                for (int t = 0; t < tokens; t++) {
                    all.add(i.at(t));
                }
            } else {
                all.add(i);
            }
        }
        return all;
    }
}
