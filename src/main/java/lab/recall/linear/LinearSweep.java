package lab.recall.linear;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import lab.recall.facts.Relation;
import lab.recall.facts.Relations;
import lab.recall.model.Jacobian;
import lab.recall.model.LanguageModel;
import lab.recall.study.Runner;
import lab.recall.text.Prompt;
import tech.tablesaw.api.Table;

/**
 * How linear relations are: an operator for every layer, tested on facts that it was not made of.
 *
 * <pre>{@code
 * var found = LinearSweep.of(mamba).over(Relations.of(mamba));          // in context, 3 splits, 5 samples
 * found                                                      // bars: faithfulness with intervals, and the baselines
 * LinearSweep.of(mamba).zeroShot().over(relations)
 * LinearSweep.of(mamba).fewer(relations, 8)                  // with 8, 7, .. 1 samples
 * LinearSweep.of(mamba).operators(relation)                  // of the first split, one a layer
 * LinearSweep.of(mamba).predictions(relation, 4, 1, 2.5)     // of the first split's tests, after layer 4, with two betas
 * }</pre>
 *
 * A split takes n facts for the operator; of the others those are tests that the model knows when asked in the same way. Faithfulness: the
 * most probable token after beta W h + b begins the object. Causality: the subject's state is moved by the rank-r pseudo-inverse of W times
 * the difference of two facts' z, and the model then begins the other fact's object. Source: arXiv 2308.09124, sections 3 and 4; arXiv
 * 2404.03646, section 5. Immutable: every setting gives a sweep of its own.
 *
 * <p>Beside the model and its runs a sweep holds 8 d² bytes for each layer that is looked at (52 MB for d = 2560) and about 32 d² more.
 */
public final class LinearSweep {
    /** 0, 0.25, .. 5. */
    static final double[] BETAS = IntStream.rangeClosed(0, 20).mapToDouble(i -> i / 4.0).toArray();
    /** Up to the paper's largest; close together where singular values differ most. */
    private static final int[] RANKS = {1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 312};

    /** Facts that make an operator. */
    public static final int SAMPLES = 5;
    /** Random splits. */
    public static final int SPLITS = 3;
    /** Known facts that test an operator at most. */
    public static final int FACTS = 50;

    private final LanguageModel model;
    private final Asking asking;
    private final int samples;
    private final int splits;
    private final int facts;
    private final long seed;
    private final int[] layers;
    private final int[] ranks;

    private LinearSweep(LanguageModel model, Asking asking, int samples, int splits, int facts, long seed, int[] layers, int[] ranks) {
        this.model = model;
        this.asking = asking;
        this.samples = samples;
        this.splits = splits;
        this.facts = facts;
        this.seed = seed;
        this.layers = layers;
        this.ranks = ranks;
    }

    /** In context, over the embedding and all layers, with 14 ranks from 1 to 312 as far as they fit. */
    public static LinearSweep of(LanguageModel model) {
        model.requireTokenizer();
        return new LinearSweep(model, Asking.IN_CONTEXT, SAMPLES, SPLITS, FACTS, 1, IntStream.range(Jacobian.EMBED, model.layers()).toArray(),
                IntStream.of(RANKS).filter(r -> r <= model.width()).toArray());
    }

    /** Asked in another way. */
    public LinearSweep asking(Asking how) {
        return new LinearSweep(model, how, samples, splits, facts, seed, layers, ranks);
    }

    /** Asked without examples. */
    public LinearSweep zeroShot() {
        return asking(Asking.ZERO_SHOT);
    }

    /** With operators of so many facts. */
    public LinearSweep samples(int n) {
        return new LinearSweep(model, asking, atLeastOne("samples", n), splits, facts, seed, layers, ranks);
    }

    /** With so many random splits. */
    public LinearSweep splits(int count) {
        return new LinearSweep(model, asking, samples, atLeastOne("splits", count), facts, seed, layers, ranks);
    }

    /** With so many known facts that test an operator at most; four times as many are asked at most. */
    public LinearSweep facts(int most) {
        if (most < Trial.LEAST) {
            throw new IllegalArgumentException("facts: " + most + ", expected a whole number of at least " + Trial.LEAST);
        }
        return new LinearSweep(model, asking, samples, splits, most, seed, layers, ranks);
    }

