package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.facts.FactPair;
import lab.recall.facts.FactPairs;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.LayerWindow;
import lab.recall.study.ModelCard;
import lab.recall.study.Runner;
import lab.recall.text.Prompt;
import lab.recall.text.Tokenizer;

/**
 * Causal tracing over pairs of facts.
 *
 * <pre>{@code
 * var trace = CausalTrace.of(mamba).residual().over(pairs);  // averages, with a progress bar
 * trace.heatmap()
 * trace.byPosition()
 * CausalTrace.of(mamba).residual().of(pairs.get(0))          // one example
 * CausalTrace.of(mamba).of("Novux Bridge is located in", "Polux Bridge is located in")
 * CausalTrace.of(mamba).component(OUT).over(pairs)           // a component, over a window of layers
 * CausalTrace.of(mamba).component(STATE).over(pairs).afterSubject() // in which layer's memory the subject lives, until which token
 * CausalTrace.of(mamba).residual().together().over(pairs)    // all tokens of a row at once, such as all after the subject
 * CausalTrace.of(mamba).reverse().over(pairs)                // the corrupt run's value put into the clean run
 * CausalTrace.of(mamba).noise(3, 10, seed).over(pairs)       // the subject's embeddings with noise instead of another subject
 * CausalTrace.of(mamba).averaging(Averaging.PUBLISHED)       // as the reference code averaged
 * CausalTrace.of(mamba).shuffled().over(pairs)               // a negative control: other facts' answers, which nothing should bring back
 * }</pre>
 *
 * Immutable: every setting gives a trace of its own. Source: arXiv 2404.03646, section 3; noise: arXiv 2202.05262, section 2.1.
 */
public final class CausalTrace {
    private final LanguageModel model;
    private HookPoint point = HookPoint.RESID_POST;
    private int window = 1;
    private Cells cells = Cells.TOKENS;
    private Averaging averaging = Averaging.CORRECTED;
    private boolean isReverse;
    private boolean isShuffled;
    private double deviations;
    /** Draws of noise; 0 for another subject instead. */
    private int samples;
    private long seed;

    private CausalTrace(LanguageModel model) {
        this.model = model;
    }

    /** A trace is never changed: what is set is set in a copy. */
    private CausalTrace copy() {
        CausalTrace t = new CausalTrace(model);
        t.point = point;
        t.window = window;
        t.cells = cells;
        t.averaging = averaging;
        t.isReverse = isReverse;
        t.isShuffled = isShuffled;
        t.deviations = deviations;
        t.samples = samples;
        t.seed = seed;
        return t;
    }

    @Override
    public String toString() {
        return "causal trace of " + point.id() + " in " + model.name() + "; .over(pairs) or .of(pair) runs it";
    }

    /** A trace of the residual stream until told otherwise. */
    public static CausalTrace of(LanguageModel model) {
        return new CausalTrace(model);
    }

    /** The components whose effects the paper sets side by side: s, g, o and what enters the convolution; or attention and MLP. */
    public static List<HookPoint> components(LanguageModel model) {
        return model.components();
    }

    /** The residual stream after one layer. */
    public CausalTrace residual() {
        return at(HookPoint.RESID_POST, 1);
    }

    /**
     * A component, over the paper's window in proportion to this model's depth, at least one layer; or a memory, which is each layer's own,
     * in one layer.
     */
    public CausalTrace component(HookPoint component) {
        return at(component, component.isState() ? 1 : model.profile().traceWindow(model));
    }

    private CausalTrace at(HookPoint where, int layers) {
        CausalTrace t = copy();
        t.point = Interchange.required(model, where);
        t.window = layers;
        return t;
    }

    int window() {
        return window;
    }

    /** Another window. */
    public CausalTrace window(int layers) {
        LayerWindow.of(model, layers);
        return at(point, layers);
    }

    /**
     * All tokens of a row are put back at once, such as all of the subject's first ones, or all after the subject; by themselves they may
     * each carry little of what they carry together.
     */
    public CausalTrace together() {
        CausalTrace t = copy();
        t.cells = Cells.TOGETHER;
        return t;
    }

    /** How pairs are averaged. */
    public CausalTrace averaging(Averaging how) {
        CausalTrace t = copy();
        t.averaging = how;
        return t;
    }

    /** The other direction: what is lost when the corrupt run's value is put into the clean run. */
    public CausalTrace reverse() {
        CausalTrace t = copy();
        t.isReverse = true;
        return t;
    }

    /**
     * Corrupts the clean prompt by noise on the embeddings of the subject's tokens, instead of by another subject.
     *
     * @param standardDeviations of the noise, in units of the embeddings' own over the subjects of all pairs; the original method takes 3
     * @param count              samples of noise, averaged for each pair
     * @param seed               the same seed gives the same noise
     */
    public CausalTrace noise(double standardDeviations, int count, long seed) {
        CausalTrace t = copy();
        t.deviations = Check.positive("noise", standardDeviations);
        t.samples = Check.whole("samples", count, 1, Integer.MAX_VALUE);
        t.seed = seed;
        return t;
    }

    /**
     * A negative control: what comes back of another fact's answer, of the same relation if there is one and neither of the pair's own, in
     * units of the pair's own effect. Where the picture is of the fact and not of the method, it is 0 everywhere.
     */
    public CausalTrace shuffled() {
        CausalTrace t = copy();
        t.isShuffled = true;
        return t;
    }

