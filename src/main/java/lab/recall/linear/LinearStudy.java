package lab.recall.linear;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import lab.recall.facts.Fact;
import lab.recall.facts.Relation;
import lab.recall.model.LanguageModel;
import lab.recall.model.Readout;
import lab.recall.study.Cost;
import lab.recall.study.ModelCard;
import lab.recall.study.Operation;
import lab.recall.study.Runner;
import lab.recall.study.Speed;
import lab.recall.study.Study;
import lab.recall.text.Template;

/** Operators of many relations and their tests: a piece is one split of one relation. */
final class LinearStudy extends Study<LinearStudy.Asked, LinearStudy.Piece, Trial[], List<LinearRelations>> {
    /** What comes next after beta W h + b, for all betas. */
    static final Operation READOUTS = new Operation("readouts", LinearStudy::readouts);
    /** Singular values and vectors. */
    static final Operation SINGULAR = new Operation("singular vectors", LinearStudy::singular);
    private static final int MEASURED_TESTS = 32;
    /** What is measured: as wide as is quick enough. */
    private static final int MEASURED_WIDTH = 384;

    /**
     * How operators are made and tested.
     *
     * @param samples facts that make an operator
     * @param each    also operators of the first 1, 2, .. samples
     * @param facts   tests at most
     * @param layers  after which h is taken, ascending
     * @param ranks   of edits, ascending; empty for none
     */
    record Settings(Asking asking, int samples, boolean each, int facts, long seed, List<Integer> layers, List<Integer> ranks) {
        /** Of how many samples operators are made. */
        int[] counts() {
            return each ? IntStream.rangeClosed(1, samples).toArray() : new int[] {samples};
        }
    }

    /** Settings and relations, each split so many times. */
    record Asked(Settings settings, int splits, List<Relation> relations) {
    }

    /**
     * A fact that may become a test.
     *
     * @param number among its relation's facts
     */
    record Candidate(int number, Fact fact) {
    }

    /**
     * One split of a relation: all that its prompts are made of.
     *
     * @param split      its number
     * @param template   in which facts are asked
     * @param training   facts that make the operator
     * @param candidates facts that are asked, in order, until enough are known
     */
    record Piece(int split, Template template, List<Fact> training, List<Candidate> candidates) {
        static Piece of(Settings s, Relation relation, int split) {
            Split facts = Split.of(relation.facts(), s.samples, new Random(s.seed + 1_000_003L * split + relation.name().hashCode()));
            return new Piece(split, s.asking.template(relation), facts.training(), facts.rest().stream()
                    .limit((long) SplitRun.TIMES * s.facts).map(f -> new Candidate(relation.facts().indexOf(f), f)).toList());
        }
    }

    LinearStudy() {
        super("linear_relations", "steps", Trial[].class);
    }

    @Override
    public Object settings(Asked asked) {
        return asked.settings;
    }

    @Override
    public String title(LanguageModel model, Asked asked) {
        return "linear relations, " + asked.settings.asking.id();
    }

    /** The samples and the layers. */
    @Override
    public long size(LanguageModel model, Asked asked, Piece piece) {
        return (long) asked.settings.samples + asked.settings.layers.size();
    }

    @Override
    public List<Piece> plan(LanguageModel model, Asked asked, Runner runner) {
        return asked.relations.stream()
                .flatMap(r -> IntStream.range(0, asked.splits).mapToObj(split -> Piece.of(asked.settings, r, split))).toList();
    }

    /** A trial for each count of samples. */
    @Override
    public Trial[] compute(LanguageModel model, Asked asked, Piece piece, LongConsumer done) {
        return new SplitRun(model, asked.settings, piece).trials(done);
    }

    private static double readouts(LanguageModel model) {
        LinearOperator operator = operator(model.width());
        float[] states = new float[MEASURED_TESTS * model.width()];
        return Speed.of(workOfReadout(model, MEASURED_TESTS), () -> Readout.tokens(model, operator.images(states, MEASURED_TESTS),
                MEASURED_TESTS, operator.bias(), LinearSweep.BETAS));
    }

    private static double singular(LanguageModel model) {
        int width = Math.min(MEASURED_WIDTH, model.width());
        int rank = width / 2;
        LinearOperator operator = operator(width);
        return Speed.of(workOfSvd(width, rank), () -> operator.svd(rank));
    }

