package lab.recall.linear;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleConsumer;
import java.util.stream.IntStream;
import lab.recall.facts.Fact;
import lab.recall.facts.Relation;
import lab.recall.math.Svd;
import lab.recall.model.Forks;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Readout;
import lab.recall.model.Recording;
import lab.recall.model.Site;
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
    /** Facts are asked until enough are known, but no more than so many times as many, and no more than HOPELESS when none was known till then. */
    private static final int TIMES = 4;
    private static final int HOPELESS = 100;
    /** What a base keeps of a token and layer, in residual streams. */
    private static final int STATES = 12;

    private final LanguageModel model;
    private final Tokenizer tokenizer;
    private final Asking asking;
    private final int samples;
    private final int most;
    private final long seed;
    private final int[] layers;
    private final int[] ranks;
    private final Map<Integer, String> texts = new HashMap<>();

    /** @param most tests at most */
    SplitRun(LanguageModel model, Asking asking, int samples, int most, long seed, int[] layers, int[] ranks) {
        this.model = model;
        this.tokenizer = model.requireTokenizer();
        this.asking = asking;
        this.samples = samples;
        this.most = most;
        this.seed = seed;
        this.layers = layers;
        this.ranks = ranks;
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
     * One split, with operators of the first n of its samples for each n.
     *
     * @param done told how many of the samples + layers steps are done
     */
    Trial[] trial(Relation relation, int number, int[] counts, DoubleConsumer done) {
        Split split = split(relation, number);
        List<Test> tests = new ArrayList<>();
        int asked = ask(relation, split, tests);
        int[] known = tests.stream().mapToInt(Test::number).toArray();
        Trial[] trials = new Trial[counts.length];
        if (known.length < Trial.LEAST) {
            Arrays.fill(trials, new Trial(asked, known, Double.NaN, null, null));
            return trials;
        }
        String[][][] faithful = new String[counts.length][layers.length][];
        Svd[][] svd = new Svd[counts.length][layers.length];
        int rank = IntStream.of(ranks).max().orElse(0);
        means(training(relation, number), done, (n, means) -> {
            for (int c = 0; c < counts.length; c++) {
                for (int l = 0; l < layers.length && counts[c] == n; l++) {
                    LinearOperator operator = means.get(l).operator();
                    faithful[c][l] = faithful(operator, l, tests);
                    svd[c][l] = rank == 0 ? null : operator.svd(rank);
                }
            }
        });
        for (int c = 0; c < counts.length; c++) {
            String[][] causal = rank == 0 ? null : causal(svd[c], tests, new Random(seed + number), step -> done.accept(samples + step));
            trials[c] = new Trial(asked, known, constant(tests), faithful[c], causal);
        }
        return trials;
    }

    /** The operators of a split, one for each layer; 4 d² bytes each. */
    List<LinearOperator> operators(Relation relation, int number) {
        List<Prompt> training = training(relation, number);
        List<LinearOperator> found = new ArrayList<>();
        means(training, step -> { }, (n, means) -> {
            if (n == training.size()) {
                means.forEach(m -> found.add(m.operator()));
            }
        });
        return found;
    }

    /** The prompts of a split's training facts. */
    List<Prompt> training(Relation relation, int number) {
        Split split = split(relation, number);
        return split.training().stream().map(f -> asking.prompt(tokenizer, relation, split.training(), f)).toList();
    }

    /** Each test of a split: what an operator says, for each beta. */
    Table predictions(Relation relation, int number, double... betas) {
        Split split = split(relation, number);
        List<Test> tests = new ArrayList<>();
        ask(relation, split, tests);
        LinearOperator operator = operators(relation, number).get(0);
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
        return Tables.of(relation.name() + ": what the operator from " + LinearOperator.place(operator.layer()) + " says of " + tests.size()
                + " known facts that it was not made of, + right",
                columns, rows);
    }

    private Split split(Relation relation, int number) {
        return Split.of(relation.facts(), samples, new Random(seed + 1_000_003L * number + relation.name().hashCode()));
    }

    /** Asks for facts until enough are known; returns how many were asked. */
    private int ask(Relation relation, Split split, List<Test> tests) {
        int from = 0;
        long limit = Math.min(split.rest().size(), (long) TIMES * most);
        while (from < limit && tests.size() < most && !(tests.isEmpty() && from >= HOPELESS)) {
            List<Prompt> prompts = new ArrayList<>();
            long bytes = 0;
            while (from + prompts.size() < limit && prompts.size() < TOGETHER && bytes <= BYTES) {
                Prompt p = asking.prompt(tokenizer, relation, split.training(), split.rest().get(from + prompts.size()));
                prompts.add(p);
                bytes += (long) p.length() * model.layers() * model.width() * Float.BYTES;
            }
            List<Pass> passes = model.runAll(prompts.stream().map(Prompt::ids).toList(), Recording.points(HookPoint.EMBED, HookPoint.RESID_POST));
            for (int i = 0; i < prompts.size() && tests.size() < most; i++) {
                Fact fact = split.rest().get(from + i);
                if (fact.begunBy(text(passes.get(i).argmax()))) {
                    tests.add(test(relation.facts().indexOf(fact), fact, prompts.get(i), passes.get(i)));
                }
            }
            from += prompts.size();
        }
        return from;
    }

    private Test test(int number, Fact fact, Prompt prompt, Pass pass) {
        float[][] states = Arrays.stream(layers).mapToObj(l -> pass.get(LinearOperator.site(l, prompt.subjectLast()))).toArray(float[][]::new);
        return new Test(number, fact, prompt, pass.argmax(), states, pass.get(new Site(model.layers() - 1, HookPoint.RESID_POST, pass.length() - 1)));
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
    private void means(List<Prompt> training, DoubleConsumer done, Means reader) {
        List<LinearOperator.Mean> means = Arrays.stream(layers).mapToObj(l -> new LinearOperator.Mean(l, model.width())).toList();
        for (int n = 1; n <= training.size(); n++) {
            Prompt p = training.get(n - 1);
            LinearOperator.Mean.add(means, model.run(p.ids(), Recording.gradients()), p.subjectLast());
            reader.of(n, means);
            done.accept(n);
        }
    }

    /** A mark a test for each beta. */
    private String[] faithful(LinearOperator operator, int layer, List<Test> tests) {
        int[][] tokens = tokens(operator, layer, tests, LinearSweep.BETAS);
        return marks(LinearSweep.BETAS.length, tests.size(), (beta, test) -> tests.get(test).fact.begunBy(text(tokens[test][beta])) ? '1' : '0');
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

    private interface Mark {
        char of(int setting, int test);
    }

    private static String[] marks(int settings, int tests, Mark mark) {
        return IntStream.range(0, settings).mapToObj(k -> {
            StringBuilder all = new StringBuilder(tests);
            IntStream.range(0, tests).forEach(i -> all.append(mark.of(k, i)));
            return all.toString();
        }).toArray(String[]::new);
    }

    /** A mark a test for each layer and rank. */
    private String[][] causal(Svd[] svd, List<Test> tests, Random random, DoubleConsumer done) {
        Test[] targets = tests.stream().map(t -> target(t, tests, random)).toArray(Test[]::new);
        String[][] marks = new String[layers.length][ranks.length];
        Arrays.stream(marks).forEach(of -> Arrays.fill(of, ""));
        int from = 0;
        while (from < tests.size()) {
            int to = from;
            long bytes = 0;
            while (to < tests.size() && bytes <= BYTES) {
                bytes += (long) tests.get(to++).prompt.length() * model.layers() * model.width() * Float.BYTES * STATES;
            }
            List<Test> some = tests.subList(from, to);
            List<Pass> bases = model.runAll(some.stream().map(t -> t.prompt.ids()).toList(), Recording.states());
            for (int l = 0; l < layers.length; l++) {
                String[] found = edits(layers[l], svd[l], some, Arrays.copyOfRange(targets, from, to), bases);
                for (int r = 0; r < ranks.length; r++) {
                    marks[l][r] += found[r];
                }
                done.accept((double) (from * layers.length + some.size() * (l + 1)) / tests.size());
            }
            from = to;
        }
        return marks;
    }

    /** Another test with another subject and object, which the model's answer to this one does not begin too; null where there is none. */
    private Test target(Test test, List<Test> tests, Random random) {
        List<Test> others = tests.stream()
                .filter(o -> !o.fact.subject().equals(test.fact.subject()) && !o.fact.object().equals(test.fact.object()))
                .filter(o -> !o.fact.begunBy(text(test.answer))).toList();
        return others.isEmpty() ? null : others.get(random.nextInt(others.size()));
    }

    /** A mark a test for each rank: whether the model says the target's object when the subject's state is moved. */
    private String[] edits(int layer, Svd svd, List<Test> tests, Test[] targets, List<Pass> bases) {
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
        return marks(ranks.length, targets.length, (r, i) -> targets[i] == null ? '-'
                : fork[r][i] >= 0 && targets[i].fact.begunBy(text(tokens[fork[r][i]])) ? '1' : '0');
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
