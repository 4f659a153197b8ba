package lab.recall.linear;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import lab.recall.base.Portions;
import lab.recall.facts.Fact;
import lab.recall.linear.Marks.Mark;
import lab.recall.math.Svd;
import lab.recall.model.Forks;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Readout;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.study.Cost;
import lab.recall.text.Prompt;
import lab.recall.text.Tokenizer;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * Makes operators of one split of a relation and tests them.
 *
 * <p>Beside the model, tests and bases it holds 8 d² bytes a layer for the means, 130 MB for gradients, and one operator and its
 * decomposition at a time (32 d² bytes); while edits are tried, 8 d bytes a layer and rank. With d = 2560: 52 MB a layer, and 6.4 MB with
 * 312 ranks.
 */
final class SplitRun {
    private static final long BYTES = 256L << 20;
    private static final int TOGETHER = 50;
    /** Facts are asked until enough are known, but no more than so many times as many, and about HOPELESS when none was known till then. */
    static final int TIMES = 4;
    private static final int HOPELESS = 100;
    /** What a base keeps of a token and layer, in residual streams. */
    private static final int STATES = 12;

    private final LanguageModel model;
    private final Tokenizer tokenizer;
    private final LinearStudy.Settings settings;
    private final LinearStudy.Piece piece;
    private final int[] layers;
    private final int[] ranks;
    private final Map<Integer, String> texts = new HashMap<>();

    SplitRun(LanguageModel model, LinearStudy.Settings settings, LinearStudy.Piece piece) {
        this.model = model;
        this.tokenizer = model.requireTokenizer();
        this.settings = settings;
        this.piece = piece;
        this.layers = settings.layers().stream().mapToInt(l -> l).toArray();
        this.ranks = settings.ranks().stream().mapToInt(r -> r).toArray();
    }

    /**
     * A fact that the model knows, as a test.
     *
     * @param number among the relation's facts
     * @param answer what the model says
     * @param states the residual streams of the subject's last token, at each layer that is looked at
     * @param z      that of the prompt's last token after the last layer
     */
    private record Test(int number, Fact fact, Prompt prompt, int answer, float[][] states, float[] z) {
    }

    /**
     * Tests of operators of the first n samples, for each n that is asked for.
     *
     * @param done told how many of the samples + layers steps are done
     */
    Trial[] trials(LongConsumer done) {
        List<Test> tests = new ArrayList<>();
        int asked = ask(tests);
        List<Integer> known = tests.stream().map(Test::number).toList();
        int[] counts = settings.counts();
        Trial[] trials = new Trial[counts.length];
        if (known.size() < Trial.LEAST) {
            Arrays.fill(trials, new Trial(asked, known, Double.NaN, List.of(), List.of()));
            return trials;
        }
        List<List<List<Marks>>> faithful = new ArrayList<>();
        Arrays.stream(counts).forEach(n -> faithful.add(new ArrayList<>()));
        Svd[][] svd = new Svd[counts.length][layers.length];
        int rank = IntStream.of(ranks).max().orElse(0);
        means(training(), done, (n, means) -> {
            for (int c = 0; c < counts.length; c++) {
                for (int l = 0; l < layers.length && counts[c] == n; l++) {
                    LinearOperator operator = means.get(l).operator();
                    faithful.get(c).add(faithful(operator, l, tests));
                    svd[c][l] = rank == 0 ? null : operator.svd(rank);
                }
            }
        });
        for (int c = 0; c < counts.length; c++) {
            List<List<Marks>> causal = rank == 0 ? List.of()
                    : causal(svd[c], tests, new Random(settings.seed() + piece.split()), step -> done.accept(settings.samples() + step));
            trials[c] = new Trial(asked, known, constant(tests), faithful.get(c), causal);
        }
        return trials;
    }

    /** Where every fact that is asked is known. */
    Cost cost() {
        Cost cost = Cost.of(model);
        List<Prompt> asked = new ArrayList<>();
        while (asked.size() < piece.candidates().size() && asked.size() < settings.facts()) {
            asked.addAll(together(asked.size()));
        }
        asked.forEach(p -> cost.run(p.length(), 1));
        List<Prompt> tests = asked.subList(0, Math.min(asked.size(), settings.facts()));
        if (tests.size() < Trial.LEAST) {
            return cost;
        }
        training().forEach(p -> cost.run(p.length(), 1)
                .jacobian(p.subjectLast(), p.length(), Arrays.stream(layers).min().orElseThrow() + 1));
        double made = settings.counts().length * layers.length;
        cost.more(LinearStudy.READOUTS, made * LinearStudy.workOfReadout(model, tests.size()));
        int rank = IntStream.of(ranks).max().orElse(0);
        if (rank == 0) {
            return cost;
        }
        cost.more(LinearStudy.SINGULAR, made * LinearStudy.workOfSvd(model.width(), rank));
        for (int c = 0; c < settings.counts().length; c++) {
            tests.forEach(p -> cost.run(p.length(), 1));
            for (int layer : layers) {
                tests.forEach(p -> cost.times(ranks.length, Cost.of(model).fork(p.subjectLast(), p.length(), layer + 1, 1)));
            }
        }
        return cost;
    }

