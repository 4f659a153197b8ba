package lab.recall.linear;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Failure;
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
    private final LinearStudy.Settings settings;
    private final int splits;

    private LinearSweep(LanguageModel model, LinearStudy.Settings settings, int splits) {
        this.model = model;
        this.settings = settings;
        this.splits = splits;
    }

    /**
     * In context, over the embedding and all layers, with 14 ranks from 1 to 312 as far as they fit.
     *
     * @throws BadRequest if the model has no tokenizer
     */
    public static LinearSweep of(LanguageModel model) {
        try {
            model.requireTokenizer();
        } catch (IllegalArgumentException e) {
            throw e instanceof Failure f ? f : new BadRequest("model", e.getMessage(), e);
        }
        List<Integer> layers = IntStream.range(Jacobian.EMBED, model.layers()).boxed().toList();
        List<Integer> ranks = IntStream.of(RANKS).filter(r -> r <= model.width()).boxed().toList();
        return new LinearSweep(model, new LinearStudy.Settings(Asking.IN_CONTEXT, SAMPLES, false, FACTS, 1, layers, ranks), SPLITS);
    }

    /** Asked in another way. */
    public LinearSweep asking(Asking how) {
        LinearStudy.Settings s = settings;
        return with(new LinearStudy.Settings(how, s.samples(), s.each(), s.facts(), s.seed(), s.layers(), s.ranks()));
    }

    /** Asked without examples. */
    public LinearSweep zeroShot() {
        return asking(Asking.ZERO_SHOT);
    }

    /**
     * With operators of so many facts.
     *
     * @throws BadRequest if that is none
     */
    public LinearSweep samples(int n) {
        LinearStudy.Settings s = settings;
        Check.whole("samples", n, 1, Integer.MAX_VALUE);
        return with(new LinearStudy.Settings(s.asking(), n, s.each(), s.facts(), s.seed(), s.layers(), s.ranks()));
    }

    /**
     * With so many random splits.
     *
     * @throws BadRequest if that is none
     */
    public LinearSweep splits(int count) {
        return new LinearSweep(model, settings, Check.whole("splits", count, 1, Integer.MAX_VALUE));
    }

    /**
     * With so many known facts that test an operator at most; four times as many are asked at most.
     *
     * @throws BadRequest if they are too few to say anything
     */
    public LinearSweep facts(int most) {
        LinearStudy.Settings s = settings;
        Check.whole("facts", most, Trial.LEAST, Integer.MAX_VALUE);
        return with(new LinearStudy.Settings(s.asking(), s.samples(), s.each(), most, s.seed(), s.layers(), s.ranks()));
    }

    /** With other splits and pairs; the same seed gives the same ones. */
    public LinearSweep seed(long value) {
        LinearStudy.Settings s = settings;
        return with(new LinearStudy.Settings(s.asking(), s.samples(), s.each(), s.facts(), value, s.layers(), s.ranks()));
    }

    /**
     * Over some layers; {@link Jacobian#EMBED} for the embedding.
     *
     * @throws BadRequest if the model has no such layer, or none is named
     */
    public LinearSweep layers(int... some) {
        List<Integer> sorted = Arrays.stream(some).sorted().distinct().boxed().toList();
        if (sorted.isEmpty() || sorted.get(0) < Jacobian.EMBED || sorted.get(sorted.size() - 1) >= model.layers()) {
            throw new BadRequest("layers", Arrays.toString(some) + ", expected Jacobian.EMBED or whole numbers from 0 to "
                    + (model.layers() - 1));
        }
        LinearStudy.Settings s = settings;
        return with(new LinearStudy.Settings(s.asking(), s.samples(), s.each(), s.facts(), s.seed(), sorted, s.ranks()));
    }

    /**
     * With edits of other ranks, the paper's are 8, 16, .. 312.
     *
     * @throws BadRequest if the operators have no such rank, or none is named
     */
    public LinearSweep ranks(int... some) {
        List<Integer> sorted = Arrays.stream(some).sorted().distinct().boxed().toList();
        if (sorted.isEmpty() || sorted.get(0) < 1 || sorted.get(sorted.size() - 1) > model.width()) {
            throw new BadRequest("ranks", Arrays.toString(some) + ", expected whole numbers from 1 to " + model.width());
        }
        return ranks(sorted);
    }

    /** Without edits, which take most of the time: no causality. */
    public LinearSweep faithfulnessOnly() {
        return ranks(List.of());
    }

    private LinearSweep ranks(List<Integer> sorted) {
        LinearStudy.Settings s = settings;
        return with(new LinearStudy.Settings(s.asking(), s.samples(), s.each(), s.facts(), s.seed(), s.layers(), sorted));
    }

    private LinearSweep with(LinearStudy.Settings other) {
        return new LinearSweep(model, other, splits);
    }

    /** Every relation of a set, with a progress bar; finished splits are kept in the user's store. */
    public LinearRelations over(Relations relations) {
        return over(relations, Runner.shown());
    }

    /** Every relation of a set, with a runner's progress and store. */
    public LinearRelations over(Relations relations, Runner runner) {
        return runner.run(new LinearStudy(), model, asked(relations)).get(0);
    }

    /**
     * The same tests with operators of n = 1, 2, .. {@code most} samples, the first n of one and the same list; in context, all of them
     * stand in the prompts throughout. No edits.
     */
    public List<LinearRelations> fewer(Relations relations, int most) {
        return fewer(relations, most, Runner.shown());
    }

    /** The same with a runner's progress and store. */
    public List<LinearRelations> fewer(Relations relations, int most, Runner runner) {
        LinearStudy.Settings s = samples(most).faithfulnessOnly().settings;
        LinearSweep each = with(new LinearStudy.Settings(s.asking(), s.samples(), true, s.facts(), s.seed(), s.layers(), s.ranks()));
        return runner.run(new LinearStudy(), model, each.asked(relations));
    }

    LinearStudy.Asked asked(Relations relations) {
        return new LinearStudy.Asked(settings, splits, relations.all());
    }

    /** The first split's operators of a relation, one for each layer. */
    public List<LinearOperator> operators(Relation relation) {
        return run(relation).operators();
    }

    /**
     * The prompt of one of the first split's training facts.
     *
     * @throws BadRequest if there are not so many
     */
    public Prompt prompt(Relation relation, int number) {
        List<Prompt> training = run(relation).training();
        return training.get(Check.whole("number", number, 0, training.size() - 1));
    }

    /** What the operator of a layer says of each test of the first split, with some betas. */
    public Table predictions(Relation relation, int layer, double... betas) {
        return layers(layer).run(relation).predictions(relation.name(), betas);
    }

    private SplitRun run(Relation relation) {
        return new SplitRun(model, settings, LinearStudy.Piece.of(settings, relation, 0));
    }
}
