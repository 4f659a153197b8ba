package lab.recall.knockout;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.Golden;
import lab.recall.base.BadRequest;
import lab.recall.facts.KnownFacts;
import lab.recall.facts.KnownFacts.Known;
import lab.recall.facts.Relations;
import lab.recall.math.Parallel;
import lab.recall.model.Edges;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.model.block.Cuts;
import lab.recall.model.block.ScanPoints;
import lab.recall.study.Runner;
import lab.recall.text.Prompt;
import lab.recall.view.Slider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Knock-out over facts against one plain pass at a time, written out. */
class KnockoutTest {
    private static LanguageModel mamba;
    private static LanguageModel neox;
    private static KnownFacts known;
    private static List<Known> facts;
    private static MeanActivations means;

    @BeforeAll
    static void open() {
        System.setProperty("recall.store", "none");
        mamba = LanguageModel.open("tiny-mamba");
        neox = LanguageModel.open("tiny-neox");
        known = Relations.of(mamba).knownBy(mamba, Runner.silent());
        facts = known.sample(3, 1);
        means = MeanActivations.of(mamba, MeanActivations.documents(mamba, 5, 2), Runner.silent(), ScanPoints.IN_X, ScanPoints.DELTA);
    }

    private static double[] curve(KnockoutCurves curves, int fact, TokenGroup group) {
        return curves.changes()[fact][curves.routes().indexOf(Route.from(group))];
    }

    private static double change(LanguageModel model, Known fact, List<Intervention> changes) {
        double clean = model.run(fact.prompt().ids()).probability(fact.answer());
        return (model.run(fact.prompt().ids(), Recording.nothing(), changes).probability(fact.answer()) - clean) / clean;
    }

    @Test
    void thePapersForm() {
        KnockoutCurves curves = Knockout.of(mamba).published(means).window(3).over(facts, Runner.silent());
        int l = 5;
        for (int i = 0; i < facts.size(); i++) {
            Known k = facts.get(i);
            int last = k.prompt().length() - 1;
            Pass clean = mamba.run(k.prompt().ids());
            for (TokenGroup group : TokenGroup.PUBLISHED) {
                List<Integer> sources = Arrays.stream(group.tokens(k.prompt())).boxed().toList();
                List<Intervention> changes = new ArrayList<>();
                for (int layer = l - 1; layer <= l + 1; layer++) {
                    for (int t = 0; t <= last; t++) {
                        Site site = new Site(layer, ScanPoints.IN_X, t);
                        if (sources.contains(t)) {
                            changes.add(Intervention.set(site, means.get(layer, ScanPoints.IN_X)));
                        } else if (t < last) {
                            changes.add(Intervention.patch(site, clean));
                        }
                    }
                }
                assertEquals(change(mamba, k, changes), curve(curves, i, group)[l], 1e-4, group.label());
            }
        }
        assertEquals(TokenGroup.PUBLISHED.size(), curves.strongest().rowCount());
    }

    @ParameterizedTest
    @ValueSource(strings = {"edges", "every", "scan", "conv", "held"})
    void exactForms(String name) {
        Knockout.Form form = new Knockout.Form(name);
        KnockoutCurves curves = Knockout.of(mamba).form(form, means).window(2).over(facts, Runner.silent());
        for (int i = 0; i < facts.size(); i++) {
            Known k = facts.get(i);
            int[] subject = TokenGroup.SUBJECT.tokens(k.prompt());
            Edges edges = form.equals(Knockout.Form.EVERY) ? Edges.between(subject, IntStream.range(0, k.prompt().length()).toArray())
                    : Edges.toLater(subject, k.prompt().length());
            List<Intervention> changes = new ArrayList<>();
            for (int layer = 4; layer <= 5; layer++) {
                if (!name.equals("scan")) {
                    changes.add(Cuts.conv(layer, edges));
                }
                if (!name.equals("conv")) {
                    changes.add(form.equals(Knockout.Form.HELD) ? Cuts.scan(layer, edges, means.get(layer, ScanPoints.DELTA))
                            : Cuts.scan(layer, edges));
                }
            }
            assertEquals(change(mamba, k, changes), curve(curves, i, TokenGroup.SUBJECT)[5], 1e-4);
        }
    }

    @Test
    void attention() {
        Route route = Route.from(TokenGroup.SUBJECT).to(TokenGroup.PROMPT_LAST);
        KnockoutCurves curves = Knockout.of(neox).edges().window(1).along(List.of(route)).over(facts, Runner.silent());
        for (int i = 0; i < facts.size(); i++) {
            Prompt p = facts.get(i).prompt();
            Edges edges = Edges.between(TokenGroup.SUBJECT.tokens(p), new int[] {p.length() - 1});
            assertEquals(change(neox, facts.get(i), List.of(Cuts.attention(2, edges))), curves.changes()[i][0][2], 1e-4);
        }
        assertTrue(facts.size() > 1 && Arrays.stream(curves.changes()).anyMatch(c -> c[0][2] < -0.1), "this layer reads the subject");
        String said = assertThrows(IllegalArgumentException.class, () -> Knockout.of(neox).published(means)).getMessage();
        assertTrue(said.contains("expected edges"), said);
    }

