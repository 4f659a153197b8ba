package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import lab.recall.Golden;
import lab.recall.checkpoint.Tensor;
import lab.recall.model.block.Cuts;
import lab.recall.model.block.ScanPoints;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Cut edges: goldens, what must stay the same, and what must not get through. */
class CutEdgesTest {
    static List<String> cases() {
        return Golden.WITH_INTERVENTIONS;
    }

    private static Edges edges(Tensor t) {
        long[] flat = t.longs();
        List<int[]> pairs = new ArrayList<>();
        for (int i = 0; i < flat.length; i += 2) {
            pairs.add(new int[] {(int) flat[i], (int) flat[i + 1]});
        }
        return Edges.of(pairs);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void goldens(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Map<String, Tensor> g = Golden.values(name, "edges");
        int[] ids = Golden.ids(g.get("input_ids"), 0);
        long[] layers = g.get("layers").longs();
        Pass base = model.run(ids);
        int checked = 0;
        for (String key : g.keySet()) {
            String set = key.substring(0, Math.max(0, key.indexOf('.')));
            if (!g.containsKey("edges." + set)) {
                continue;
            }
            Edges edges = edges(g.get("edges." + set));
            List<Intervention> cuts = new ArrayList<>();
            for (int l = (int) layers[0]; l <= layers[1]; l++) {
                cuts.addAll(switch (key.substring(set.length() + 1)) {
                    case "scan" -> List.of(Cuts.scan(l, edges));
                    case "conv" -> List.of(Cuts.conv(l, edges));
                    default -> Intervention.cut(model, l, l, edges);
                });
            }
            double[] expected = g.get(key).doubles();
            Pass whole = model.run(ids, Recording.of("logits"), cuts);
            Golden.close(key, whole.activation(0, HookPoint.LOGITS).values(), expected);
            float[] last = model.forks().add(base, cuts).logits()[0];
            Golden.close(key + " by a fork", last, Arrays.copyOfRange(expected, expected.length - last.length, expected.length),
                    Golden.largest(expected));
            checked++;
        }
        assertEquals(model.mixing().decaying().isPresent() ? 15 : 4, checked);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void nothingCutChangesNothing(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Pass base = model.run(ids(1, model, 8));
        assertTrue(Intervention.cut(model, 0, model.layers() - 1, Edges.none()).isEmpty());
        Intervention none = model.mixing().decaying().isPresent() ? Cuts.scan(1, Edges.none()) : Cuts.attention(1, Edges.none());
        assertArrayEquals(base.logits(), model.run(base.ids(), Recording.nothing(), none).logits());
        Golden.same("a fork", base.logits(), model.forks().add(base, none).logits()[0]);
    }

    /** With every edge from tokens 0..m to later ones cut in all layers, those tokens cannot be told apart behind m. */
    @ParameterizedTest
    @MethodSource("cases")
    void whatIsCutFromThePrefixDoesNotLeak(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        for (int m : new int[] {0, 2, 6}) {
            int[] one = ids(1, model, 9);
            int[] other = one.clone();
            System.arraycopy(ids(2, model, m + 1), 0, other, 0, m + 1);
            List<Intervention> cuts = Intervention.cut(model, 0, model.layers() - 1,
                    Edges.toLater(IntStream.rangeClosed(0, m).toArray(), 9));
            float[] a = model.run(one, Recording.of("logits"), cuts).activation(0, HookPoint.LOGITS).values();
            float[] b = model.run(other, Recording.of("logits"), cuts).activation(0, HookPoint.LOGITS).values();
            int behind = (m + 1) * model.vocabulary();
            Golden.same("behind " + m, Arrays.copyOfRange(a, behind, a.length), Arrays.copyOfRange(b, behind, b.length));
            assertFalse(Arrays.equals(Arrays.copyOf(a, behind), Arrays.copyOf(b, behind)));
        }
    }

    /** In mid-prompt the scan lets other tokens' terms decay by the cut tokens' own delta: it leaks unless that is held. */
    @ParameterizedTest
    @MethodSource("cases")
    void theRemainderOfASetInMidPrompt(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        int[] one = ids(3, model, 9);
        int[] other = one.clone();
        System.arraycopy(ids(4, model, 3), 0, other, 3, 3);
        Edges edges = Edges.toLater(new int[] {3, 4, 5}, 9);
        List<Intervention> cuts = Intervention.cut(model, 0, model.layers() - 1, edges);
        float[] whole = model.run(other).logits();
        float[] a = model.forks().add(model.run(one), cuts).logits()[0];
        float[] b = model.forks().add(model.run(other), cuts).logits()[0];
        if (model.mixing().decaying().isEmpty()) {
            Golden.same("no decay in attention", a, b);
            return;
        }
        double leak = distance(a, b);
        assertTrue(leak > 1e-4, "remainder " + leak);
        assertTrue(leak < distance(model.run(one).logits(), whole), "remainder " + leak);
        List<Intervention> held = new ArrayList<>();
        for (int l = 0; l < model.layers(); l++) {
            float[] delta = new float[model.width(ScanPoints.DELTA)];
            Arrays.fill(delta, 0.1f);
            held.add(Cuts.conv(l, edges));
            held.add(Cuts.scan(l, edges, delta));
        }
        Golden.same("with delta held", model.run(one, Recording.nothing(), held).logits(),
                model.run(other, Recording.nothing(), held).logits());
        float[] forked = model.forks().add(model.run(one), held).logits()[0];
        assertArrayEquals(model.run(one, Recording.nothing(), held).logits(), forked, 2e-4f);
        Golden.same("with delta held, forked", forked, model.forks().add(model.run(other), held).logits()[0]);
    }

    /** Held at the values that the tokens have anyway, delta changes nothing. */
    @ParameterizedTest
    @MethodSource("scanning")
    void deltaHeldAtItsOwnValue(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Pass base = model.run(ids(5, model, 8));
        Edges edges = Edges.between(new int[] {3}, new int[] {5, 7});
        float[] own = base.get(new Site(2, ScanPoints.DELTA, 3));
        assertArrayEquals(model.forks().add(base, Cuts.scan(2, edges)).logits()[0],
                model.forks().add(base, Cuts.scan(2, edges, own)).logits()[0], 1e-5f);
    }

    static List<String> scanning() {
        return Golden.WITH_INTERVENTIONS.stream().filter(Golden::scans).toList();
    }

    @ParameterizedTest
    @MethodSource("scanning")
    void scanTermsAddUpToY(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Map<String, Tensor> g = Golden.values(name, "edges");
        int[] ids = Golden.ids(g.get("input_ids"), 0);
        Pass pass = model.run(ids, Recording.all());
        double[] norms = g.get("scan_term_norm").doubles();
        int inner = model.width(ScanPoints.Y);
        Terms ofConv = model.mixing().mixers().get(0).terms().orElseThrow();
        Terms ofScan = model.mixing().mixers().get(1).terms().orElseThrow();
        for (int l = 0; l < model.layers(); l++) {
            for (int t = 0; t < ids.length; t++) {
                float[] y = pass.get(new Site(l, ScanPoints.Y, t));
                float[] conv = pass.get(new Site(l, ScanPoints.CONV, t));
                int width = conv.length;
                double[] sum = new double[inner];
                double[] taps = new double[width];
                add(sum, ofScan.rest(pass, l, t));
                add(taps, ofConv.rest(pass, l, t));
                for (int s = 0; s <= t; s++) {
                    float[] terms = ofScan.of(pass, l, s);
                    float[] term = Arrays.copyOfRange(terms, (t - s) * inner, (t - s + 1) * inner);
                    double norm = 0;
                    for (float v : term) {
                        norm += v * v;
                    }
                    double golden = norms[(l * ids.length + t) * ids.length + s];
                    assertEquals(golden, Math.sqrt(norm), 1e-4 * Math.max(1, golden));
                    add(sum, term);
                    add(taps, Arrays.copyOfRange(ofConv.of(pass, l, s), (t - s) * width, (t - s + 1) * width));
                }
                for (int e = 0; e < inner; e++) {
                    assertEquals(y[e], sum[e], 1e-4 * Math.max(1, Math.abs(y[e])));
                }
                for (int e = 0; e < width; e++) {
                    assertEquals(conv[e], taps[e], 1e-4 * Math.max(1, Math.abs(conv[e])));
                }
            }
        }
    }

    private static void add(double[] sum, float[] term) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += term[i];
        }
    }