    /** With other splits and pairs; the same seed gives the same ones. */
    public LinearSweep seed(long value) {
        return new LinearSweep(model, asking, samples, splits, facts, value, layers, ranks);
    }

    /** Over some layers; {@link Jacobian#EMBED} for the embedding. */
    public LinearSweep layers(int... some) {
        int[] sorted = Arrays.stream(some).sorted().distinct().toArray();
        if (sorted.length == 0 || sorted[0] < Jacobian.EMBED || sorted[sorted.length - 1] >= model.layers()) {
            throw new IllegalArgumentException("layers: " + Arrays.toString(some) + ", expected -1 (the embedding) or whole numbers from 0 to "
                    + (model.layers() - 1));
        }
        return new LinearSweep(model, asking, samples, splits, facts, seed, sorted, ranks);
    }

    /** With edits of other ranks, the paper's are 8, 16, .. 312; none: no causality. */
    public LinearSweep ranks(int... some) {
        int[] sorted = Arrays.stream(some).sorted().distinct().toArray();
        if (sorted.length > 0 && (sorted[0] < 1 || sorted[sorted.length - 1] > model.width())) {
            throw new IllegalArgumentException("ranks: " + Arrays.toString(some) + ", expected whole numbers from 1 to " + model.width());
        }
        return new LinearSweep(model, asking, samples, splits, facts, seed, layers, sorted);
    }

    private static int atLeastOne(String what, int n) {
        if (n < 1) {
            throw new IllegalArgumentException(what + ": " + n + ", expected a whole number of at least 1");
        }
        return n;
    }

    /** Every relation of a set, with a progress bar. */
    public LinearRelations over(Relations relations) {
        return over(relations, Runner.shown());
    }

    /** Every relation of a set; tells how far it is, and keeps finished splits in a journal. */
    public LinearRelations over(Relations relations, Runner runner) {
        return over(relations, new int[] {samples}, runner).get(0);
    }

    /**
     * The same tests with operators of n = 1, 2, .. {@code most} samples, the first n of one and the same list; in context, all of them stand
     * in the prompts throughout. No edits.
     */
    public List<LinearRelations> fewer(Relations relations, int most) {
        return samples(most).ranks().over(relations, IntStream.rangeClosed(1, most).toArray(), Runner.shown());
    }

    /** The first split's operators of a relation, one for each layer. */
    public List<LinearOperator> operators(Relation relation) {
        return run().operators(relation, 0);
    }

    /** The prompt of one of the first split's training facts. */
    public Prompt prompt(Relation relation, int number) {
        return run().training(relation, 0).get(number);
    }

    /** What the operator of a layer says of each test of the first split, with some betas. */
    public Table predictions(Relation relation, int layer, double... betas) {
        return layers(layer).run().predictions(relation, 0, betas);
    }

    private SplitRun run() {
        return new SplitRun(model, asking, samples, facts, seed, layers, ranks);
    }

    private List<LinearRelations> over(Relations relations, int[] counts, Runner runner) {
        SplitRun run = run();
        int steps = samples + layers.length;
        progress.start("linear relations, " + asking.id(), "steps", (long) relations.all().size() * splits * steps);
        List<List<LinearRelation>> found = new ArrayList<>();
        IntStream.of(counts).forEach(n -> found.add(new ArrayList<>()));
        long done = 0;
        for (Relation relation : relations.all()) {
            Trial[][] trials = new Trial[counts.length][splits];
            for (int s = 0; s < splits; s++) {
                int split = s;
                long before = done;
                boolean hopeless = s > 0 && trials[0][0].tests().length == 0;       // nothing known: not asked again
                Trial[] of = hopeless ? Arrays.stream(trials).map(t -> t[0]).toArray(Trial[]::new)
                        : journal.piece(asking.id() + " " + relation.name() + ", split " + s, Trial[].class,
                                () -> run.trial(relation, split, counts, step -> progress.to((long) (before + step))));
                for (int c = 0; c < counts.length; c++) {
                    trials[c][s] = of[c];
                }
                done += steps;
                progress.to(done);
            }
            for (int c = 0; c < counts.length; c++) {
                found.get(c).add(new LinearRelation(model, relation, asking, layers, List.of(trials[c])));
            }
        }
        progress.finish();
        return found.stream().map(all -> new LinearRelations(model, asking, Selection.NESTED, all)).toList();
    }
}