    /** A knock-out that a setting was made on stays what it was. */
    @Test
    void settingsMakeAnotherKnockout() {
        Knockout plain = Knockout.of(mamba).window(1).along(List.of(Route.from(TokenGroup.SUBJECT)));
        KnockoutCurves before = plain.over(facts, Runner.silent());
        plain.through("scan");
        plain.window(2);
        plain.along(Route.flows());
        assertEquals(before, plain.over(facts, Runner.silent()));
    }

    @Test
    void aFormSaysWhatItNeeds() {
        String said = assertThrows(BadRequest.class, () -> Knockout.of(mamba).form(Knockout.Form.HELD)).getMessage();
        assertTrue(said.contains("means: missing"), said);
        MeanActivations inputs = MeanActivations.of(mamba, List.of(new int[] {1}), Runner.silent(), ScanPoints.IN_X);
        assertTrue(assertThrows(BadRequest.class, () -> Knockout.of(mamba).held(inputs)).getMessage().contains("delta"));
        MeanActivations small = new MeanActivations(means.model(), 1, Map.of(ScanPoints.IN_X, new float[2][3]));
        assertTrue(assertThrows(BadRequest.class, () -> Knockout.of(mamba).published(small)).getMessage().contains("other sizes"));
        assertThrows(BadRequest.class, () -> Knockout.of(mamba).over(List.of()));
    }

    @Test
    void groupsAndRoutes() {
        Prompt p = new Prompt(null, new int[] {0, 1, 2, 3, 4, 5, 6}, 1, 4);
        assertArrayEquals(new int[] {1, 2, 3}, TokenGroup.SUBJECT.tokens(p));
        assertArrayEquals(new int[] {1, 2}, TokenGroup.SUBJECT_FIRST.tokens(p));
        assertArrayEquals(new int[] {3}, TokenGroup.SUBJECT_LAST.tokens(p));
        assertArrayEquals(new int[] {0, 4, 5}, TokenGroup.NON_SUBJECT.tokens(p));
        assertArrayEquals(new int[] {4, 5}, TokenGroup.AFTER.tokens(p));
        assertEquals(7, TokenGroup.PARTS.stream().mapToInt(g -> g.tokens(p).length).sum());
        assertEquals(9, Route.from(TokenGroup.SUBJECT).edges(p).size());
        assertEquals(6, Route.from(TokenGroup.NON_SUBJECT).edges(p).size(), "0 to the subject's three, all three to the last");
        assertTrue(Route.from(TokenGroup.PROMPT_LAST).edges(p).has(6, 6));
        assertEquals(10, Route.flows().size());
        Prompt subjectOnly = new Prompt(null, new int[] {7}, 0, 1);
        assertTrue(Route.from(TokenGroup.SUBJECT).edges(subjectOnly).isEmpty());
    }

    /** Where a prompt has no such edge there is no number, and the others are averaged. */
    @Test
    void missingGroupsAreLeftOut() {
        Known k = facts.get(0);
        Prompt bare = new Prompt(null, Arrays.copyOfRange(k.prompt().ids(), k.prompt().subjectStart(), k.prompt().length()), 0,
                k.prompt().subjectEnd() - k.prompt().subjectStart());
        KnockoutCurves curves = Knockout.of(mamba).along(List.of(Route.from(TokenGroup.BEFORE)))
                .over(List.of(k, new Known(k.fact(), bare, k.answer())), Runner.silent());
        assertEquals(1, curves.at(TokenGroup.BEFORE, 5).n());
        assertTrue(Double.isNaN(curves.changes()[1][0][5]));
    }

    @Test
    void meansOverDocuments() {
        MeanActivations two = MeanActivations.of(mamba, List.of(new int[] {1, 2}, new int[] {3}), Runner.silent(), ScanPoints.IN_X);
        Pass a = mamba.run(1, 2);
        Pass b = mamba.run(3);
        float[] mean = two.get(2, ScanPoints.IN_X);
        for (int i = 0; i < mean.length; i++) {
            float ofA = (a.get(new Site(2, ScanPoints.IN_X, 0))[i] + a.get(new Site(2, ScanPoints.IN_X, 1))[i]) / 2;
            assertEquals((ofA + b.get(new Site(2, ScanPoints.IN_X, 0))[i]) / 2, mean[i], 1e-5);
        }
        assertThrows(IllegalArgumentException.class, () -> two.get(2, ScanPoints.DELTA));
        assertThrows(IllegalArgumentException.class, () -> MeanActivations.of(mamba, List.of(), ScanPoints.IN_X));
        assertThrows(BadRequest.class, () -> MeanActivations.of(mamba, List.of(new int[0]), ScanPoints.IN_X));
        assertArrayEquals(MeanActivations.documents(mamba, 3, 7).get(2), MeanActivations.documents(mamba, 3, 7).get(2));
    }

