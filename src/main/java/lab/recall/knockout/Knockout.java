package lab.recall.knockout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.LongConsumer;
import lab.recall.facts.KnownFacts.Known;
import lab.recall.model.Edges;
import lab.recall.model.Forks;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.LayerWindow;
import lab.recall.model.Mamba;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.study.Runner;
import lab.recall.text.Prompt;

/**
 * Knock-out: how far the answer's probability falls when nothing flows along a route in a window of layers.
 *
 * <pre>{@code
 * var facts = known.sample(200, seed);
 * Knockout.of(mamba).published(means).over(facts)           // the paper's form
 * Knockout.of(mamba).edges().over(facts)                    // exact: the edges' own terms, through convolution and scan
 * Knockout.of(mamba).every().over(facts)                    // also the edges among the sources
 * Knockout.of(neox).edges().over(facts)                     // attention scores of minus infinity
 * Knockout.of(mamba).edges().along(Route.flows()).over(facts).heatmap()
 * }</pre>
 *
 * The window around layer l is range(max(0, l - w/2), min(L, l + (w+1)/2)). Source: arXiv 2404.03646, section 6; for attention Geva et al.,
 * arXiv 2304.14767, section 4.
 */
public final class Knockout {
    /** What is done in a layer of the window. */
    public enum Form {
        /** The paper's: in_x of the source is its mean, that of all other tokens but the last one is kept as it was. */
        PUBLISHED,
        /** The edges' terms are left out of the convolution and the scan, or of the attention. */
        EDGES,
        /** As EDGES, and those among the sources too, each one's to itself included: what the paper's form takes away, nothing in its place. */
        EVERY,
        /** Of the scan alone. */
        SCAN,
        /** Of the convolution alone. */
        CONV,
        /** As EDGES, and a source that another edge passes over has the mean delta. */
        HELD;

        /** Its name in requests. */
        public String id() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** The paper's window: 5 layers before and 5 from the centre on, of 64; in proportion to Pythia's 32. */
    private static final double MAMBA_HALF = 5.0 / 64;
    private static final double NEOX_HALF = 5.0 / 32;
    /** A finished piece of work: so many facts, fewer if they need more memory. */
    private static final int TOGETHER = 50;
    private static final long BYTES = 256L << 20;

    private final LanguageModel model;
    private Form form = Form.EDGES;
    private MeanActivations means;
    private LayerWindow window;
    private List<Route> routes = Route.published();

    private Knockout(LanguageModel model) {
        this.model = model;
        this.window = LayerWindow.of(model, paperWindow(model));
    }

    /** Of exact edges, over the paper's window in proportion to the model's depth, along the paper's categories. */
    public static Knockout of(LanguageModel model) {
        return new Knockout(model);
    }

    /** [l - 5, l + 5) of 64 layers (GPT-NeoX: 32) in proportion to this model's depth, at least [l - 1, l + 1). */
    static int paperWindow(LanguageModel model) {
        return 2 * Math.max(1, (int) Math.round((model instanceof Mamba ? MAMBA_HALF : NEOX_HALF) * model.layers()));
    }

    /** The paper's form; the means must hold in_x. */
    public Knockout published(MeanActivations ofDocuments) {
        return form(Form.PUBLISHED, ofDocuments);
    }

    /** Exact edges: convolution and scan, or attention. */
    public Knockout edges() {
        return form(Form.EDGES, null);
    }

    /** Exact edges, those among the sources and each one's own included. */
    public Knockout every() {
        return form(Form.EVERY, null);
    }

    /** Exact edges of the scan alone. */
    public Knockout scan() {
        return form(Form.SCAN, null);
    }

    /** Exact edges of the convolution alone. */
    public Knockout conv() {
        return form(Form.CONV, null);
    }

    /** Exact edges, passed sources with the mean delta; the means must hold delta. */
    public Knockout held(MeanActivations ofDocuments) {
        return form(Form.HELD, ofDocuments);
    }

    /** Any form; {@code ofDocuments} where it needs means. */
    public Knockout form(Form which, MeanActivations ofDocuments) {
        if (which != Form.EDGES && !(model instanceof Mamba)) {
            throw new IllegalArgumentException("form: " + which.id() + ", expected edges: " + model.name() + " is a " + model.family()
                    + ", which has neither convolution nor scan");
        }
        form = which;
        means = ofDocuments;
        return this;
    }

    /** Over how many layers. */
    public Knockout window(int layers) {
        window = LayerWindow.of(model, layers);
        return this;
    }

    /** Along these routes; the paper's form reads their sources only. */
    public Knockout along(List<Route> which) {
        routes = List.copyOf(which);
        return this;
    }

    /** All facts, with a progress bar. */
    public KnockoutCurves over(List<Known> facts) {
        return over(facts, Runner.shown());
    }

