package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import lab.recall.facts.FactPair;
import lab.recall.facts.FactPairs;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.LayerWindow;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.request.Journal;
import lab.recall.request.Progress;
import lab.recall.text.Prompt;

/**
 * Causal tracing over pairs of facts.
 *
 * <pre>{@code
 * var trace = CausalTrace.of(mamba).residual().over(pairs);  // averages, with a progress bar
 * trace.heatmap()
 * trace.byPosition()
 * CausalTrace.of(mamba).residual().of(pairs.get(0))          // one example
 * CausalTrace.of(mamba).component(OUT).over(pairs)           // a component, over a window of layers
 * CausalTrace.of(mamba).reverse().over(pairs)                // the corrupt run's value put into the clean run
 * CausalTrace.of(mamba).noise(3, 10, seed).over(pairs)       // the subject's embeddings with noise instead of another subject
 * CausalTrace.of(mamba).averaging(Averaging.PUBLISHED)       // as the reference code averaged
 * }</pre>
 *
 * Source: arXiv 2404.03646, section 3; noise: arXiv 2202.05262, section 2.1.
 */
public final class CausalTrace {
    /** The paper's window: 10 of 64 layers in Mamba, 10 of 32 in Pythia. */
    private static final double MAMBA_WINDOW = 10.0 / 64;
    private static final double NEOX_WINDOW = 10.0 / 32;

    private final LanguageModel model;
    private HookPoint point = HookPoint.RESID_POST;
    private int window = 1;
    private Averaging averaging = Averaging.CORRECTED;
    private boolean reverse;
    private double deviations;
    private int samples;
    private long noiseSeed;

    private CausalTrace(LanguageModel model) {
        this.model = model;
    }

    /** A trace of the residual stream until told otherwise. */
    public static CausalTrace of(LanguageModel model) {
        return new CausalTrace(model);
    }

    /** The components whose effects the paper sets side by side: s, g, o and what enters the convolution; or attention and MLP. */
    public static List<HookPoint> components(LanguageModel model) {
        return isMamba(model) ? List.of(HookPoint.IN_X, HookPoint.Y, HookPoint.GATE, HookPoint.OUT) : List.of(HookPoint.ATTN_OUT, HookPoint.MLP_OUT);
    }

    /** A point's name in titles: the paper's letter for it, where it has one, and its own. */
    static String label(HookPoint point) {
        return switch (point) {
            case RESID_POST -> "residual stream";
            case IN_X -> "a (in_x)";
            case Y -> "s (y)";
            case GATE -> "g (gate)";
            case OUT -> "o (out)";
            case ATTN_OUT -> "attention";
            case MLP_OUT -> "MLP";
            default -> point.id();
        };
    }

    static boolean isMamba(LanguageModel model) {
        return model.points().contains(HookPoint.IN_X);
    }

    /** The residual stream after one layer. */
    public CausalTrace residual() {
        point = HookPoint.RESID_POST;
        window = 1;
        return this;
    }

    /** A component, over the paper's window in proportion to this model's depth, at least one layer. */
    public CausalTrace component(HookPoint component) {
        point = component;
        window = Math.max(1, (int) Math.round((isMamba(model) ? MAMBA_WINDOW : NEOX_WINDOW) * model.layers()));
        return this;
    }

    int window() {
        return window;
    }

    /** Another window. */
    public CausalTrace window(int layers) {
        window = layers;
        return this;
    }

    /** How pairs are averaged. */
    public CausalTrace averaging(Averaging how) {
        averaging = how;
        return this;
    }

    /** The other direction: what is lost when the corrupt run's value is put into the clean run. */
    public CausalTrace reverse() {
        reverse = true;
        return this;
    }

    /**
     * Corrupts the clean prompt by noise on the embeddings of the subject's tokens, instead of by another subject.
     *
     * @param standardDeviations of the noise, in units of the embeddings' own over the subjects of all pairs; the original method takes 3
     * @param count              samples of noise, averaged for each pair
     * @param seed               the same seed gives the same noise
     */
    public CausalTrace noise(double standardDeviations, int count, long seed) {
        if (!(standardDeviations > 0) || Double.isInfinite(standardDeviations)) {
            throw new IllegalArgumentException("noise: " + standardDeviations + ", expected a finite number above 0");
        }
        if (count < 1) {
            throw new IllegalArgumentException("samples: " + count + ", expected a whole number of at least 1");
        }
        deviations = standardDeviations;
        samples = count;
        noiseSeed = seed;
        return this;
    }