    private static LinearOperator operator(int width) {
        Random random = new Random(1);
        float[] matrix = new float[width * width];
        for (int i = 0; i < matrix.length; i++) {
            matrix[i] = (float) random.nextGaussian();
        }
        return new LinearOperator(0, width, 1, matrix, new float[width]);
    }

    /** Operations: the images, the head, and a scan of the logits for each beta. */
    static double workOfReadout(LanguageModel model, int tests) {
        double d = model.width();
        double v = model.vocabulary();
        return 2 * d * d * tests + 2 * d * v * (tests + 1) + 3.0 * LinearSweep.BETAS.length * v * tests;
    }

    /** Operations: M'M, its tridiagonal form, and the vectors. */
    static double workOfSvd(double width, double rank) {
        return width * width * (10 * width / 3 + 6 * rank);
    }

    @Override
    public Cost cost(LanguageModel model, Asked asked, Piece piece) {
        return new SplitRun(model, asked.settings, piece).cost();
    }

    /** No test in any of them. */
    @Override
    public List<LinearRelations> supposed(LanguageModel model, Asked asked, List<Piece> pieces, List<Trial[]> found) {
        return combine(model, asked, pieces, filled(found, i -> {
            Trial[] trials = new Trial[asked.settings.counts().length];
            Arrays.fill(trials, new Trial(0, List.of(), Double.NaN, List.of(), List.of()));
            return trials;
        }));
    }

    @Override
    public List<String> suppositions() {
        return List.of("every fact that a relation's tests ask is known", "each rank of an edit brings something new");
    }

    @Override
    public Optional<Asked> sent(Asked asked, Piece piece) {
        return Optional.of(new Asked(asked.settings, 0, List.of()));
    }

    @Override
    public boolean fits(LanguageModel model, Asked asked, Piece piece, Trial[] found) {
        Settings s = asked.settings;
        Set<Integer> numbers = piece.candidates.stream().map(Candidate::number).collect(Collectors.toSet());
        return found.length == s.counts().length && Arrays.stream(found).allMatch(t -> t != null && t.tests() != null
                && numbers.containsAll(t.tests()) && new HashSet<>(t.tests()).size() == t.tests().size() && t.tests().size() <= s.facts
                && t.asked() <= numbers.size() && fits(t.faithful(), t, s.layers.size(), LinearSweep.BETAS.length)
                && fits(t.causal(), t, s.ranks.isEmpty() ? 0 : s.layers.size(), s.ranks.size()));
    }

    private static boolean fits(List<List<Marks>> marks, Trial trial, int layers, int settings) {
        return marks != null && marks.size() == (trial.counts() ? layers : 0)
                && marks.stream().allMatch(of -> of != null && of.size() == settings
                && of.stream().allMatch(m -> m != null && m.tests() == trial.tests().size()));
    }

    /** Relations for each count of samples. */
    @Override
    public List<LinearRelations> combine(LanguageModel model, Asked asked, List<Piece> pieces, List<Trial[]> found) {
        Settings s = asked.settings;
        ModelCard card = ModelCard.of(model);
        List<LinearRelations> all = new ArrayList<>();
        for (int c = 0; c < s.counts().length; c++) {
            List<LinearRelation> relations = new ArrayList<>();
            for (int r = 0; r < asked.relations.size(); r++) {
                Relation relation = asked.relations.get(r);
                List<Trial> trials = new ArrayList<>();
                for (Trial[] of : found.subList(r * asked.splits, (r + 1) * asked.splits)) {
                    trials.add(of[c]);
                }
                relations.add(new LinearRelation(card.name(), relation.name(), relation.facts().size(), s.asking, s.layers,
                        Baselines.chance(relation.facts(), model.requireTokenizer()), together(trials)));
            }
            all.add(new LinearRelations(card, s.asking, Selection.NESTED, relations));
        }
        return all;
    }

    /** Where the model knows none of the facts that the first split asks, that split stands for all. */
    private static List<Trial> together(List<Trial> trials) {
        return trials.get(0).tests().isEmpty() ? List.of(trials.get(0)) : List.copyOf(trials);
    }
}