    /** All facts; tells how far it is, and keeps finished pieces in a journal. */
    public KnockoutCurves over(List<Known> facts, Runner runner) {
        if (facts.isEmpty()) {
            throw new IllegalArgumentException("no fact: " + model.name() + " knows none of those asked");
        }
        int runs = routes.size() * model.layers();
        progress.start("knock-out, " + form.id(), "runs", (long) facts.size() * runs);
        double[][][] changes = new double[facts.size()][][];
        String name = form.id() + ", window " + window.width() + ", " + String.join("; ", routes.stream().map(Route::label).toList());
        int from = 0;
        while (from < facts.size()) {
            int to = from;
            long bytes = 0;
            while (to < Math.min(facts.size(), from + TOGETHER) && (to == from || bytes + bytes(facts.get(to)) <= BYTES)) {
                bytes += bytes(facts.get(to++));
            }
            List<Known> some = facts.subList(from, to);
            long before = (long) from * runs;
            double[][][] found = journal.piece(name + ", facts " + from + "-" + (to - 1), double[][][].class,
                    () -> changes(some, done -> progress.to(before + done)));
            System.arraycopy(found, 0, changes, from, found.length);
            progress.to((long) to * runs);
            from = to;
        }
        progress.finish();
        return new KnockoutCurves(model, form, window.width(), routes, changes);
    }

    /** (p' - p) / p of each fact, [fact][route][centre layer]; NaN where the prompt has no such edge. */
    private double[][][] changes(List<Known> facts, LongConsumer done) {
        List<Pass> bases = model.runAll(facts.stream().map(k -> k.prompt().ids()).toList(), Recording.states());
        Forks forks = model.forks();
        int layers = model.layers();
        double[][][] changes = new double[facts.size()][routes.size()][layers];
        List<int[]> places = new ArrayList<>();
        for (int i = 0; i < bases.size(); i++) {
            for (int r = 0; r < routes.size(); r++) {
                List<List<Intervention>> byLayer = byLayer(routes.get(r), facts.get(i).prompt(), bases.get(i));
                for (int l = 0; l < layers; l++) {
                    List<Intervention> all = new ArrayList<>();
                    for (int k = window.first(l); k < window.end(l); k++) {
                        all.addAll(byLayer.get(k));
                    }
                    if (all.isEmpty()) {
                        changes[i][r][l] = Double.NaN;
                    } else {
                        forks.add(bases.get(i), all);
                        places.add(new int[] {i, r, l});
                    }
                }
            }
        }
        double share = (double) facts.size() * routes.size() * layers / Math.max(1, forks.plannedRows());
        forks.onProgress(rows -> done.accept((long) (rows * share)));
        double[] p = forks.probabilities(places.stream().mapToInt(at -> facts.get(at[0]).answer()).toArray());
        for (int i = 0; i < p.length; i++) {
            int[] at = places.get(i);
            double clean = bases.get(at[0]).probability(facts.get(at[0]).answer());
            changes[at[0]][at[1]][at[2]] = (p[i] - clean) / clean;
        }
        return changes;
    }

    /** What is done in each layer if it is in the window; the same edges serve all. */
    private List<List<Intervention>> byLayer(Route route, Prompt prompt, Pass base) {
        List<List<Intervention>> all = new ArrayList<>();
        Edges edges = switch (form) {
            case PUBLISHED -> Edges.none();
            case EVERY -> route.edges(prompt).and(Edges.between(route.source().tokens(prompt), route.source().tokens(prompt)));
            default -> route.edges(prompt);
        };
        for (int l = 0; l < model.layers(); l++) {
            all.add(form == Form.PUBLISHED ? published(route.source().tokens(prompt), l, base) : cuts(edges, l));
        }
        return all;
    }

    /** The forms that cut edges, in one layer. */
    List<Intervention> cuts(Edges edges, int layer) {
        if (edges.isEmpty()) {
            return List.of();
        }
        return switch (form) {
            case SCAN -> List.of(Intervention.cutScan(layer, edges));
            case CONV -> List.of(Intervention.cutConv(layer, edges));
            case HELD -> List.of(Intervention.cutConv(layer, edges), edges.hasSelf() ? Intervention.cutScan(layer, edges)
                    : Intervention.cutScan(layer, edges, means.get(layer, HookPoint.DELTA)));
            default -> Intervention.cut(model, layer, layer, edges);
        };
    }

    /** Tokens left of the first source need no pin: nothing reaches them. */
    private List<Intervention> published(int[] sources, int layer, Pass base) {
        List<Intervention> all = new ArrayList<>();
        float[] mean = means.get(layer, HookPoint.IN_X);
        for (int t = sources.length == 0 ? base.length() : sources[0]; t < base.length(); t++) {
            Site site = new Site(layer, HookPoint.IN_X, t);
            if (Arrays.binarySearch(sources, t) >= 0) {
                all.add(new Intervention.Replace(site, mean, 0));
            } else if (t < base.length() - 1) {
                all.add(Intervention.patch(site, base));
            }
        }
        return all;
    }

    /** A base's states, and the residual rows of its forks. */
    private long bytes(Known fact) {
        long tokens = fact.prompt().length();
        return tokens * model.layers() * model.width() * Float.BYTES * (12 + (long) routes.size());
    }
}
