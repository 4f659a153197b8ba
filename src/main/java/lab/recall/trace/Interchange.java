package lab.recall.trace;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import lab.recall.model.Forks;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.LayerWindow;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.request.Journal;
import lab.recall.request.Progress;

/**
 * Interchange: the corrupt run with the clean run's value of a hook point put back, at some tokens, in a window of layers around each layer.
 *
 * <pre>{@code
 * InterchangeGrid g = Interchange.of(mamba).point(RESID_POST).run(cleanIds, corruptIds);
 * Interchange.of(mamba).point(OUT).window(3)                 // layers l-1 .. l+1
 * Interchange.of(mamba).point(RESID_POST).sever(Y)           // path blocking: Y at the token keeps its corrupt value in every layer
 * Interchange.of(mamba).point(RESID_POST).reverse()          // the corrupt run's value put into the clean run
 * }</pre>
 *
 * Source: arXiv 2404.03646, section 3 (interchange) and 3.2 (path blocking). The window is range(max(0, l - w/2), min(L, l + (w+1)/2)).
 */
public final class Interchange {
    private static final long PASS_BYTES = 400L << 20;
    /** Cases that are computed, and written to the journal, together. */
    private static final int TOGETHER = 32;

    private final LanguageModel model;
    private HookPoint point = HookPoint.RESID_POST;
    private LayerWindow window;
    private HookPoint sever;
    private boolean reverse;

    private Interchange(LanguageModel model) {
        this.model = model;
        this.window = LayerWindow.of(model, 1);
    }

    /**
     * One question.
     *
     * @param clean       a prompt
     * @param corrupt     another of equal length
     * @param answer      the token whose probability is measured; -1 for the clean run's own
     * @param cells       tokens that are put back together, a cell each
     * @param corruptions what is done to the corrupt prompt's run, such as noise; with several, probabilities are averaged over them
     */
    public record Case(int[] clean, int[] corrupt, int answer, List<int[]> cells, List<List<Intervention>> corruptions) {
        /** Every token by itself. */
        public Case(int[] clean, int[] corrupt, int answer) {
            this(clean, corrupt, answer, everyToken(clean.length));
        }

        /** A plain corrupt run. */
        public Case(int[] clean, int[] corrupt, int answer, List<int[]> cells) {
            this(clean, corrupt, answer, cells, List.of(List.of()));
        }

        static List<int[]> everyToken(int tokens) {
            return IntStream.range(0, tokens).mapToObj(t -> new int[] {t}).toList();
        }
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
        window = LayerWindow.of(model, layers);
        return this;
    }

    /** A point that is kept at its corrupt value at the tokens, in all layers; null for none. */
    public Interchange sever(HookPoint hookPoint) {
        if (hookPoint == point) {
            throw new IllegalArgumentException("sever: '" + hookPoint.id() + "', expected a point other than the one that is put back");
        }
        sever = hookPoint == null ? null : required(hookPoint);
        return this;
    }

    /** The other direction: the corrupt run's value is put into the clean run. */
    public Interchange reverse() {
        reverse = true;
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
        return run(List.of(new Case(clean, corrupt, -1)), Progress.silent(), Journal.none()).get(0);
    }

    /** The grids of many pairs, computed together; those that are in the journal are taken from there. */
    public List<InterchangeGrid> run(List<Case> cases, Progress progress, Journal journal) {
        for (Case c : cases) {
            if (c.clean().length != c.corrupt().length) {
                throw new IllegalArgumentException("corrupt: " + c.corrupt().length + " tokens, expected as many as clean has, " + c.clean().length);
            }
        }
        progress.start(name(), "rows", cases.stream().mapToLong(this::rows).sum());
        List<InterchangeGrid> grids = new ArrayList<>();
        long before = 0;
        int from = 0;
        while (from < cases.size()) {
            int to = from;
            long bytes = 0;
            while (to < cases.size() && (to == from || to - from < TOGETHER && bytes + passBytes(cases.get(to)) <= PASS_BYTES)) {
                bytes += passBytes(cases.get(to++));
            }
            List<Case> some = cases.subList(from, to);
            long done = before;
            String piece = name() + ", pairs " + from + " to " + (to - 1) + ", " + fingerprint(some);
            InterchangeGrid[] found = journal.piece(piece, InterchangeGrid[].class,
                    () -> group(some, progress, done));
            grids.addAll(List.of(found));
            before += some.stream().mapToLong(this::rows).sum();
            progress.to(before);
            from = to;
        }
        progress.finish();
        return grids;
    }

    private String name() {
        return (reverse ? "reverse " : "") + "interchange of " + point.id() + window.label()
                + (sever == null ? "" : ", " + sever.id() + " blocked");
    }