    /** The operators, one for each layer; 4 d² bytes each. */
    List<LinearOperator> operators() {
        List<Prompt> training = training();
        List<LinearOperator> found = new ArrayList<>();
        means(training, step -> { }, (n, means) -> {
            if (n == training.size()) {
                means.forEach(m -> found.add(m.operator()));
            }
        });
        return found;
    }

    /** The prompts of the training facts. */
    List<Prompt> training() {
        return piece.training().stream().map(this::prompt).toList();
    }

    private Prompt prompt(Fact fact) {
        return settings.asking().prompt(tokenizer, piece.template(), piece.training(), fact);
    }

    /** Each test: what the first layer's operator says, for each beta. */
    Table predictions(String relation, double... betas) {
        List<Test> tests = new ArrayList<>();
        ask(tests);
        LinearOperator operator = operators().get(0);
        int[][] tokens = tokens(operator, 0, tests, betas);
        List<String> columns = new ArrayList<>(List.of("subject", "object"));
        Arrays.stream(betas).forEach(b -> columns.add("beta " + Tables.number(b)));
        List<List<Object>> rows = new ArrayList<>();
        for (int i = 0; i < tests.size(); i++) {
            Fact fact = tests.get(i).fact;
            List<Object> row = new ArrayList<>(List.of(fact.subject(), fact.object()));
            for (int id : tokens[i]) {
                row.add((fact.begunBy(text(id)) ? "+ " : "  ") + tokenizer.token(id).strip());
            }
            rows.add(row);
        }
        return Tables.of(relation + ": what the operator from " + LinearOperator.place(operator.layer()) + " says of " + tests.size()
                + " known facts that it was not made of, + right",
                columns, rows);
    }

    /** Asks for facts until enough are known; returns how many were asked. */
    private int ask(List<Test> tests) {
        List<LinearStudy.Candidate> all = piece.candidates();
        int from = 0;
        while (from < all.size() && tests.size() < settings.facts() && !(tests.isEmpty() && from >= HOPELESS)) {
            List<Prompt> prompts = together(from);
            List<Pass> passes = model.runAll(prompts.stream().map(Prompt::ids).toList(),
                    Recording.points(HookPoint.EMBED, HookPoint.RESID_POST));
            for (int i = 0; i < prompts.size() && tests.size() < settings.facts(); i++) {
                LinearStudy.Candidate candidate = all.get(from + i);
                if (candidate.fact().begunBy(text(passes.get(i).argmax()))) {
                    tests.add(test(candidate.number(), candidate.fact(), prompts.get(i), passes.get(i)));
                }
            }
            from += prompts.size();
        }
        return from;
    }

    /** The prompts that are asked together, from a candidate on. */
    private List<Prompt> together(int from) {
        List<LinearStudy.Candidate> all = piece.candidates();
        List<Prompt> prompts = new ArrayList<>();
        long bytes = 0;
        while (from + prompts.size() < all.size() && prompts.size() < TOGETHER && bytes <= BYTES) {
            Prompt p = prompt(all.get(from + prompts.size()).fact());
            prompts.add(p);
            bytes += (long) p.length() * model.layers() * model.width() * Float.BYTES;
        }
        return prompts;
    }

    private Test test(int number, Fact fact, Prompt prompt, Pass pass) {
        int last = prompt.subjectLast();
        float[][] states = Arrays.stream(layers).mapToObj(l -> pass.get(LinearOperator.site(l, last))).toArray(float[][]::new);
        float[] z = pass.get(new Site(model.layers() - 1, HookPoint.RESID_POST, pass.length() - 1));
        return new Test(number, fact, prompt, pass.argmax(), states, z);
    }

    /** Of the answers that the model gives. */
    private double constant(List<Test> tests) {
        return Baselines.constant(tests.stream().map(Test::fact).toList(), tests.stream().map(t -> text(t.answer)).toList());
    }

    private String text(int id) {
        return texts.computeIfAbsent(id, tokenizer::decode);
    }

    private interface Means {
        /** The means of each layer over the first n samples. */
        void of(int n, List<LinearOperator.Mean> means);
    }

    /** Adds sample after sample, and hands the means on after each. */
    private void means(List<Prompt> training, LongConsumer done, Means reader) {
        List<LinearOperator.Mean> means = Arrays.stream(layers).mapToObj(l -> new LinearOperator.Mean(l, model.width())).toList();
        for (int n = 1; n <= training.size(); n++) {
            Prompt p = training.get(n - 1);
            LinearOperator.Mean.add(means, model.run(p.ids(), Recording.gradients()), p.subjectLast());
            reader.of(n, means);
            done.accept(n);
        }
    }

