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
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.study.ModelCard;
import lab.recall.study.Runner;
import lab.recall.text.Prompt;

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
    private final Settings settings;

    /**
     * @param samples draws of noise; 0 for another subject instead
     */
    private record Settings(HookPoint point, int window, Cells cells, Averaging averaging, boolean reverse, boolean shuffled,
            double deviations, int samples, long seed) {
    }

    private CausalTrace(LanguageModel model, Settings settings) {
        this.model = model;
        this.settings = settings;
    }

    @Override
    public String toString() {
        return "causal trace of " + settings.point.id() + " in " + model.name() + "; .over(pairs) or .of(pair) runs it";
    }

    /** A trace of the residual stream until told otherwise. */
    public static CausalTrace of(LanguageModel model) {
        return new CausalTrace(model, new Settings(HookPoint.RESID_POST, 1, Cells.TOKENS, Averaging.CORRECTED, false, false, 0, 0, 0));
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

    private CausalTrace at(HookPoint point, int window) {
        Settings s = settings;
        return new CausalTrace(model,
                new Settings(Interchange.required(model, point), window, s.cells, s.averaging, s.reverse, s.shuffled, s.deviations,
                        s.samples, s.seed));
    }

    int window() {
        return settings.window;
    }

    /** Another window. */
    public CausalTrace window(int layers) {
        LayerWindow.of(model, layers);
        return at(settings.point, layers);
    }

    /**
     * All tokens of a row are put back at once, such as all of the subject's first ones, or all after the subject; by themselves they may
     * each carry little of what they carry together.
     */
    public CausalTrace together() {
        Settings s = settings;
        return new CausalTrace(model,
                new Settings(s.point, s.window, Cells.TOGETHER, s.averaging, s.reverse, s.shuffled, s.deviations, s.samples, s.seed));
    }

    /** How pairs are averaged. */
    public CausalTrace averaging(Averaging how) {
        Settings s = settings;
        return new CausalTrace(model,
                new Settings(s.point, s.window, s.cells, how, s.reverse, s.shuffled, s.deviations, s.samples, s.seed));
    }

    /** The other direction: what is lost when the corrupt run's value is put into the clean run. */
    public CausalTrace reverse() {
        Settings s = settings;
        return new CausalTrace(model,
                new Settings(s.point, s.window, s.cells, s.averaging, true, s.shuffled, s.deviations, s.samples, s.seed));
    }

    /**
     * Corrupts the clean prompt by noise on the embeddings of the subject's tokens, instead of by another subject.
     *
     * @param standardDeviations of the noise, in units of the embeddings' own over the subjects of all pairs; the original method takes 3
     * @param count              samples of noise, averaged for each pair
     * @param seed               the same seed gives the same noise
     */
    public CausalTrace noise(double standardDeviations, int count, long seed) {
        Settings s = settings;
        return new CausalTrace(model, new Settings(s.point, s.window, s.cells, s.averaging, s.reverse, s.shuffled,
                Check.positive("noise", standardDeviations), Check.whole("samples", count, 1, Integer.MAX_VALUE), seed));
    }

    /**
     * A negative control: what comes back of another fact's answer, of the same relation if there is one and neither of the pair's own, in
     * units of the pair's own effect. Where the picture is of the fact and not of the method, it is 0 everywhere.
     */
    public CausalTrace shuffled() {
        Settings s = settings;
        return new CausalTrace(model,
                new Settings(s.point, s.window, s.cells, s.averaging, s.reverse, true, s.deviations, s.samples, s.seed));
    }

    /**
     * One pair of facts: each token by itself, and the whole subject at once.
     *
     * @throws BadRequest where answers are shuffled, for which there must be other facts
     */
    public ExampleTrace of(FactPair pair) {
        if (settings.shuffled) {
            throw new BadRequest("shuffled", "one pair has no other facts' answers; trace over pairs");
        }
        return new ExampleTrace(model, settings.point, pair, interchange().run(cases(List.of(pair)), Runner.silent()).get(0),
                settings.samples > 0, settings.cells == Cells.TOGETHER);
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
        if (settings.reverse && settings.averaging == Averaging.PUBLISHED) {
            throw new BadRequest("reverse", "the reference code has no reverse direction to average as published; average it as corrected");
        }
        boolean together = settings.cells == Cells.TOGETHER;
        if (together && settings.averaging == Averaging.PUBLISHED) {
            throw new BadRequest("together", "the reference code put back one token at a time; average tokens together as corrected");
        }
        if (settings.shuffled && settings.averaging == Averaging.PUBLISHED) {
            throw new BadRequest("shuffled", "the reference code had no such control; average it as corrected");
        }
        List<InterchangeCase> cases = cases(pairs.pairs());
        List<InterchangeGrid> grids = interchange().run(cases, runner);
        if (settings.shuffled) {
            grids = others(grids, interchange().run(withOtherAnswers(pairs.pairs(), cases), runner));
        }
        double[][][] effects = together ? new double[0][][] : grids.stream().map(InterchangeGrid::effect).toArray(double[][][]::new);
        return new AverageTrace(ModelCard.of(model), settings.point, what(), how(), pairs,
                settings.averaging.samples(pairs.pairs(), grids, settings.cells), effects);
    }

    private static List<InterchangeGrid> others(List<InterchangeGrid> own, List<InterchangeGrid> others) {
        return IntStream.range(0, own.size()).mapToObj(i -> others.get(i).inUnitsOf(own.get(i))).toList();
    }

    /** The same questions, each of the answer of the next pair, of its relation if it can be, that neither of its own two prompts has. */
    private List<InterchangeCase> withOtherAnswers(List<FactPair> pairs, List<InterchangeCase> cases) {
        List<Pass> corrupt = model.runAll(pairs.stream().map(p -> p.corruptPrompt().ids()).toList(), Recording.nothing());
        return IntStream.range(0, cases.size()).mapToObj(i -> {
            FactPair own = pairs.get(i);
            int said = corrupt.get(i).argmax();
            List<FactPair> others = IntStream.range(1, pairs.size()).mapToObj(k -> pairs.get((i + k) % pairs.size()))
                    .filter(p -> p.answer() != own.answer() && p.answer() != said).toList();
            FactPair other = others.stream().filter(p -> p.clean().relation().equals(own.clean().relation())).findFirst()
                    .or(() -> others.stream().findFirst()).orElseThrow(() -> new BadRequest("shuffled",
                            "'" + own.cleanPrompt().text() + "' has no other fact's answer among the pairs; expected more pairs"));
            return cases.get(i).asking(other.answer());
        }).toList();
    }

    private Interchange interchange() {
        Interchange i = Interchange.of(model).point(settings.point).window(settings.window);
        return settings.reverse ? i.reverse() : i;
    }

    private String what() {
        return settings.point.title() + LayerWindow.of(model, settings.window).label() + how();
    }

    private String how() {
        return (settings.cells == Cells.TOGETHER ? ", together" : "")
                + (settings.reverse ? ", reverse" : "") + (settings.samples > 0 ? ", noise" : "")
                + (settings.shuffled ? ", other facts' answers" : "")
                + (settings.averaging == Averaging.PUBLISHED ? ", published averaging" : "");
    }

    private List<InterchangeCase> cases(List<FactPair> pairs) {
        boolean noisy = settings.samples > 0;
        double deviation = noisy ? settings.deviations * embeddingDeviation(pairs) : 0;
        long used = 0;
        List<InterchangeCase> cases = new ArrayList<>();
        for (FactPair p : pairs) {
            Prompt clean = p.cleanPrompt();
            Noise noise = noisy
                    ? new Noise(deviation, settings.samples, settings.seed, used, clean.subjectStart(), clean.subjectEnd()) : null;
            used += noisy ? noise.numbers(model) : 0;
            cases.add(new InterchangeCase(clean.ids(), noisy ? clean.ids() : p.corruptPrompt().ids(), p.answer(), settings.cells.of(clean),
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
