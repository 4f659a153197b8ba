package lab.recall.linear;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import lab.recall.Golden;
import lab.recall.base.BadRequest;
import lab.recall.base.Unsolvable;
import lab.recall.facts.Fact;
import lab.recall.facts.Relation;
import lab.recall.facts.Relations;
import lab.recall.math.Parallel;
import lab.recall.math.Svd;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.Jacobian;
import lab.recall.model.LanguageModel;
import lab.recall.model.LensReading;
import lab.recall.model.Pass;
import lab.recall.model.Readout;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.study.Runner;
import lab.recall.text.Prompt;
import lab.recall.view.Show;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Linear relations, piece by piece, and a sweep against what plain runs give. */
class LinearTest {
    private static LanguageModel mamba;
    private static Relations capitals;

    @BeforeAll
    static void open() {
        System.setProperty("recall.store", "none");
        mamba = LanguageModel.open("tiny-mamba");
        capitals = Relations.of(mamba).only("country_capital_city");
    }

    static List<String> cases() {
        return Golden.WITH_INTERVENTIONS;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void oneWayDownGivesAllLayers(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Pass pass = model.run(new int[] {3, 1, 4, 1, 5, 9, 2, 6}, Recording.gradients());
        int[] layers = {2, Jacobian.EMBED, model.layers() - 1, 0};
        List<Jacobian> together = Jacobian.of(pass, layers, 3);
        for (int i = 0; i < layers.length; i++) {
            Jacobian one = Jacobian.of(pass, layers[i], 3);
            Golden.same("layer " + layers[i], one.values(), together.get(i).values());
            assertArrayEquals(one.h(), together.get(i).h());
            assertArrayEquals(one.z(), together.get(i).z());
        }
    }

    /** Two products with the head serve all betas: the same tokens as norm and head of each beta x + b. */
    @ParameterizedTest
    @MethodSource("cases")
    void readoutForManyBetas(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        int d = model.width();
        Random random = new Random(3);
        int rows = 40;
        float[] x = random(random, rows * d);
        float[] b = random(random, d);
        double[] betas = {0, 0.25, 1, 2.5, 5};
        int[][] tokens = Readout.tokens(model, x, rows, b, betas);
        for (int r = 0; r < rows; r++) {
            for (int k = 0; k < betas.length; k++) {
                float[] z = new float[d];
                for (int i = 0; i < d; i++) {
                    z[i] = (float) (betas[k] * x[r * d + i] + b[i]);
                }
                float[] logits = model.logitLens(z)[0];
                float most = logits[argmax(logits)];
                assertEquals(most, logits[tokens[r][k]], 1e-4 * Math.max(1, Math.abs(most)), "row " + r + ", beta " + betas[k]);
            }
        }
    }

    private static float[] random(Random random, int size) {
        float[] v = new float[size];
        for (int i = 0; i < size; i++) {
            v[i] = (float) random.nextGaussian();
        }
        return v;
    }

    private static int argmax(float[] v) {
        return IntStream.range(0, v.length).reduce(0, (a, b) -> v[b] > v[a] ? b : a);
    }

    @Test
    void movesAreThePseudoInverseOfEachRank() {
        int n = 24;
        Random random = new Random(1);
        float[] m = random(random, n * n);
        for (int i = 0; i < n; i++) {                           // rank 23: the last row is the first
            m[(n - 1) * n + i] = m[i];
        }
        Svd svd = Svd.of(m, n);
        assertEquals(n - 1, svd.rank());
        assertArrayEquals(m, svd.lowRank(n), 1e-5f);
        float[] from = random(random, n);
        float[] to = random(random, n);
        int[] ranks = {1, 8, 23, 24};
        float[][] moves = SplitRun.moves(svd, from, to, ranks);
        for (int r = 0; r < ranks.length; r++) {
            float[] inverse = svd.inverse(ranks[r]);
            for (int i = 0; i < n; i++) {
                double sum = 0;
                for (int j = 0; j < n; j++) {
                    sum += inverse[i * n + j] * (to[j] - from[j]);
                }
                assertEquals(sum, moves[r][i], 1e-4);
            }
        }
        assertTrue(moves[2] == moves[3], "a rank that brings nothing new costs no run");
        assertTrue(SplitRun.moves(Svd.of(new float[n * n], n), from, to, ranks)[3] == null,
                "nothing leads from a subject that does not matter");
    }

    @Test
    void splitsCoverObjects() {
        List<Fact> facts = Relations.of(mamba).get("person_plays_sport").facts();
        Split split = Split.of(facts, 5, new Random(4));
        assertEquals(5, split.training().stream().map(Fact::object).distinct().count());
        assertEquals(facts.size(), split.training().size() + split.rest().size());
        assertTrue(split.rest().stream().noneMatch(split.training()::contains));
        assertEquals(split, Split.of(facts, 5, new Random(4)));
        List<Fact> two = List.of(new Fact("r", "a", "x"), new Fact("r", "b", "x"), new Fact("r", "c", "y"), new Fact("r", "c", "y"));
        Split all = Split.of(two, 5, new Random(0));
        assertEquals(3, all.training().size(), "a fact that is said twice counts once");
        assertTrue(all.rest().isEmpty());
    }

    @Test
    void promptsHoldTheOthersAndThenTheSubject() {
        Relation relation = capitals.all().get(0);
        List<Fact> shots = relation.facts().subList(0, 3);
        Prompt p = Asking.IN_CONTEXT.prompt(mamba.requireTokenizer(), relation.inContext(), shots, shots.get(1));
        assertFalse(p.text().contains(shots.get(1).object()), p.text());
        assertTrue(p.text().contains(shots.get(0).object()) && p.text().contains(shots.get(2).object()), p.text());
        String subject = mamba.requireTokenizer().decode(Arrays.copyOfRange(p.ids(), p.subjectStart(), p.subjectEnd()));
        assertEquals(shots.get(1).subject(), subject.strip());
        assertEquals(relation.template().fill(mamba.requireTokenizer(), "x").ids().length, Asking.ZERO_SHOT
                .prompt(mamba.requireTokenizer(), Asking.ZERO_SHOT.template(relation), shots, new Fact("r", "x", "y")).length());
    }

    /** A setting that is right for one fact alone must not be chosen for that fact. */
    @Test
    void nestedSelectionDoesNotLookAtWhatItScores() {
        int n = 10;
        List<Marks> oneEach = IntStream.range(0, n).mapToObj(k -> Marks.of(n, i -> Marks.Mark.of(i == k))).toList();
        List<Marks> none = new ArrayList<>(Collections.nCopies(n, new Marks("0000000000")));
        int[][] tests = {IntStream.range(0, n).toArray()};
        Outcomes outcomes = new Outcomes(n, tests, List.of(List.of(oneEach, none)));
        assertEquals(0, Arrays.stream(outcomes.best(Selection.NESTED)).sum());
        assertEquals(1, Arrays.stream(outcomes.best(Selection.PUBLISHED)).sum());
        none.set(3, new Marks("1111111-10"));
        double[] scores = new Outcomes(n, tests, List.of(List.of(oneEach, none))).best(Selection.NESTED);
        assertEquals(8, Arrays.stream(scores).filter(v -> v == 1).count());
        assertTrue(Double.isNaN(scores[7]), "what was not tried does not count");
    }

    /** Faithfulness at one layer, and one edit, written out with plain runs. */
    @Test
    void aSweepIsWhatPlainRunsGive() {
        Relation relation = capitals.all().get(0);
        int layer = 3;
        LinearSweep sweep = LinearSweep.of(mamba).zeroShot().splits(1).seed(5).layers(layer).ranks(8);
        LinearRelation found = sweep.over(capitals, Runner.silent()).all().get(0);
        LinearOperator operator = sweep.operators(relation).get(0);
        Split split = Split.of(relation.facts(), 5, new Random(5 + relation.name().hashCode()));
        List<Jacobian> jacobians = split.training().stream().map(f -> prompt(relation, f))
                .map(p -> Jacobian.of(mamba.run(p.ids(), Recording.gradients()), layer, p.subjectLast())).toList();
        assertArrayEquals(LinearOperator.mean(layer, jacobians).matrix(), operator.matrix());
        assertArrayEquals(LinearOperator.mean(layer, jacobians).bias(), operator.bias());
        List<Fact> known = split.rest().stream().filter(f -> says(f, mamba.run(prompt(relation, f).ids()).argmax())).toList();
        double best = 0;
        for (double beta : LinearSweep.BETAS) {
            long right = known.stream().filter(f -> {
                Prompt p = prompt(relation, f);
                float[] h = mamba.run(p.ids()).get(new Site(layer, HookPoint.RESID_POST, p.subjectLast()));
                return says(f, argmax(mamba.logitLens(operator.apply(h, beta))[0]));
            }).count();
            best = Math.max(best, right / (double) known.size());
        }
        assertEquals(known.size(), found.tested());
        assertEquals(best, found.faithfulness(Selection.PUBLISHED, layer).mean(), 1e-9);
        Random random = new Random(5);
        double changed = 0;
        for (Fact f : known) {
            List<Fact> others = known.stream().filter(o -> !o.subject().equals(f.subject()) && !o.object().equals(f.object())).toList();
            Fact target = others.get(random.nextInt(others.size()));
            Prompt p = prompt(relation, f);
            float[] move = SplitRun.moves(operator.svd(), z(p), z(prompt(relation, target)), new int[] {8})[0];
            changed += says(target, mamba.run(p.ids(), Recording.nothing(),
                    Intervention.add(new Site(layer, HookPoint.RESID_POST, p.subjectLast()), move)).argmax()) ? 1 : 0;
        }
        assertEquals(changed / known.size(), found.causality(Selection.PUBLISHED, layer).mean(), 1e-9);
        assertEquals(1.0 / known.size(), found.constant(), 1e-9, "each country has a capital of its own");
    }

    /** A token that begins many objects is one constant answer for all of them: here there is none, and the most frequent object counts. */
    @Test
    void theBestConstantAnswerCountsObjects() {
        Relation relation = Relations.of(mamba).get("country_currency");
        LinearRelation found = LinearSweep.of(mamba).zeroShot().splits(1).layers(4).faithfulnessOnly()
                .over(Relations.of(mamba).only(relation.name()), Runner.silent()).all().get(0);
        List<String> objects = Split.of(relation.facts(), 5, new Random(1 + relation.name().hashCode())).rest().stream()
                .filter(f -> says(f, mamba.run(prompt(relation, f).ids()).argmax())).map(Fact::object).toList();
        double most = objects.stream().mapToInt(o -> Collections.frequency(objects, o)).max().orElseThrow();
        assertEquals(most / objects.size(), found.constant(), 1e-9);
    }

    /** Where one answer begins every object, no edit can show anything: none is tried, and the best constant answer is always right. */
    @Test
    void anAnswerThatFitsEveryObjectShowsNothing(@TempDir Path dir) throws IOException {
        Relation landmarks = Relations.of(mamba).get("landmark_in_country");
        List<String> facts = landmarks.facts().stream().filter(f -> f.object().equals("Mania"))
                .map(f -> "{\"subject\": \"" + f.subject() + "\", \"object\": \"Mania of " + f.subject() + "\"}").toList();
        Files.writeString(dir.resolve("one_answer.json"),
                "{\"prompt_templates\": [\"" + landmarks.template().text() + "\"], \"samples\": " + facts + "}");
        LinearRelations found = LinearSweep.of(mamba).zeroShot().samples(1).splits(1).layers(0, 4)
                .over(Relations.folder(dir), Runner.silent());
        LinearRelation one = found.all().get(0);
        assertTrue(one.isMeasured() && !one.hasCausality());
        assertEquals(1, one.constant());
        assertEquals(0, one.causality(Selection.NESTED).n());
        assertEquals(1, one.chart().getSeriesCollection().stream().filter(c -> c.getName().equals("faithfulness")).count());
        assertEquals(one.faithfulness(Selection.NESTED).mean() - 1, found.aboveConstant().mean(), 1e-12);
    }

    private static Prompt prompt(Relation relation, Fact fact) {
        return relation.template().fill(mamba.requireTokenizer(), fact.subject());
    }

    private static boolean says(Fact fact, int token) {
        return fact.begunBy(mamba.requireTokenizer().decode(token));
    }

    private static float[] z(Prompt p) {
        return mamba.run(p.ids()).get(new Site(mamba.layers() - 1, HookPoint.RESID_POST, p.length() - 1));
    }

    @Test
    void oneThreadAsTwo() {
        int threads = Parallel.threads();
        LinearRelation[] found = new LinearRelation[2];
        try {
            for (int t = 0; t < 2; t++) {
                Parallel.setThreads(t + 1);
                found[t] = LinearSweep.of(mamba).zeroShot().splits(1).layers(0, 4, 7).ranks(4, 16)
                        .over(capitals, Runner.silent()).all().get(0);
            }
        } finally {
            Parallel.setThreads(threads);
        }
        assertArrayEquals(found[0].faithfulnessByLayer(Selection.NESTED), found[1].faithfulnessByLayer(Selection.NESTED));
        assertArrayEquals(found[0].causalityByLayer(Selection.NESTED), found[1].causalityByLayer(Selection.NESTED));
        assertEquals(0, found[0].causality(Selection.PUBLISHED, 7).mean(), "after the last layer the subject's state moves nothing");
    }

    @Test
    void tooFewKnownFactsAreReported() {
        LinearRelations found = LinearSweep.of(mamba).zeroShot().over(Relations.lre().only("country_largest_city"), Runner.silent());
        assertTrue(found.measured().isEmpty());
        assertTrue(found.summary().contains("nothing to measure"), found.summary());
        assertTrue(found.table().column("faithfulness").getString(0).startsWith("too few known: "), Show.text(found.table()));
        assertEquals(found.summary(), found.view());
        assertTrue(Show.text(found.all().get(0)).contains("too few known facts"));
        assertThrows(Unsolvable.class, found::bars);
        assertThrows(Unsolvable.class, found::bestLayer);
        assertThrows(Unsolvable.class, () -> found.all().get(0).beta(0));
        assertEquals(0, found.all().get(0).faithfulness(Selection.NESTED).n());
        assertTrue(found.all().get(0).known().matches("0 of \\d+"),
                "one split stands for all where it knew none: " + found.all().get(0).known());
    }

    @Test
    void fewerSamplesKeepTheTests() {
        List<LinearRelations> found = LinearSweep.of(mamba).zeroShot().splits(1).layers(4).fewer(capitals, 3, Runner.silent());
        assertEquals(3, found.size());
        LinearRelation three = LinearSweep.of(mamba).zeroShot().splits(1).samples(3).layers(4).faithfulnessOnly()
                .over(capitals, Runner.silent()).all().get(0);
        assertEquals(three.faithfulness(Selection.PUBLISHED), found.get(2).all().get(0).faithfulness(Selection.PUBLISHED));
        assertEquals(three.tested(), found.get(0).all().get(0).tested());
        assertFalse(found.get(0).all().get(0).hasCausality());
    }

    @Test
    void aSettingLeavesTheSweepAsItWas() {
        LinearSweep sweep = LinearSweep.of(mamba).zeroShot().splits(1).layers(4);
        LinearRelation before = sweep.over(capitals, Runner.silent()).all().get(0);
        sweep.asking(Asking.IN_CONTEXT).samples(1).splits(2).facts(6).seed(9).layers(0).ranks(1);
        sweep.fewer(capitals, 2, Runner.silent());
        LinearRelation after = sweep.over(capitals, Runner.silent()).all().get(0);
        assertArrayEquals(before.layers(), after.layers());
        assertEquals(before.known(), after.known());
        assertEquals(before.faithfulness(Selection.NESTED), after.faithfulness(Selection.NESTED));
        assertEquals(before.causality(Selection.NESTED), after.causality(Selection.NESTED));
        assertTrue(after.hasCausality());
    }

    @Test
    void operatorsSayHowManyExamplesTheyAreOf() {
        Relation relation = capitals.all().get(0);
        LinearSweep sweep = LinearSweep.of(mamba).zeroShot().layers(4);
        assertTrue(sweep.samples(3).operators(relation).get(0).heatmap().title().startsWith("W, mean of 3 examples, from layer 4 "));
        assertTrue(sweep.samples(1).operators(relation).get(0).heatmap().title().startsWith("W, one example, from layer 4 "));
        assertThrows(BadRequest.class, () -> sweep.predictions(relation, mamba.layers(), 1));
    }

    @Test
    void theLensReadsEveryState() {
        Relation relation = capitals.all().get(0);
        List<LinearOperator> operators = LinearSweep.of(mamba).zeroShot().layers(Jacobian.EMBED, 4).operators(relation);
        Prompt p = prompt(relation, relation.facts().get(0));
        LensReading reading = AttributeLens.of(mamba, operators, 1, 2).on(p, 7);
        float[] h = mamba.run(p.ids()).get(new Site(4, HookPoint.RESID_POST, 2));
        float[] logits = mamba.logitLens(operators.get(1).apply(h, 2))[0];
        double sum = 0;
        for (float v : logits) {
            sum += Math.exp(v - logits[7]);
        }
        assertEquals(1 / sum, reading.at(2, 1), 1e-5);
        assertEquals(p.length(), reading.words().rowCount());
        assertThrows(BadRequest.class, () -> AttributeLens.of(mamba, operators, 1));
    }

    @Test
    void badSettings() {
        LinearSweep sweep = LinearSweep.of(mamba);
        assertThrows(BadRequest.class, () -> sweep.layers(8));
        assertThrows(BadRequest.class, () -> sweep.layers());
        assertThrows(BadRequest.class, () -> sweep.ranks(65));
        assertThrows(BadRequest.class, () -> sweep.ranks());
        assertThrows(BadRequest.class, () -> sweep.samples(0));
        assertThrows(BadRequest.class, () -> sweep.splits(0));
        assertThrows(BadRequest.class, () -> sweep.prompt(capitals.all().get(0), 5));
        assertThrows(BadRequest.class, () -> sweep.facts(5));
        assertThrows(BadRequest.class, () -> LinearOperator.mean(0, List.of()));
    }

    /** The dual form gives what the primal one gives: (H'H + r I)^-1 H'Z, written out for two dimensions. */
    @Test
    void fittedMapsAreRidgeRegressions() {
        Random random = new Random(3);
        int n = 9;
        float[][] h = new float[n][2];
        float[][] z = new float[n][3];
        for (int i = 0; i < n; i++) {
            h[i] = new float[] {(float) random.nextGaussian(), (float) (5 + random.nextGaussian())};
            for (int k = 0; k < 3; k++) {
                z[i][k] = (float) (2 * h[i][0] - h[i][1] * k + random.nextGaussian());
            }
        }
        int[] train = {0, 1, 2, 4, 6, 8};
        int[] test = {3, 5};
        double[] mh = new double[2];
        double[] mz = new double[3];
        for (int i : train) {
            for (int k = 0; k < 3; k++) {
                mz[k] += z[i][k] / 6.0;
                mh[Math.min(k, 1)] += k < 2 ? h[i][k] / 6.0 : 0;
            }
        }
        double[][] a = new double[2][2];
        double[][] b = new double[2][3];
        for (int i : train) {
            for (int r = 0; r < 2; r++) {
                for (int c = 0; c < 2; c++) {
                    a[r][c] += (h[i][r] - mh[r]) * (h[i][c] - mh[c]);
                }
                for (int k = 0; k < 3; k++) {
                    b[r][k] += (h[i][r] - mh[r]) * (z[i][k] - mz[k]);
                }
            }
        }
        double ridge = 0.3 * (a[0][0] + a[1][1]) / 6;
        a[0][0] += ridge;
        a[1][1] += ridge;
        double det = a[0][0] * a[1][1] - a[0][1] * a[1][0];
        double[][] found = FittedMaps.fitted(h, z, train, test, 0.3);
        for (int t = 0; t < 2; t++) {
            double x = h[test[t]][0] - mh[0];
            double y = h[test[t]][1] - mh[1];
            for (int k = 0; k < 3; k++) {
                double w0 = (a[1][1] * b[0][k] - a[0][1] * b[1][k]) / det;
                double w1 = (a[0][0] * b[1][k] - a[1][0] * b[0][k]) / det;
                assertEquals(mz[k] + w0 * x + w1 * y, found[t][k], 1e-6);
            }
        }
    }

    @Test
    void fittedMapsOfAModel() {
        FittedMaps maps = FittedMaps.of(mamba, Relations.of(mamba).only("place_in_city", "country_capital_city")
                .knownBy(mamba, Runner.silent()));
        assertTrue(maps.measured().contains("place_in_city"));
        assertTrue(maps.faithfulness("place_in_city", 3).n() >= FittedMaps.LEAST);
        int last = maps.lastLayer("place_in_city");
        assertTrue(last >= 0 && last < mamba.layers(), "layer " + last);
        assertEquals(maps.table().print(), FittedMaps.of(mamba, Relations.of(mamba).only("place_in_city", "country_capital_city")
                .knownBy(mamba, Runner.silent())).table().print(), "the same again");
        assertThrows(BadRequest.class, () -> maps.faithfulness("no_relation", 3));
    }
}
