package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import lab.recall.Golden;
import lab.recall.checkpoint.Tensor;
import lab.recall.math.Parallel;
import lab.recall.model.block.AttentionPoints;
import lab.recall.model.block.Cuts;
import lab.recall.model.block.ScanPoints;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Interventions by forks and by plain passes, against goldens and against each other. */
class InterventionTest {
    static List<String> cases() {
        return Golden.WITH_INTERVENTIONS;
    }

    private static float[] floats(double[] x) {
        float[] f = new float[x.length];
        for (int i = 0; i < f.length; i++) {
            f[i] = (float) x[i];
        }
        return f;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void interchangeOfTheResidualStream(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Map<String, Tensor> g = Golden.values(name, "interventions");
        Pass clean = model.run(Golden.ids(g.get("clean_ids"), 0));
        Pass corrupt = model.run(Golden.ids(g.get("corrupt_ids"), 0));
        check(model, corrupt, clean, g.get("ie_logits"));
        check(model, clean, corrupt, g.get("reverse_ie_logits"));
        Forks embed = model.forks();
        Pass cleanEmbed = model.run(clean.ids(), Recording.points(HookPoint.EMBED));
        for (int t = 0; t < clean.length(); t++) {
            embed.add(corrupt, Intervention.patch(new Site(0, HookPoint.EMBED, t), cleanEmbed));
        }
        double[] expected = g.get("ie_embed_logits").doubles();
        float[][] logits = embed.logits();
        for (int t = 0; t < logits.length; t++) {
            Golden.close("embed@" + t, logits[t], Golden.slice(g.get("ie_embed_logits"), t), Golden.largest(expected));
        }
    }

    private static void check(LanguageModel model, Pass base, Pass from, Tensor golden) {
        Forks forks = model.forks();
        for (int l = 0; l < model.layers(); l++) {
            for (int t = 0; t < base.length(); t++) {
                forks.add(base, Intervention.patch(new Site(l, HookPoint.RESID_POST, t), from));
            }
        }
        float[][] logits = forks.logits();
        double[] all = golden.doubles();
        int v = model.vocabulary();
        for (int i = 0; i < logits.length; i++) {
            Golden.close("fork " + i, logits[i], Arrays.copyOfRange(all, i * v, (i + 1) * v), Golden.largest(all));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void noiseOnTheSubject(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Map<String, Tensor> g = Golden.values(name, "interventions");
        Pass clean = model.run(Golden.ids(g.get("clean_ids"), 0));
        int answer = clean.argmax();
        int d = model.width();
        double[][] sum = new double[model.layers()][clean.length()];
        for (int sample = 0; sample < 3; sample++) {
            float[] noise = floats(Golden.slice(g.get("noise"), sample));
            List<Intervention> add = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                add.add(Intervention.add(new Site(0, HookPoint.EMBED, 2 + i), Arrays.copyOfRange(noise, i * d, (i + 1) * d)));
            }
            Pass noisy = model.run(clean.ids(), Recording.states(), add);
            Golden.probability("noisy", noisy.probability(answer), g.get("noise_p_corrupt").doubles()[sample]);
            Forks forks = model.forks();
            for (int l = 0; l < model.layers(); l++) {
                for (int t = 0; t < clean.length(); t++) {
                    forks.add(noisy, Intervention.patch(new Site(l, HookPoint.RESID_POST, t), clean));
                }
            }
            double[] p = forks.probabilities(answer);
            for (int i = 0; i < p.length; i++) {
                sum[i / clean.length()][i % clean.length()] += p[i] / 3;
            }
        }
        double[] expected = g.get("noise_ie_p").doubles();
        for (int i = 0; i < expected.length; i++) {
            Golden.probability("noise_ie_p " + i, sum[i / clean.length()][i % clean.length()], expected[i]);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void steeringAndAblation(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Map<String, Tensor> g = Golden.values(name, "interventions");
        int[] ids = Golden.ids(g.get("clean_ids"), 0);
        int middle = model.layers() / 2;
        float[] steer = floats(g.get("steer_vector").doubles());
        for (int i = 0; i < steer.length; i++) {
            steer[i] *= 2;
        }
        HookPoint out = model.mixing().decaying().isPresent() ? ScanPoints.OUT : AttentionPoints.MLP_OUT;
        Pass plain = model.run(ids, Recording.points(out));
        logits(model, ids, g.get("steer_all_logits"), Intervention.add(Site.everywhere(middle, HookPoint.RESID_POST), steer));
        logits(model, ids, g.get("steer_tok4_logits"), Intervention.add(new Site(middle, HookPoint.RESID_POST, 4), steer));
        logits(model, ids, g.get("zero_ablate_logits"), Intervention.zero(Site.everywhere(middle, out), model.width()));
        logits(model, ids, g.get("mean_ablate_logits"), Intervention.mean(Site.everywhere(middle, out), plain));
    }

    private static void logits(LanguageModel model, int[] ids, Tensor golden, Intervention change) {
        Pass pass = model.run(ids, Recording.of("logits"), change);
        Golden.close(golden.name(), pass.activation(0, HookPoint.LOGITS).values(), golden.doubles());
        Pass forked = model.forks().add(model.run(ids), change).passes(Recording.nothing()).get(0);
        assertArrayEquals(pass.logits(), forked.logits(), 1e-5f, golden.name() + " by a fork");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void logitLens(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Map<String, Tensor> g = Golden.values(name, "interventions");
        Pass clean = model.run(Golden.ids(g.get("clean_ids"), 0));
        double[] all = g.get("logit_lens").doubles();
        int v = model.vocabulary();
        for (int l = 0; l < model.layers(); l++) {
            for (int t = 0; t < clean.length(); t++) {
                int at = (l * clean.length() + t) * v;
                Golden.close("lens", model.logitLens(clean.get(new Site(l, HookPoint.RESID_POST, t)))[0],
                        Arrays.copyOfRange(all, at, at + v), Golden.largest(all));
            }
        }
    }

    /** Random sets of interventions: a fork equals the plain pass, alone or with others, with one thread or two. */
    @ParameterizedTest
    @MethodSource("cases")
    void forksEqualPlainPasses(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Random random = new Random(7);
        Pass base = model.run(ids(random, model, 9));
        List<HookPoint> points = model.points().stream().filter(HookPoint::isPerToken).toList();
        List<List<Intervention>> sets = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            List<Intervention> set = new ArrayList<>();
            for (int k = 0; k <= random.nextInt(4); k++) {
                HookPoint p = points.get(random.nextInt(points.size()));
                Site site = new Site(p.isGlobal() ? 0 : random.nextInt(model.layers()), p,
                        random.nextInt(6) == 0 ? Site.ALL : random.nextInt(9));
                float[] vector = new float[model.width(p)];
                for (int j = 0; j < vector.length; j++) {
                    vector[j] = (float) random.nextGaussian() * 0.3f + (p == ScanPoints.DELTA ? 2 : 0);
                }
                set.add(random.nextBoolean() ? Intervention.add(site, vector) : Intervention.set(site, vector));
            }
            for (int k = random.nextInt(4); k > 0; k--) {
                Intervention cut = cut(model, random, 9);       // not where a memory is changed: that is refused
                if (set.stream().noneMatch(c -> c.site().point().isState() && c.site().layer() == cut.site().layer())) {
                    set.add(cut);
                }
            }
            sets.add(set);
        }
        Forks together = model.forks();
        sets.forEach(s -> together.add(base, s));
        float[][] forked = together.logits();
        assertEquals(together.plannedRows(), together.rows(), "rows planned and computed");
        int threads = Parallel.threads();
        for (int i = 0; i < sets.size(); i++) {
            assertArrayEquals(model.run(base.ids(), Recording.nothing(), sets.get(i)).logits(), forked[i], 2e-4f, "set " + sets.get(i));
            Parallel.setThreads(1 + i % 2);
            float[] alone = model.forks().add(base, sets.get(i)).logits()[0];
            Parallel.setThreads(threads);
            Golden.same("alone as together", alone, forked[i]);
        }
    }

    private static Intervention cut(LanguageModel model, Random random, int tokens) {
        List<int[]> edges = new ArrayList<>();
        for (int k = random.nextInt(12); k > 0; k--) {
            int target = 1 + random.nextInt(tokens - 1);
            edges.add(new int[] {random.nextInt(model.mixing().decaying().isPresent() ? target + 1 : target), target});
        }
        int layer = random.nextInt(model.layers());
        if (model.mixing().decaying().isPresent()) {
            return random.nextBoolean() ? Cuts.conv(layer, Edges.of(edges)) : Cuts.scan(layer, Edges.of(edges));
        }
        return random.nextBoolean() ? Cuts.attention(layer, Edges.of(edges))
                : Cuts.attention(layer, Edges.of(edges), random.nextInt(model.heads(AttentionPoints.Q)));
    }

    @Test
    void aForkOfAChangedPassKeepsItsChanges() {
        LanguageModel model = LanguageModel.open(Golden.folder("mamba-a-f32"));
        int[] ids = ids(new Random(3), model, 8);
        float[] v = new float[model.width()];
        Arrays.fill(v, 0.5f);
        Intervention first = Intervention.add(new Site(1, HookPoint.RESID_POST, 3), v);
        Intervention second = Intervention.add(new Site(2, HookPoint.RESID_POST, 5), v);
        Intervention early = Intervention.add(new Site(0, ScanPoints.OUT, 2), v);
        Pass changed = model.run(ids, Recording.states(), first);
        assertArrayEquals(model.run(ids, Recording.nothing(), first, second).logits(),
                model.forks().add(changed, second).logits()[0], 1e-5f);
        assertArrayEquals(model.run(ids, Recording.nothing(), first, early).logits(), model.forks().add(changed, early).logits()[0], 1e-5f);
        Intervention cut = Cuts.scan(2, Edges.toLater(new int[] {2, 3}, ids.length));
        Intervention more = Cuts.scan(2, Edges.of(1, 6));
        Pass withCut = model.run(ids, Recording.states(), cut);
        for (Intervention later : List.of(early, second, more)) {
            assertArrayEquals(model.run(ids, Recording.nothing(), cut, later).logits(),
                    model.forks().add(withCut, later).logits()[0], 1e-5f);
        }
    }

    private static int[] ids(Random random, LanguageModel model, int tokens) {
        return random.ints(tokens, 0, model.vocabulary()).toArray();
    }
}