    /** Tells cases apart in a journal: another noise, or facts that were edited since, are other work. */
    private static String fingerprint(List<Case> cases) {
        int hash = 1;
        for (Case c : cases) {
            hash = 31 * hash + Arrays.hashCode(c.clean());
            hash = 31 * hash + Arrays.hashCode(c.corrupt());
            hash = 31 * hash + c.answer();
            for (List<Intervention> corruption : c.corruptions()) {
                for (Intervention i : corruption) {
                    hash = 31 * hash + (i instanceof Intervention.Add a ? Arrays.hashCode(a.vector()) : i.site().hashCode());
                }
            }
        }
        return Integer.toHexString(hash);
    }

    private InterchangeGrid[] group(List<Case> cases, Progress progress, long rowsBefore) {
        Recording sourceKeep = Recording.points(point);
        Recording baseKeep = sever == null ? Recording.states() : Recording.states().and(Recording.points(sever));
        List<int[]> corruptIds = new ArrayList<>();
        List<List<Intervention>> corruptions = new ArrayList<>();
        for (Case c : cases) {
            for (List<Intervention> corruption : c.corruptions()) {
                corruptIds.add(c.corrupt());
                corruptions.add(corruption);
            }
        }
        List<Pass> clean = model.runAll(cases.stream().map(Case::clean).toList(), reverse ? baseKeep : sourceKeep);
        List<Pass> corrupt = model.runAll(corruptIds, reverse ? sourceKeep : baseKeep, corruptions);
        Forks forks = model.forks().onProgress(rows -> progress.to(rowsBefore + rows));
        List<Integer> answers = new ArrayList<>();
        int run = 0;
        for (int i = 0; i < cases.size(); i++) {
            Case c = cases.get(i);
            int answer = c.answer() < 0 ? clean.get(i).argmax() : c.answer();
            for (int k = 0; k < c.corruptions().size(); k++, run++) {
                Pass base = reverse ? clean.get(i) : corrupt.get(run);
                Pass source = reverse ? corrupt.get(run) : clean.get(i);
                for (int l = 0; l < model.layers(); l++) {
                    for (int[] cell : c.cells()) {
                        forks.add(base, changes(source, base, l, cell));
                        answers.add(answer);
                    }
                }
            }
        }
        return grids(cases, clean, corrupt, answers, forks.probabilities(answers.stream().mapToInt(a -> a).toArray()));
    }

    private InterchangeGrid[] grids(List<Case> cases, List<Pass> clean, List<Pass> corrupt, List<Integer> answers, double[] p) {
        InterchangeGrid[] grids = new InterchangeGrid[cases.size()];
        int layers = model.layers();
        int at = 0;
        int run = 0;
        for (int i = 0; i < grids.length; i++) {
            Case c = cases.get(i);
            int samples = c.corruptions().size();
            int answer = answers.get(at);
            double[][] grid = new double[layers][c.cells().size()];
            double pCorrupt = 0;
            for (int k = 0; k < samples; k++, run++) {
                pCorrupt += corrupt.get(run).probability(answer) / samples;
                for (double[] row : grid) {
                    for (int cell = 0; cell < row.length; cell++) {
                        row[cell] += p[at++] / samples;
                    }
                }
            }
            long tokens = c.clean().length;
            grids[i] = new InterchangeGrid(grid, clean.get(i).probability(answer), pCorrupt, answer, reverse,
                    rows(c) + (1 + samples) * layers * tokens, (samples * (long) layers * c.cells().size() + 1 + samples) * layers * tokens);
        }
        return grids;
    }

    /** The patch at (layer, tokens), and the severed point after it; before the first patched layer severing would change nothing. */
    private List<Intervention> changes(Pass source, Pass base, int layer, int[] tokens) {
        int first = window.first(layer);
        List<Intervention> changes = new ArrayList<>();
        for (int token : tokens) {
            for (int k = first; k < window.end(layer); k++) {
                changes.add(Intervention.patch(new Site(k, point, token), source));
            }
            if (sever != null) {
                for (int k = point == HookPoint.RESID_POST ? first + 1 : first; k < model.layers(); k++) {
                    changes.add(Intervention.patch(new Site(k, sever, token), base));
                }
            }
        }
        return changes;
    }

    /** Token rows that the forks of one grid need. */
    private long rows(Case c) {
        long each = c.cells().stream().mapToLong(cell -> c.clean().length - IntStream.of(cell).min().orElseThrow()).sum();
        long sum = 0;
        for (int l = 0; l < model.layers(); l++) {
            sum += each * (model.layers() - window.first(l) - (point == HookPoint.RESID_POST ? 1 : 0));
        }
        return sum * c.corruptions().size();
    }

    private long passBytes(Case c) {
        long width = 12L * model.width();
        return (1L + c.corruptions().size()) * c.clean().length * model.layers() * width * Float.BYTES;
    }
}
