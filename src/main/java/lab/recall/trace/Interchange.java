package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import lab.recall.model.Forks;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.request.Progress;

/**
 * Interchange: the corrupt run with the clean run's value of a hook point put back, at each token, in a window of layers around each layer.
 *
 * <pre>{@code
 * InterchangeGrid g = Interchange.of(mamba).point(RESID_POST).run(cleanIds, corruptIds);
 * Interchange.of(mamba).point(OUT).window(3)                 // layers l-1 .. l+1
 * Interchange.of(mamba).point(RESID_POST).sever(Y)           // path blocking: Y at the token keeps its corrupt value in every layer
 * }</pre>
 *
 * Source: arXiv 2404.03646, section 3 (interchange) and 3.2 (path blocking). The window is range(max(0, l - w/2), min(L, l + (w+1)/2)).
 */
public final class Interchange {
    private static final long PASS_BYTES = 400L << 20;

    private final LanguageModel model;
    private HookPoint point = HookPoint.RESID_POST;
    private int window = 1;
    private HookPoint sever;

    private Interchange(LanguageModel model) {
        this.model = model;
    }

    /** One question: two prompts of equal length, and the token whose probability is measured; -1 for the clean run's own. */
    public record Case(int[] clean, int[] corrupt, int answer) {
    }

    /** Of the residual stream, one layer at a time, until told otherwise. */
    public static Interchange of(LanguageModel model) {
        return new Interchange(model);
    }

    /** The point that is put back. */
    public Interchange point(HookPoint hookPoint) {
        point = required(hookPoint);
        return this;
    }

    /** Over how many layers. */
    public Interchange window(int layers) {
        if (layers < 1 || layers > 2 * model.layers()) {
            throw new IllegalArgumentException("window: " + layers + ", expected a whole number from 1 to " + 2 * model.layers());
        }
        window = layers;
        return this;
    }

    /** A point that is kept at its corrupt value at the token, in all layers; null for none. */
    public Interchange sever(HookPoint hookPoint) {
        if (hookPoint == point) {
            throw new IllegalArgumentException("sever: '" + hookPoint.id() + "', expected a point other than the one that is put back");
        }
        sever = hookPoint == null ? null : required(hookPoint);
        return this;
    }

    /** Refuses a point that belongs to no layer of the model or has no value per token. */
    HookPoint required(HookPoint p) {
        if (p.isGlobal() || !p.isPerToken() || !model.points().contains(p)) {
            throw new IllegalArgumentException("'" + p.id() + "' is no point of a layer of " + model.family() + " with a value per token; such are "
                    + String.join(", ", model.points().stream().filter(x -> !x.isGlobal() && x.isPerToken()).map(HookPoint::id).toList()));
        }
        return p;
    }

    /** The grid of one pair of prompts. */
    public InterchangeGrid run(int[] clean, int[] corrupt) {
        return run(List.of(new Case(clean, corrupt, -1)), Progress.silent()).get(0);
    }

    /** The grids of many pairs, computed together. */
    public List<InterchangeGrid> run(List<Case> cases, Progress progress) {
        for (Case c : cases) {
            if (c.clean().length != c.corrupt().length) {
                throw new IllegalArgumentException("corrupt: " + c.corrupt().length + " tokens, expected as many as clean has, " + c.clean().length);
            }
        }
        long total = cases.stream().mapToLong(c -> rows(c.clean().length)).sum();
        progress.start("interchange of " + point.id(), "rows", total);
        List<InterchangeGrid> grids = new ArrayList<>();
        long[] before = {0};
        int from = 0;
        while (from < cases.size()) {
            int to = from;
            long bytes = 0;
            while (to < cases.size() && (to == from || bytes + passBytes(cases.get(to)) <= PASS_BYTES)) {
                bytes += passBytes(cases.get(to++));
            }
            grids.addAll(group(cases.subList(from, to), progress, before));
            from = to;
        }
        progress.finish();
        return grids;
    }

    private List<InterchangeGrid> group(List<Case> cases, Progress progress, long[] rowsBefore) {
        Recording cleanKeep = Recording.points(point);
        Recording corruptKeep = sever == null ? Recording.states() : Recording.states().and(Recording.points(sever));
        List<Pass> clean = model.runAll(cases.stream().map(Case::clean).toList(), cleanKeep);
        List<Pass> corrupt = model.runAll(cases.stream().map(Case::corrupt).toList(), corruptKeep);
        int layers = model.layers();
        Forks forks = model.forks().onProgress(rows -> progress.to(rowsBefore[0] + rows));
        List<Integer> answers = new ArrayList<>();
        for (int i = 0; i < cases.size(); i++) {
            int answer = cases.get(i).answer() < 0 ? clean.get(i).argmax() : cases.get(i).answer();
            for (int l = 0; l < layers; l++) {
                for (int t = 0; t < clean.get(i).length(); t++) {
                    forks.add(corrupt.get(i), changes(clean.get(i), corrupt.get(i), l, t));
                    answers.add(answer);
                }
            }
        }
        double[] p = forks.probabilities(answers.stream().mapToInt(a -> a).toArray());
        List<InterchangeGrid> grids = new ArrayList<>();
        int at = 0;
        for (int i = 0; i < cases.size(); i++) {
            int tokens = clean.get(i).length();
            double[][] grid = new double[layers][tokens];
            int answer = answers.get(at);
            for (int l = 0; l < layers; l++) {
                for (int t = 0; t < tokens; t++) {
                    grid[l][t] = p[at++];
                }
            }
            grids.add(new InterchangeGrid(grid, clean.get(i).probability(answer), corrupt.get(i).probability(answer), answer,
                    rows(tokens) + 2L * layers * tokens, ((long) layers * tokens + 2) * layers * tokens));
        }
        rowsBefore[0] += forks.rows();
        return grids;
    }

    /** The patch at (layer, token), and the severed point behind it; before the first patched layer severing would change nothing. */
    private List<Intervention> changes(Pass clean, Pass corrupt, int layer, int token) {
        int first = Math.max(0, layer - window / 2);
        int last = Math.min(model.layers(), layer + (window + 1) / 2) - 1;
        List<Intervention> changes = new ArrayList<>();
        for (int k = first; k <= last; k++) {
            changes.add(Intervention.patch(new Site(k, point, token), clean));
        }
        if (sever != null) {
            for (int k = point == HookPoint.RESID_POST ? first + 1 : first; k < model.layers(); k++) {
                changes.add(Intervention.patch(new Site(k, sever, token), corrupt));
            }
        }
        return changes;
    }

    /** Token rows that the forks of one grid need. */
    private long rows(int tokens) {
        long each = (long) tokens * (tokens + 1) / 2;
        long sum = 0;
        for (int l = 0; l < model.layers(); l++) {
            int first = Math.max(0, l - window / 2) + (point == HookPoint.RESID_POST ? 1 : 0);
            sum += each * (model.layers() - first);
        }
        return sum;
    }

    private long passBytes(Case c) {
        long width = 12L * model.width();
        return 2L * c.clean().length * model.layers() * width * Float.BYTES;
    }
}