    /**
     * One pair of facts: each token by itself, and the whole subject at once.
     *
     * @throws BadRequest where answers are shuffled, for which there must be other facts
     */
    public ExampleTrace of(FactPair pair) {
        if (isShuffled) {
            throw new BadRequest("shuffled", "one pair has no other facts' answers; trace over pairs");
        }
        return new ExampleTrace(model, point, pair, interchange().run(cases(List.of(pair)), Runner.silent()).get(0),
                samples > 0, cells == Cells.TOGETHER);
    }

    /**
     * Two texts of one's own, which differ in the words of the subject.
     *
     * @throws BadRequest as {@link FactPair#of(LanguageModel, String, String)}
     */
    public ExampleTrace of(String clean, String corrupt) {
        return of(FactPair.of(model, clean, corrupt));
    }

    /**
     * The same with the clean text's subject named, where the difference does not tell it.
     *
     * @throws BadRequest as {@link FactPair#of(LanguageModel, String, String, String)}
     */
    public ExampleTrace of(String clean, String corrupt, String subject) {
        return of(FactPair.of(model, clean, corrupt, subject));
    }

    /** All pairs, averaged by position. */
    public AverageTrace over(FactPairs pairs) {
        return over(pairs, Runner.shown());
    }

    /** All pairs, averaged by position, with a runner's progress and store. */
    public AverageTrace over(FactPairs pairs, Runner runner) {
        if (isReverse && averaging == Averaging.PUBLISHED) {
            throw new BadRequest("reverse", "the reference code has no reverse direction to average as published; average it as corrected");
        }
        boolean together = cells == Cells.TOGETHER;
        if (together && averaging == Averaging.PUBLISHED) {
            throw new BadRequest("together", "the reference code put back one token at a time; average tokens together as corrected");
        }
        if (isShuffled && averaging == Averaging.PUBLISHED) {
            throw new BadRequest("shuffled", "the reference code had no such control; average it as corrected");
        }
        List<InterchangeCase> cases = cases(pairs.pairs());
        List<InterchangeGrid> grids = interchange().run(cases, runner);
        if (isShuffled) {
            grids = others(grids, interchange().run(withOtherAnswers(pairs.pairs(), cases), runner));
        }
        double[][][] effects = together ? new double[0][][] : grids.stream().map(InterchangeGrid::effect).toArray(double[][][]::new);
        return new AverageTrace(ModelCard.of(model), point, what(), how(), pairs,
                averaging.samples(pairs.pairs(), grids, cells), effects);
    }

    private static List<InterchangeGrid> others(List<InterchangeGrid> own, List<InterchangeGrid> others) {
        return IntStream.range(0, own.size()).mapToObj(i -> others.get(i).inUnitsOf(own.get(i))).toList();
    }

    /** The same questions, each of the answer of the next pair, of its relation if it can be, that neither of its own two prompts has. */
    private List<InterchangeCase> withOtherAnswers(List<FactPair> pairs, List<InterchangeCase> cases) {
        Tokenizer tokenizer = model.requireTokenizer();
        return IntStream.range(0, cases.size()).mapToObj(i -> {
            FactPair own = pairs.get(i);
            List<FactPair> others = IntStream.range(1, pairs.size()).mapToObj(k -> pairs.get((i + k) % pairs.size()))
                    .filter(p -> p.answer() != own.answer() && !own.corrupt().begunBy(tokenizer.decode(p.answer()))).toList();
            FactPair other = others.stream().filter(p -> p.clean().relation().equals(own.clean().relation())).findFirst()
                    .or(() -> others.stream().findFirst()).orElseThrow(() -> new BadRequest("shuffled",
                            "'" + own.cleanPrompt().text() + "' has no other fact's answer among the pairs; expected more pairs"));
            return cases.get(i).asking(other.answer());
        }).toList();
    }

    private Interchange interchange() {
        Interchange i = Interchange.of(model).point(point).window(window);
        return isReverse ? i.reverse() : i;
    }

    private String what() {
        return point.title() + LayerWindow.of(model, window).label() + how();
    }

    private String how() {
        return (cells == Cells.TOGETHER ? ", together" : "")
                + (isReverse ? ", reverse" : "") + (samples > 0 ? ", noise" : "")
                + (isShuffled ? ", other facts' answers" : "")
                + (averaging == Averaging.PUBLISHED ? ", published averaging" : "");
    }

    private List<InterchangeCase> cases(List<FactPair> pairs) {
        boolean noisy = samples > 0;
        double deviation = noisy ? deviations * embeddingDeviation(pairs) : 0;
        long used = 0;
        List<InterchangeCase> cases = new ArrayList<>();
        for (FactPair p : pairs) {
            Prompt clean = p.cleanPrompt();
            Noise noise = noisy
                    ? new Noise(deviation, samples, seed, used, clean.subjectStart(), clean.subjectEnd()) : null;
            used += noisy ? noise.numbers(model) : 0;
            cases.add(new InterchangeCase(clean.ids(), noisy ? clean.ids() : p.corruptPrompt().ids(), p.answer(), cells.of(clean),
                    noise));
        }
        return cases;
    }

    /** Standard deviation of the embeddings' numbers over the subjects' tokens, as the original method measures it. */
    private double embeddingDeviation(List<FactPair> pairs) {
        double sum = 0;
        double squares = 0;
        long n = 0;
        for (FactPair pair : pairs) {
            Prompt prompt = pair.cleanPrompt();
            float[][] embeddings = model.embeddings(prompt.ids());
            for (int t = prompt.subjectStart(); t < prompt.subjectEnd(); t++) {
                for (float v : embeddings[t]) {
                    sum += v;
                    squares += (double) v * v;
                    n++;
                }
            }
        }
        return Math.sqrt(squares / n - sum / n * (sum / n));
    }
}
