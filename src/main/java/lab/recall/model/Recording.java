package lab.recall.model;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import lab.recall.base.BadRequest;
import lab.recall.base.Said;

/**
 * Which hook points of a run are kept.
 *
 * <pre>{@code
 * Recording.of("layers.3.*", "logits")          // by full names; a * takes dots too
 * Recording.points(Y, GATE)                     // these points in every layer
 * Recording.of("layers.3.state")                // a layer's memory behind each token: only where its name is written out
 * Recording.states()                            // what a continuation or a fork needs
 * }</pre>
 *
 * What is not asked for is not kept and costs nothing.
 */
public final class Recording {
    private final Set<HookPoint> points = new LinkedHashSet<>();
    private final List<String> globs = new ArrayList<>();
    private boolean states;
    private int statesFrom = Integer.MAX_VALUE;
    private boolean gradients;

    private Recording() {
    }

    /** Keeps nothing. */
    public static Recording nothing() {
        return new Recording();
    }

    /** Keeps everything but the memories behind each token. */
    public static Recording all() {
        return of("*");
    }

    /** Keeps these points in every layer. */
    public static Recording points(HookPoint... points) {
        Recording r = new Recording();
        r.points.addAll(List.of(points));
        return r;
    }

    /** Keeps every point whose full name matches one of the globs; {@code residual} stands for {@code resid_post}. */
    public static Recording of(String... globs) {
        Recording r = new Recording();
        for (String g : globs) {
            int dot = g.lastIndexOf('.');
            r.globs.add(g.substring(dot + 1).equals("residual") ? g.substring(0, dot + 1) + HookPoint.RESID_POST.id() : g);
        }
        return r;
    }

    /** Keeps what a continuation or a fork needs: residual streams, and what later tokens read of earlier ones. */
    public static Recording states() {
        Recording r = new Recording();
        r.states = true;
        return r;
    }

    /** The same, for forks that enter at this layer or above it: lower layers' states are not kept. */
    public static Recording states(int fromLayer) {
        Recording r = new Recording();
        r.statesFrom = fromLayer;
        return r;
    }

    /** Keeps what gradients need: nearly everything. */
    public static Recording gradients() {
        Recording r = new Recording();
        r.gradients = true;
        return r;
    }

    /** Keeps what either asks for. */
    public Recording and(Recording other) {
        Recording r = new Recording();
        r.points.addAll(points);
        r.points.addAll(other.points);
        r.globs.addAll(globs);
        r.globs.addAll(other.globs);
        r.states = states || other.states;
        r.statesFrom = Math.min(statesFrom, other.statesFrom);
        r.gradients = gradients || other.gradients;
        return r;
    }

    /** For each layer (and, last, for the model) whether each point is kept; refuses a glob that matches nothing. Null: nothing at all. */
    boolean[][] table(LanguageModel model) {
        if (points.isEmpty() && globs.isEmpty() && !states && statesFrom == Integer.MAX_VALUE && !gradients) {
            return null;
        }
        boolean[][] keep = new boolean[model.layers() + 1][HookPoint.count()];
        for (HookPoint p : points) {
            model.requirePoint(p);
            mark(model, keep, p);
        }
        if (states) {
            model.statePoints().forEach(p -> mark(model, keep, p));
        }
        for (int l = Math.max(0, statesFrom - 1); l < model.layers(); l++) {
            for (HookPoint p : model.statePoints()) {
                keep[l][p.number()] = true;
            }
        }
        if (gradients) {
            model.block(0).tapePoints().forEach(p -> mark(model, keep, p));
            mark(model, keep, HookPoint.RESID_POST);
        }
        for (String g : globs) {
            Pattern pattern = pattern(g);
            boolean any = false;
            for (HookPoint p : model.points()) {
                if (p.isState() && !g.endsWith("." + p.id())) {
                    continue;
                }
                for (int l = 0; l < (p.isGlobal() ? 1 : model.layers()); l++) {
                    if (pattern.matcher(p.name(l)).matches()) {
                        keep[p.isGlobal() ? model.layers() : l][p.number()] = true;
                        any = true;
                    }
                }
            }
            if (!any) {
                throw new BadRequest("", "'" + Said.of(g) + "' matches no hook point; names are embed, layers.0."
                        + "{" + String.join(", ", model.points().stream().filter(p -> !p.isGlobal()).map(HookPoint::id).toList())
                        + "} to layers." + (model.layers() - 1) + ", final_norm, logits");
            }
        }
        return keep;
    }

    private static Pattern pattern(String glob) {
        return Pattern.compile("\\Q" + glob.replace("*", "\\E.*\\Q") + "\\E");
    }

    /** Whether a glob takes a full name. */
    public static boolean matches(String glob, String name) {
        return pattern(glob).matcher(name).matches();
    }

    private static void mark(LanguageModel model, boolean[][] keep, HookPoint p) {
        if (p.isGlobal()) {
            keep[model.layers()][p.number()] = true;
            return;
        }
        for (int l = 0; l < model.layers(); l++) {
            keep[l][p.number()] = true;
        }
    }
}
