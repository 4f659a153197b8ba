package lab.recall.trace;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.Golden;
import lab.recall.checkpoint.Tensor;
import lab.recall.facts.KnownFacts;
import lab.recall.facts.Relations;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.model.block.AttentionPoints;
import lab.recall.model.block.ScanPoints;
import lab.recall.stats.Estimate;
import lab.recall.study.Runner;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class InterchangeTest {
    static List<String> cases() {
        return Golden.WITH_INTERVENTIONS;
    }

    private static void grid(String what, InterchangeGrid grid, Tensor golden) {
        double[] expected = golden.doubles();
        int tokens = grid.p()[0].length;
        for (int i = 0; i < expected.length; i++) {
            Golden.probability(what + " " + i, grid.p()[i / tokens][i % tokens], expected[i]);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void gridsOfTheGoldens(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Map<String, Tensor> g = Golden.values(name, "interventions");
        int[] clean = Golden.ids(g.get("clean_ids"), 0);
        int[] corrupt = Golden.ids(g.get("corrupt_ids"), 0);
        grid("ie_p", Interchange.of(model).run(clean, corrupt), g.get("ie_p"));
        int checked = 0;
        for (String key : g.keySet()) {
            if (key.startsWith("window3_p.")) {
                grid(key, Interchange.of(model).point(HookPoint.of(key.substring(10))).window(3).run(clean, corrupt), g.get(key));
                checked++;
            } else if (key.startsWith("severed_p.")) {
                grid(key, Interchange.of(model).sever(HookPoint.of(key.substring(10))).run(clean, corrupt), g.get(key));
                checked++;
            }
        }
        assertTrue(checked >= 4, "grids checked: " + checked);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void reverseAndNoiseOfTheGoldens(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Map<String, Tensor> g = Golden.values(name, "interventions");
        int[] clean = Golden.ids(g.get("clean_ids"), 0);
        int[] corrupt = Golden.ids(g.get("corrupt_ids"), 0);
        int answer = model.run(clean).argmax();
        InterchangeGrid reverse = Interchange.of(model).reverse().run(clean, corrupt);
        double[] logits = g.get("reverse_ie_logits").doubles();
        int v = model.vocabulary();
        for (int l = 0; l < model.layers(); l++) {
            for (int t = 0; t < clean.length; t++) {
                int at = (l * clean.length + t) * v;
                Golden.probability("reverse " + l + " " + t, reverse.p()[l][t], softmax(Arrays.copyOfRange(logits, at, at + v), answer));
            }
        }
        assertEquals(1, reverse.effect()[model.layers() - 1][clean.length - 1], 1e-5, "all is lost");

        Tensor noise = g.get("noise");
        int samples = (int) noise.shape()[0];
        int tokens = (int) noise.shape()[1];
        float[][][] given = new float[samples][tokens][];
        for (int s = 0; s < samples; s++) {
            for (int t = 0; t < tokens; t++) {
                int at = (s * tokens + t) * model.width();
                given[s][t] = Arrays.copyOfRange(noise.floats(), at, at + model.width());
            }
        }
        InterchangeGrid noisy = Interchange.of(model).run(List.of(new InterchangeCase(clean, clean, null,
                InterchangeCase.everyToken(clean.length), Noise.of(given, 2))), Runner.silent()).get(0);
        grid("noise_ie_p", noisy, g.get("noise_ie_p"));
        Golden.probability("noise", noisy.pCorrupt(), Arrays.stream(g.get("noise_p_corrupt").doubles()).average().orElseThrow());
    }

    private static double softmax(double[] logits, int id) {
        double most = Arrays.stream(logits).max().orElseThrow();
        return Math.exp(logits[id] - most) / Arrays.stream(logits).map(x -> Math.exp(x - most)).sum();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void invariants(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Map<String, Tensor> g = Golden.values(name, "interventions");
        int[] clean = Golden.ids(g.get("clean_ids"), 0);
        int[] corrupt = Golden.ids(g.get("corrupt_ids"), 0);
        InterchangeGrid same = Interchange.of(model).run(corrupt, corrupt);
        for (double[] row : same.p()) {
            for (double p : row) {
                assertEquals(same.pCorrupt(), p, 1e-6, "corrupt values change nothing");
            }
        }
        assertTrue(Double.isNaN(same.effect()[0][0]), "no difference, no ratio");
        InterchangeGrid grid = Interchange.of(model).run(clean, corrupt);
        assertEquals(1, grid.effect()[model.layers() - 1][clean.length - 1], 1e-5, "the last token after the last layer decides");
        Pass cleanPass = model.run(clean);
        Pass corruptPass = model.run(corrupt);
        for (int l = 0; l < model.layers(); l++) {
            List<Intervention> all = new ArrayList<>();
            for (int t = 0; t < clean.length; t++) {
                all.add(Intervention.patch(new Site(l, HookPoint.RESID_POST, t), cleanPass));
            }
            assertArrayEquals(cleanPass.logits(), model.forks().add(corruptPass, all).logits()[0], 1e-5f, "clean values everywhere");
        }
        int last = clean.length - 1;
        int[] all = IntStream.rangeClosed(0, last).toArray();
        InterchangeGrid span = Interchange.of(model).run(List.of(new InterchangeCase(clean, corrupt, null,
                List.of(all, new int[] {last}), null)), Runner.silent()).get(0);
        for (int l = 0; l < model.layers(); l++) {
            assertEquals(1, span.effect()[l][0], 1e-4, "all tokens at once, layer " + l);
            assertEquals(grid.p()[l][last], span.p()[l][1], 1e-6, "a cell of one token");
        }
        Interchange plain = Interchange.of(model);
        plain.sever(model.points().contains(ScanPoints.OUT) ? ScanPoints.Y : AttentionPoints.ATTN_OUT).reverse().window(2);
        assertArrayEquals(grid.p()[1], plain.run(clean, corrupt).p()[1], "settings of others do not change it");
        HookPoint out = model.points().contains(ScanPoints.OUT) ? ScanPoints.OUT : AttentionPoints.MLP_OUT;
        InterchangeGrid blocked = Interchange.of(model).sever(out).run(clean, corrupt);
        assertEquals(1, blocked.effect()[model.layers() - 1][clean.length - 1], 1e-5, "restored behind what is blocked");
        long forked = model.layers() * (long) clean.length * 2 + rowsBy(model, cleanPass, corruptPass);
        assertEquals(forked, grid.rows(), "rows computed");
        assertThrows(IllegalArgumentException.class, () -> Interchange.of(model).run(clean, new int[] {1}));
        assertThrows(IllegalArgumentException.class, () -> Interchange.of(model).point(HookPoint.LOGITS));
        assertThrows(IllegalArgumentException.class, () -> Interchange.of(model).window(0));
        assertThrows(IllegalArgumentException.class, () -> Interchange.of(model).sever(HookPoint.RESID_POST));
    }

    private static long rowsBy(LanguageModel model, Pass clean, Pass corrupt) {
        var forks = model.forks();
        for (int l = 0; l < model.layers(); l++) {
            for (int t = 0; t < clean.length(); t++) {
                forks.add(corrupt, Intervention.patch(new Site(l, HookPoint.RESID_POST, t), clean));
            }
        }
        forks.logits();
        return forks.rows();
    }

    /** The embedded models know their world, and the Mamba shows the two sites; the transformer hands over earlier. */
    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-neox"})
    void embeddedModelsRecallTheirWorld(String name) {
        LanguageModel model = LanguageModel.open(name);
        KnownFacts known = Relations.of(model).knownBy(model);
        assertTrue(known.size() > 400, "known: " + known.size());
        AverageTrace trace = CausalTrace.of(model).residual().over(known.pairs(60, 1), Runner.silent());
        assertEquals(1, trace.at(Position.LAST, model.layers() - 1).mean(), 1e-4);
        assertTrue(trace.at(Position.LAST, 0).mean() < 0.05);
        if (name.equals("tiny-mamba")) {
            int peak = trace.peak(Position.SUBJECT_LAST);
            assertTrue(peak > 1 && peak < model.layers() - 2, "early site after layer " + peak);
            Estimate early = trace.at(Position.SUBJECT_LAST, peak);
            assertTrue(early.mean() > 0.3 && early.low() > 0.1, early + ": over relations, of which there are 12, up to 0.1 is little");
        }
        assertEquals(Position.values().length - 1, trace.byPosition().rowCount(),
                "no subject there has three tokens: a row of none is left out");
        Pass plain = model.run(new int[] {0, 1}, Recording.points(HookPoint.RESID_POST));
        assertEquals(model.layers(), plain.activations().size());
    }
}