    /** One pair of facts. */
    public ExampleTrace of(FactPair pair) {
        Interchange.Case all = cases(List.of(pair)).get(0);
        Interchange.Case tokens = new Interchange.Case(all.clean(), all.corrupt(), all.answer(), all.cells().subList(0, pair.cleanPrompt().length()),
                all.corruptions());
        return new ExampleTrace(model, point, pair, interchange().run(List.of(tokens), Progress.silent(), Journal.none()).get(0), samples > 0);
    }

    /** All pairs, averaged by position. */
    public AverageTrace over(FactPairs pairs) {
        return over(pairs, Progress.bar(), Journal.none());
    }

    /** All pairs, averaged by position; tells how far it is, and keeps finished pairs in a journal. */
    public AverageTrace over(FactPairs pairs, Progress progress, Journal journal) {
        if (reverse && averaging == Averaging.PUBLISHED) {
            throw new IllegalArgumentException("reverse: the reference code has no reverse direction to average as published; average it as corrected");
        }
        List<InterchangeGrid> grids = interchange().run(cases(pairs.pairs()), progress, journal);
        double[][][] effects = grids.stream().map(InterchangeGrid::effect).toArray(double[][][]::new);
        return new AverageTrace(model, point, what(), how(), pairs, averaging.samples(pairs.pairs(), grids), effects);
    }

    private Interchange interchange() {
        Interchange i = Interchange.of(model).point(point).window(window);
        return reverse ? i.reverse() : i;
    }

    private String what() {
        return label(point) + LayerWindow.of(model, window).label() + how();
    }

    private String how() {
        return (reverse ? ", reverse" : "") + (samples > 0 ? ", noise" : "") + (averaging == Averaging.PUBLISHED ? ", published averaging" : "");
    }

    /** A cell for each token and one for the whole subject. */
    private List<Interchange.Case> cases(List<FactPair> pairs) {
        double deviation = samples > 0 ? deviations * embeddingDeviation(pairs) : 0;
        Random random = new Random(noiseSeed);
        List<Interchange.Case> cases = new ArrayList<>();
        for (FactPair p : pairs) {
            Prompt clean = p.cleanPrompt();
            List<int[]> cells = cells(clean);
            if (samples == 0) {
                cases.add(new Interchange.Case(clean.ids(), p.corruptPrompt().ids(), p.answer(), cells));
            } else {
                List<List<Intervention>> corruptions = new ArrayList<>();
                for (int s = 0; s < samples; s++) {
                    corruptions.add(noise(clean, deviation, random));
                }
                cases.add(new Interchange.Case(clean.ids(), clean.ids(), p.answer(), cells, corruptions));
            }
        }
        return cases;
    }

    static List<int[]> cells(Prompt prompt) {
        List<int[]> cells = new ArrayList<>(Interchange.Case.everyToken(prompt.length()));
        int[] subject = new int[prompt.subjectEnd() - prompt.subjectStart()];
        for (int i = 0; i < subject.length; i++) {
            subject[i] = prompt.subjectStart() + i;
        }
        cells.add(subject);
        return cells;
    }

    private List<Intervention> noise(Prompt prompt, double deviation, Random random) {
        List<Intervention> all = new ArrayList<>();
        for (int t = prompt.subjectStart(); t < prompt.subjectEnd(); t++) {
            float[] v = new float[model.width()];
            for (int i = 0; i < v.length; i++) {
                v[i] = (float) (deviation * random.nextGaussian());
            }
            all.add(Intervention.add(new Site(0, HookPoint.EMBED, t), v));
        }
        return all;
    }

    /** Standard deviation of the embeddings' numbers over the subjects' tokens, as the original method measures it. */
    private double embeddingDeviation(List<FactPair> pairs) {
        double sum = 0;
        double squares = 0;
        long n = 0;
        List<Pass> passes = model.runAll(pairs.stream().map(p -> p.cleanPrompt().ids()).toList(), Recording.points(HookPoint.EMBED));
        for (int i = 0; i < passes.size(); i++) {
            Prompt prompt = pairs.get(i).cleanPrompt();
            for (int t = prompt.subjectStart(); t < prompt.subjectEnd(); t++) {
                for (float v : passes.get(i).get(new Site(0, HookPoint.EMBED, t))) {
                    sum += v;
                    squares += (double) v * v;
                    n++;
                }
            }
        }
        return Math.sqrt(squares / n - sum / n * (sum / n));
    }
}
