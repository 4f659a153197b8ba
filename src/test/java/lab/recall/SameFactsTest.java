package lab.recall;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.edit.EditCurves;
import lab.recall.edit.EditScores;
import lab.recall.edit.EditSweep;
import lab.recall.edit.SecondMoments;
import lab.recall.facts.EditRequests;
import lab.recall.facts.Fact;
import lab.recall.facts.FactPair;
import lab.recall.facts.FactPairs;
import lab.recall.facts.KnownFacts;
import lab.recall.facts.Relations;
import lab.recall.knockout.Knockout;
import lab.recall.knockout.KnockoutCurves;
import lab.recall.knockout.Route;
import lab.recall.knockout.TokenGroup;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.LogitAttribution;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.model.block.AttentionPoints;
import lab.recall.paper.Localisation;
import lab.recall.paper.PaperCurves;
import lab.recall.stats.RankCorrelation;
import lab.recall.stats.Samples;
import lab.recall.study.Runner;
import lab.recall.text.Prompt;
import lab.recall.text.Template;
import lab.recall.trace.AverageTrace;
import lab.recall.trace.Averaging;
import lab.recall.trace.CausalTrace;
import lab.recall.trace.ExampleTrace;
import lab.recall.trace.HeadTrace;
import lab.recall.trace.Position;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.knowm.xchart.XYChart;

/** Two models on the same facts: pairs, differences, what is typical; parts of a logit, heads; edits where facts are traced. */
class SameFactsTest {
    private static LanguageModel mamba;
    private static LanguageModel neox;
    private static KnownFacts ofMamba;
    private static KnownFacts ofNeox;
    private static List<FactPairs> pairs;
    private static AverageTrace mambas;
    private static AverageTrace neoxs;

    @BeforeAll
    static void open() {
        System.setProperty("recall.store", "none");
        mamba = LanguageModel.open("tiny-mamba");
        neox = LanguageModel.open("tiny-neox");
        ofMamba = Relations.of(mamba).knownBy(mamba, Runner.silent());
        ofNeox = Relations.of(neox).knownBy(neox, Runner.silent());
        pairs = FactPairs.shared(List.of(ofMamba, ofNeox), 40, 1);
        mambas = CausalTrace.of(mamba).residual().over(pairs.get(0), Runner.silent());
        neoxs = CausalTrace.of(neox).residual().over(pairs.get(1), Runner.silent());
    }

    @Test
    void bothModelsGetTheSameFacts() {
        assertEquals(40, pairs.get(0).size());
        Set<Fact> known = new HashSet<>(ofNeox.facts());
        for (int i = 0; i < 40; i++) {
            FactPair a = pairs.get(0).get(i);
            FactPair b = pairs.get(1).get(i);
            assertEquals(a.clean(), b.clean());
            assertEquals(a.corrupt(), b.corrupt());
            assertTrue(known.contains(a.clean()) && known.contains(a.corrupt()));
        }
        KnownFacts both = ofMamba.and(ofNeox);
        assertTrue(both.size() <= Math.min(ofMamba.size(), ofNeox.size()) && both.size() > 300, both.size() + " facts");
        assertEquals(new HashSet<>(both.facts()), new HashSet<>(ofNeox.and(ofMamba).facts()));
        assertEquals(pairs, FactPairs.shared(List.of(ofMamba, ofNeox), 40, 1));
        assertEquals(both.sample(9, 3).stream().map(k -> k.fact()).toList(), ofNeox.and(ofMamba).sample(9, 3).stream()
                .map(k -> k.fact()).toList());
        KnownFacts nothing = ofNeox.and(ofMamba.only("city_in_country"));
        assertThrows(BadRequest.class, () -> FactPairs.shared(List.of(ofMamba.only("company_hq"), nothing), 5, 1));
    }