    @Test
    void hiddenAttentionAddsUp() {
        Prompt p = facts.get(0).prompt();
        for (LanguageModel model : List.of(mamba, neox)) {
            HiddenAttention h = HiddenAttention.of(model, p, 5);
            for (int t = 0; t < p.length(); t++) {
                double sum = h.skip()[t];
                for (int s = 0; s <= t; s++) {
                    sum += h.share()[t][s];
                }
                assertEquals(1, sum, 1e-4, "row " + t);
            }
        }
        HiddenAttention h = HiddenAttention.of(mamba, p, 5);
        assertTrue(h.residue() < 1e-5);
        assertEquals(0, h.norms("conv")[p.length() - 1][0], "beyond the taps");
        assertThrows(IllegalArgumentException.class, () -> HiddenAttention.of(neox, p, 5).norms("attention"));
        assertThrows(IllegalArgumentException.class, () -> HiddenAttention.of(neox, p, neox.layers()));
        Slider all = HiddenAttention.slider(mamba, p);
        assertEquals("tiny-mamba: share of y, layer 5", all.at(5).title());
        assertEquals(mamba.layers() * p.length() * p.length(), all.table().rowCount());
        int last = p.length() - 1;
        assertEquals(h.share()[last][2], all.table().row((5 * p.length() + last) * p.length() + 2).getDouble("value"));
    }

    @Test
    void oneThreadAndTwoGiveTheSame() {
        int threads = Parallel.threads();
        try {
            Parallel.setThreads(1);
            double[][][] one = Knockout.of(mamba).edges().over(facts, Runner.silent()).changes();
            Parallel.setThreads(2);
            double[][][] two = Knockout.of(mamba).edges().over(facts, Runner.silent()).changes();
            for (int i = 0; i < one.length; i++) {
                for (int r = 0; r < one[i].length; r++) {
                    Golden.same("one thread as two", floats(one[i][r]), floats(two[i][r]));
                }
            }
        } finally {
            Parallel.setThreads(threads);
        }
    }

    private static float[] floats(double[] values) {
        float[] all = new float[values.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = (float) values[i];
        }
        return all;
    }

    /** With delta held nothing of the subject gets through, in attention nothing anyway; a cut of the scan alone leaves more than both. */
    @Test
    void theRemainder() {
        Remainder r = Remainder.of(mamba, known.pairs(5, 1), means, Runner.silent());
        assertTrue(r.distance("convolution and scan").mean() < r.distance("nothing").mean());
        assertTrue(r.distance("convolution and scan").mean() > 1e-6);
        assertEquals(0, r.distance("convolution and scan, delta held").mean(), 1e-5);
        assertTrue(r.distance("scan").mean() > r.distance("convolution and scan").mean());
        assertEquals(List.of("nothing", "convolution", "scan", "convolution and scan"),
                Remainder.of(mamba, known.pairs(5, 1), Runner.silent()).cuts());
        assertEquals(0, Remainder.of(neox, known.pairs(5, 1), Runner.silent()).distance("attention").mean(), 1e-5);
        assertThrows(BadRequest.class, () -> Remainder.of(neox, known.pairs(5, 1), means));
        assertThrows(BadRequest.class, () -> r.distance("attention"));
    }

    @Test
    void hiddenAttentionIsRead() {
        Prompt prompt = facts.get(0).prompt();
        HiddenAttention weights = HiddenAttention.of(neox, prompt, 2);
        int last = prompt.length() - 1;
        int most = IntStream.rangeClosed(0, last).boxed().max(Comparator.comparingDouble(s -> weights.share()[last][s]))
                .orElseThrow();
        String word = neox.requireTokenizer().token(prompt.ids()[most]).strip();
        String share = String.format(Locale.ROOT, "%.2f", weights.share()[last][most]);
        assertTrue(weights.summary().contains("reads most of '" + word + "' (" + share), weights.summary());
        assertTrue(HiddenAttention.of(mamba, prompt, 5).summary().contains("Cutting one of its edges"), "terms are cut, too");
        assertTrue(HiddenAttention.heads(neox, prompt, 2).title().startsWith("tiny-neox, layer 2: head 0 | head 1 | head 2 | head 3"));
        assertThrows(BadRequest.class, () -> HiddenAttention.heads(mamba, prompt, 2));
        assertThrows(BadRequest.class, () -> HiddenAttention.heads(neox, prompt, 6));
    }
}