    /** A mark a test for each beta. */
    private List<Marks> faithful(LinearOperator operator, int layer, List<Test> tests) {
        int[][] tokens = tokens(operator, layer, tests, LinearSweep.BETAS);
        return IntStream.range(0, LinearSweep.BETAS.length)
                .mapToObj(beta -> Marks.of(tests.size(), i -> Mark.of(tests.get(i).fact.begunBy(text(tokens[i][beta]))))).toList();
    }

    /** What comes next after beta W h + b, [test][beta]. */
    private int[][] tokens(LinearOperator operator, int layer, List<Test> tests, double[] betas) {
        int d = model.width();
        float[] states = new float[tests.size() * d];
        for (int i = 0; i < tests.size(); i++) {
            System.arraycopy(tests.get(i).states[layer], 0, states, i * d, d);
        }
        return Readout.tokens(model, operator.images(states, tests.size()), tests.size(), operator.bias(), betas);
    }

    /** A mark a test for each layer and rank. */
    private List<List<Marks>> causal(Svd[] svd, List<Test> tests, Random random, LongConsumer done) {
        Test[] targets = tests.stream().map(t -> target(t, tests, random)).toArray(Test[]::new);
        Marks[][] marks = new Marks[layers.length][ranks.length];
        int from = 0;
        long tokenBytes = (long) model.layers() * model.width() * Float.BYTES * STATES;
        for (List<Test> some : Portions.of(tests, t -> t.prompt.length() * tokenBytes, BYTES)) {
            List<Pass> bases = model.runAll(some.stream().map(t -> t.prompt.ids()).toList(), Recording.states());
            for (int l = 0; l < layers.length; l++) {
                List<Marks> found = edits(layers[l], svd[l], some, Arrays.copyOfRange(targets, from, from + some.size()), bases);
                for (int r = 0; r < ranks.length; r++) {
                    marks[l][r] = from == 0 ? found.get(r) : marks[l][r].and(found.get(r));
                }
                done.accept(((long) from * layers.length + (long) some.size() * (l + 1)) / tests.size());
            }
            from += some.size();
        }
        return Arrays.stream(marks).map(List::of).toList();
    }

    /** Another test with another subject and object, which the model's answer to this one does not begin too; null where there is none. */
    private Test target(Test test, List<Test> tests, Random random) {
        List<Test> others = tests.stream()
                .filter(o -> !o.fact.subject().equals(test.fact.subject()) && !o.fact.object().equals(test.fact.object()))
                .filter(o -> !o.fact.begunBy(text(test.answer))).toList();
        return others.isEmpty() ? null : others.get(random.nextInt(others.size()));
    }

    /** A mark a test for each rank: whether the model says the target's object when the subject's state is moved. */
    private List<Marks> edits(int layer, Svd svd, List<Test> tests, Test[] targets, List<Pass> bases) {
        Forks forks = model.forks();
        int[][] fork = new int[ranks.length][tests.size()];
        for (int i = 0; i < targets.length; i++) {
            float[] before = null;
            float[][] moves = targets[i] == null ? new float[ranks.length][] : moves(svd, tests.get(i).z, targets[i].z, ranks);
            for (int r = 0; r < ranks.length; r++) {
                if (moves[r] != null && moves[r] != before) {
                    forks.add(bases.get(i), Intervention.add(LinearOperator.site(layer, tests.get(i).prompt.subjectLast()), moves[r]));
                }
                before = moves[r];
                fork[r][i] = moves[r] == null ? -1 : forks.size() - 1;
            }
        }
        int[] tokens = forks.tokens();
        return IntStream.range(0, ranks.length).mapToObj(r -> Marks.of(targets.length, i -> targets[i] == null ? Mark.UNTRIED
                : Mark.of(fork[r][i] >= 0 && targets[i].fact.begunBy(text(tokens[fork[r][i]]))))).toList();
    }

    /** By how much the state moves for each rank; the same array again where a rank brings nothing new, null where there is no move. */
    static float[][] moves(Svd svd, float[] from, float[] to, int[] ranks) {
        int d = svd.n();
        int rank = svd.rank();
        double[] sum = new double[d];
        float[][] moves = new float[ranks.length][];
        int k = 0;
        for (int r = 0; r < ranks.length; r++) {
            if (r > 0 && k == Math.min(ranks[r], rank)) {
                moves[r] = moves[r - 1];
                continue;
            }
            for (; k < Math.min(ranks[r], rank); k++) {
                double along = 0;
                for (int i = 0; i < d; i++) {
                    along += svd.left()[k * d + i] * ((double) to[i] - from[i]);
                }
                for (int i = 0; i < d; i++) {
                    sum[i] += along / svd.values()[k] * svd.right()[k * d + i];
                }
            }
            if (k > 0) {
                moves[r] = new float[d];
                for (int i = 0; i < d; i++) {
                    moves[r][i] = (float) sum[i];
                }
            }
        }
        return moves;
    }
}