    @Test
    void differencesArePaired() {
        double apart = mambas.most(Position.SUBJECT).mean() - neoxs.most(Position.SUBJECT).mean();
        assertEquals(apart, mambas.mostMinus(neoxs, Position.SUBJECT).mean(), 1e-9, "every pair counts in both");
        assertEquals(0, mambas.mostMinus(mambas, Position.SUBJECT_LAST).mean());
        assertEquals(0, mambas.mostMinus(mambas, Position.SUBJECT_LAST).high(), "by pairs, not by their two intervals");
        AverageTrace others = CausalTrace.of(neox).residual().over(ofNeox.pairs(40, 7), Runner.silent());
        assertThrows(BadRequest.class, () -> mambas.mostMinus(others, Position.SUBJECT));
        var facts = ofMamba.and(ofNeox).sample(12, 1);
        KnockoutCurves a = Knockout.of(mamba).edges().over(facts, Runner.silent());
        KnockoutCurves b = Knockout.of(neox).edges().over(ofNeox.and(ofMamba).sample(12, 1), Runner.silent());
        Samples mine = a.samples(Route.from(TokenGroup.SUBJECT));
        assertEquals(mine.lowest().mean() - b.samples(Route.from(TokenGroup.SUBJECT)).lowest().mean(),
                a.lowestMinus(b, TokenGroup.SUBJECT).mean(), 1e-9);
        assertThrows(BadRequest.class, () -> mine.lowestMinus(Samples.published(1, 2)));
    }

    /** The typical pair's curves are nearer to the means than those of any other pair, the untypical one's farther. */
    @Test
    void typicalAndUntypical() {
        double[] far = new double[40];
        for (int i = 0; i < 40; i++) {
            for (Position p : List.of(Position.SUBJECT_LAST, Position.LAST, Position.SUBJECT)) {
                for (int l = 0; l < mamba.layers(); l++) {
                    double d = mambas.samples(p).cases(l)[i] - mambas.means(p)[l];
                    far[i] += Double.isNaN(d) ? 0 : d * d;
                }
            }
        }
        for (int i = 0; i < 40; i++) {
            assertTrue(far[mambas.typical()] <= far[i] && far[i] <= far[mambas.untypical()], "pair " + i);
        }
        FactPair pair = pairs.get(0).get(mambas.typical());
        ExampleTrace one = CausalTrace.of(mamba).residual().of(pair);
        assertEquals(pair.cleanPrompt().length() + 1, one.grid().p()[0].length, "the whole subject, too");
        int last = pair.cleanPrompt().length();
        assertEquals(mambas.samples(Position.SUBJECT).cases(3)[mambas.typical()], one.grid().effect()[3][last], 1e-9);
        assertTrue(one.summary().startsWith("tiny-mamba: after layer ") && one.summary().contains("from layer 5 on"), one.summary());
    }

    @Test
    void aMapHasTheRowsThatThereAre() {
        long rows = Arrays.stream(Position.values()).filter(p -> mambas.at(p, 0).n() > 0).count();
        String table = mambas.byPosition().print();
        assertEquals(rows, mambas.byPosition().rowCount());
        assertFalse(table.contains("subject's first tokens"), "no subject has three tokens: " + table);
        assertTrue(mambas.largestDifference(CausalTrace.of(mamba).averaging(Averaging.PUBLISHED)
                .over(pairs.get(0), Runner.silent())).contains("differ most at the "));
    }

    @Test
    void thePapersCurvesStandBeside() {
        XYChart chart = PaperCurves.beside(mambas);
        assertEquals(64, chart.getSeries("prompt's last token, paper's Mamba").getXData().length);
        assertEquals(1.0, chart.getSeries("subject's last token, paper's Mamba").getXData()[63]);
        assertEquals(32, PaperCurves.beside(neoxs).getSeries("prompt's last token, paper's Pythia").getXData().length);
        assertTrue(PaperCurves.mapBeside(neoxs).title().startsWith("the paper's pythia residual, corrected | tiny-neox"));
    }

    static List<String> families() {
        return Golden.WITH_INTERVENTIONS;
    }