    @Test
    void setsOfEdges() {
        Edges later = Edges.toLater(new int[] {1, 2}, 5);
        assertEquals(4, later.size());
        assertEquals(1, later.groups().size(), "one set of sources");
        assertTrue(later.has(2, 4) && !later.has(1, 2) && !later.has(4, 4) && !later.has(0, 9));
        assertEquals(3, later.firstTarget());
        List<int[]> all = new ArrayList<>();
        for (int t = 0; t < 6; t++) {
            for (int s = 0; s <= t; s++) {
                all.add(new int[] {s, t});
            }
        }
        assertEquals(1, Edges.of(all).groups().size(), "everything is one set, as far as each target can see");
        assertEquals(2, Edges.of(0, 3).and(Edges.of(1, 4)).groups().size());
        assertEquals(3, Edges.between(new int[] {0, 2}, new int[] {1, 2}).size());
        assertEquals(1, Edges.of(0, 3).and(Edges.of(0, 3)).size());
    }

    /** A cut through what no layer has. */
    private record Elsewhere(Site site, Edges edges) implements Intervention.Cut {
    }

    @Test
    void badCutsAreOneSentence() {
        LanguageModel mamba = LanguageModel.open(Golden.folder("mamba-a-f32"));
        LanguageModel neox = LanguageModel.open(Golden.folder("neox-a-f32"));
        Pass base = mamba.run(1, 2, 3);
        Pass other = neox.run(1, 2, 3);
        refused("edge [2, 1]", () -> Edges.of(2, 1));
        refused("edge [-1, 1]", () -> Edges.of(-1, 1));
        Edges beyond = Edges.between(new int[] {1}, new int[] {2, 3});
        refused("token 3, the tokens are 0 to 2", () -> mamba.forks().add(base, Cuts.scan(0, beyond)).logits());
        refused("from 0 to 3", () -> mamba.forks().add(base, Cuts.scan(4, Edges.of(0, 1))).logits());
        refused("attn_ctx is no hook point of Mamba", () -> mamba.forks().add(base, Cuts.attention(0, Edges.of(0, 1))).logits());
        refused("conv is no hook point of GPT-NeoX", () -> neox.forks().add(other, Cuts.conv(0, Edges.of(0, 1))).logits());
        refused("head 4, expected", () -> neox.forks().add(other, Cuts.attention(0, Edges.of(0, 1), 4)).logits());
        refused("token 1 would attend to nothing", () -> neox.forks().add(other, Cuts.attention(0, Edges.of(0, 1)),
                Cuts.attention(0, Edges.of(1, 1), 2)).logits());
        refused("the vector has 3 numbers", () -> mamba.forks().add(base, Cuts.scan(0, Edges.of(0, 1), new float[3])).logits());
        float[] delta = new float[mamba.width(ScanPoints.DELTA)];
        refused("passes over no other token", () -> mamba.forks().add(base, Cuts.scan(0, Edges.of(1, 1), delta)).logits());
        refused("the same vector", () -> mamba.forks().add(base, Cuts.scan(0, Edges.of(0, 1), delta),
                Cuts.scan(0, Edges.of(0, 2))).logits());
        refused("edges are cut at conv or y", () -> mamba.forks().add(base, new Elsewhere(new Site(0, ScanPoints.OUT, 1), Edges.of(0, 1)))
                .logits());
        Pass cut = mamba.run(base.ids(), Recording.gradients(), Cuts.scan(0, Edges.of(0, 1)));
        refused("gradients do not go through", () -> Gradients.of(cut, 1, Recording.points(ScanPoints.OUT)));
        refused("gradients do not go through", () -> Jacobian.of(cut, 1, 1));
    }

    private static void refused(String why, Runnable work) {
        String said = assertThrows(IllegalArgumentException.class, work::run).getMessage();
        assertTrue(said.contains(why) && !said.contains("\n"), said);
    }

    private static double distance(float[] a, float[] b) {
        double most = 0;
        for (int i = 0; i < a.length; i++) {
            most = Math.max(most, Math.abs(a[i] - b[i]));
        }
        return most;
    }

    private static int[] ids(long seed, LanguageModel model, int tokens) {
        return new Random(seed).ints(tokens, 0, model.vocabulary()).toArray();
    }
}