    /** The embedding and what all layers put out add up to the difference of the logits, in every family. */
    @ParameterizedTest
    @MethodSource("families")
    void partsOfALogitAddUp(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Prompt prompt = new Prompt(null, new int[] {3, 1, 4, 1, 5, 9, 2, 6}, 1, 3);
        LogitAttribution parts = LogitAttribution.of(model, prompt, 7, 2);
        float[] logits = model.run(prompt.ids()).logits();
        assertEquals(logits[7] - (double) logits[2], parts.difference(), 1e-9);
        assertEquals(parts.difference(), parts.sum(), 2e-4 * Math.max(1, Math.abs(parts.difference())), name);
        assertEquals(-parts.sum(), LogitAttribution.of(model, prompt, 2, 7).sum(), 1e-4);
        double all = parts.start();
        for (HookPoint p : parts.points()) {
            all += IntStream.range(0, model.layers()).mapToDouble(l -> parts.at(l, p)).sum();
        }
        assertEquals(parts.sum(), all, 1e-9);
        assertEquals(model.layers() + 1, parts.table().rowCount());
        assertThrows(BadRequest.class, () -> LogitAttribution.of(model, prompt, 7, -1));
    }

    @Test
    void aHeadIsPutBack() {
        FactPairs some = new FactPairs(pairs.get(1).pairs().subList(0, 3), 0);
        HeadTrace trace = HeadTrace.of(neox, some);
        assertEquals(4, trace.heads());
        double sum = 0;
        for (FactPair pair : some.pairs()) {
            int last = pair.cleanPrompt().length() - 1;
            HookPoint gathered = AttentionPoints.ATTN_CTX;
            Pass clean = neox.run(pair.cleanPrompt().ids(), Recording.points(gathered));
            Pass corrupt = neox.run(pair.corruptPrompt().ids(), Recording.points(gathered));
            float[] mixed = corrupt.get(new Site(2, gathered, last)).clone();
            System.arraycopy(clean.get(new Site(2, gathered, last)), 16, mixed, 16, 16);
            double p = neox.run(pair.corruptPrompt().ids(), Recording.nothing(), Intervention.set(new Site(2, gathered, last), mixed))
                    .probability(pair.answer());
            double from = corrupt.probability(pair.answer());
            sum += (p - from) / (clean.probability(pair.answer()) - from) / 3;
        }
        assertEquals(sum, trace.at(2, 1).mean(), 1e-5);
        assertThrows(BadRequest.class, () -> HeadTrace.of(mamba, pairs.get(0)));
    }

    /** What an edit does is laid beside the effect of the same fact; correlations are those of the joined numbers. */
    @Test
    void whereFactsAreTracedAndEdited() {
        EditRequests requests = EditRequests.of(Relations.of(mamba), mambas.facts().subList(0, 12), 12, 1);
        SecondMoments moments = SecondMoments.of(mamba).over(SecondMoments.texts(mamba, 60, 1), Runner.silent());
        var matrix = mamba.outputMatrix();
        EditCurves curves = EditSweep.of(mamba).matrices(List.of(matrix)).contexts(List.of(new Template("{}")))
                .moments(moments).over(requests, Runner.silent());
        Localisation found = Localisation.of(mambas, requests, curves, matrix);
        assertEquals(12, found.facts());
        double[] effect = new double[12];
        double[] edited = new double[12];
        for (int i = 0; i < 12; i++) {
            String subject = requests.get(i).subject();
            int at = IntStream.range(0, 40).filter(p -> mambas.facts().get(p).subject().equals(subject)).findFirst().orElseThrow();
            effect[i] = mambas.samples(Position.SUBJECT_LAST).cases(3)[at];
            edited[i] = curves.magnitudes(matrix, EditScores.Measure.EFFICACY).cases(3)[i];
        }
        assertEquals(RankCorrelation.of(effect, edited), found.at(3).mean(), 1e-12);
        assertTrue(found.byLayer() > 0 && found.byEffect() >= 0 && found.byLayer() + found.byEffect() <= 1, found.summary());
        assertEquals(mamba.layers(), found.table().rowCount());
        assertThrows(BadRequest.class, () -> Localisation.of(neoxs, requests, curves, matrix));
        assertThrows(BadRequest.class, () -> Localisation.of(mambas, requests.first(3), curves, matrix));
        String scale = curves.table().columnNames().toString();
        assertTrue(scale.contains("first step in |v₀|"), scale);
        assertTrue((double) curves.table().get(0, 9) > 0, "|v0| is known");
        assertArrayEquals(new int[] {12}, new int[] {curves.requests()});
    }
}
