package lab.recall.model.retention;

import static lab.recall.model.retention.RetentionFixture.arrays;
import static lab.recall.model.retention.RetentionFixture.ask;
import static lab.recall.model.retention.RetentionFixture.flat;
import static lab.recall.model.retention.RetentionFixture.near;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.math.PackedMatrixTest;
import lab.recall.model.Architectures;
import lab.recall.model.Edges;
import lab.recall.model.Gradients;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.model.Terms;
import lab.recall.model.block.Cuts;
import lab.recall.model.block.ScanPoints;
import lab.recall.study.NamedArray;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A family of the tests alone runs as the two of the house do: values, changes, forks, cuts and gradients are those of a dense model. */
class RetentionTest {
    private static final int[] IDS = {3, 1, 12, 7, 7, 0, 5};
    private static final String EDIT = "'layer':1,'matrix':'MATRIX','prompt':{'ids':[3,1,12]},'subject_last':1,'prefixes':[{'ids':[]}],"
            + "'target':[4],'kl_prompt':{'ids':[1]},'kl_pos':0,'covariance':'identity','hyperparameters':{'steps':2,'lr':0.1,"
            + "'weight_decay':0.5,'kl_factor':0.1,'clamp_norm_factor':3,'stop_loss':0}";
    private static final String PROMPT = "'prompt':{'ids':[3,1,12,7,7,0,5]}";

    @TempDir
    static Path dir;
    private static LanguageModel model;
    private static DenseRetention dense;

    @BeforeAll
    static void open() {
        model = RetentionFixture.small(dir.resolve("small"));
        dense = new DenseRetention(model.folder());
    }

    /** Points of a layer that have a value for each token. */
    private static List<HookPoint> replaceable() {
        return model.points().stream().filter(p -> !p.isGlobal() && p.isPerToken()).toList();
    }

    /** Adds a vector at a place. */
    private static DenseRetention.Touch adding(String name, int token, double[] vector) {
        return (at, t, value) -> {
            if (at.equals(name) && t == token) {
                for (int i = 0; i < value.length; i++) {
                    value[i] += vector[i];
                }
            }
        };
    }

    private static DenseRetention.Touch setting(String name, int token, double... vector) {
        return (at, t, value) -> {
            if (at.equals(name) && t == token) {
                System.arraycopy(vector, 0, value, 0, value.length);
            }
        };
    }

    private static DenseRetention.Cut cut(int first, int last, Edges edges) {
        return (layer, source, target) -> layer >= first && layer <= last && edges.has(source, target);
    }

    @Test
    void itIsFoundByItsType() {
        assertEquals("Retention", model.family());
        assertEquals("Retention", Architectures.of("retention").family());
        assertEquals(List.of(), model.warnings());
        assertEquals(dense.weights.values().stream().mapToLong(w -> w.length).sum(), model.parameters());
        assertEquals(Retention.W_WRITE, model.outputMatrix());
        assertTrue(model.mixing().canReadNothing());
    }

    @Test
    void itHasNoTokenizerButItsOwn() {
        assertTrue(RetentionFixture.wide(dir.resolve("wide")).tokenizer().isEmpty());
    }

    @Test
    void everyValueIsTheDenseModels() {
        Pass pass = model.run(IDS, Recording.all());
        dense.values(IDS).forEach((name, expected) -> {
            int dot = name.lastIndexOf('.');
            int layer = dot < 0 ? 0 : Integer.parseInt(name.split("\\.")[1]);
            near(name, flat(expected), pass.values(layer, HookPoint.of(name.substring(dot + 1))));
        });
        near("last", dense.logits(IDS)[IDS.length - 1], pass.logits());
    }

    /** By a request: heads apart, the memory as a matrix of each. */
    @Test
    void activationsHaveTheirNaturalShapes() {
        Map<String, double[][]> expected = dense.values(IDS);
        for (NamedArray a : ask(model, "activations", PROMPT + ",'points':['*']").arrays()) {
            double[][] rows = expected.get(a.name());
            double[] inOrder = flat(rows);
            if (a.shape().length == 3 && !a.name().endsWith("memory")) {
                int heads = (int) a.shape()[0];
                int width = (int) a.shape()[2];
                assertArrayEquals(new long[] {2, IDS.length, rows[0].length / 2}, a.shape(), a.name());
                for (int i = 0; i < inOrder.length; i++) {
                    inOrder[i] = rows[i / width % IDS.length][i / width / IDS.length * width + i % width];
                }
                assertEquals(2, heads);
            }
            near(a.name(), inOrder, a.values());
        }
        assertArrayEquals(new long[] {2, 3, 2}, model.run(IDS, Recording.points(RetentionPoints.MEMORY))
                .activation(1, RetentionPoints.MEMORY).shape());
    }

    /** A value changed at every point: in a whole run by request, and in a fork. */
    @Test
    void changedValues() {
        Pass base = model.run(IDS);
        for (HookPoint p : replaceable()) {
            float[] vector = new float[model.width(p)];
            Arrays.fill(vector, 0.5f);
            double[] half = new double[vector.length];
            Arrays.fill(half, 0.5);
            String name = p.name(1);
            String at = PROMPT + ",'points':['logits'],'interventions':[{'at':'" + name + "','token':2,";
            double[][] added = dense.run(IDS, adding(name, 2, half), DenseRetention.NO_EDGE);
            near(name, flat(added), arrays(ask(model, "activations", at + "'add':" + Arrays.toString(vector) + "}]")).get("logits"));
            double[][] zero = dense.run(IDS, setting(name, 2, new double[half.length]), DenseRetention.NO_EDGE);
            near(name, flat(zero), arrays(ask(model, "activations", at + "'zero':true}]")).get("logits"));
            double[][] set = dense.run(IDS, setting(name, 2, half), DenseRetention.NO_EDGE);
            near("fork at " + name, set[IDS.length - 1], model.forks().add(base, Intervention.set(new Site(1, p, 2), vector)).logits()[0]);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"[[0,2]]", "[[3,3]]", "[[0,6],[1,6],[2,6],[3,6],[4,6],[5,6],[6,6]]", "[[2,3],[2,6],[5,6],[0,1],[1,1]]"})
    void cutEdges(String edges) {
        List<int[]> pairs = new ArrayList<>();
        for (String pair : edges.substring(2, edges.length() - 2).split("\\],\\[")) {
            pairs.add(Arrays.stream(pair.split(",")).mapToInt(Integer::parseInt).toArray());
        }
        Edges all = Edges.of(pairs);
        double[][] expected = dense.run(IDS, DenseRetention.NOTHING, cut(1, 2, all));
        near(edges, flat(expected), arrays(ask(model, "edges",
                PROMPT + ",'layers':[1,2],'cut':'retention','edges':" + edges)).get("logits"));
        near("fork", expected[IDS.length - 1], model.forks().add(model.run(IDS), Intervention.cut(model, 1, 2, all)).logits()[0]);
    }

    @Test
    void termsAddUpToMix() {
        float[] norms = arrays(ask(model, "edges", PROMPT + ",'layers':[0,0],'cut':'retention','edges':[],'term_norms':true"))
                .get("retention_term_norm");
        int n = IDS.length;
        Terms terms = model.mixing().summing().orElseThrow().terms().orElseThrow();
        Pass pass = model.run(IDS, terms.recording());
        Map<String, double[][]> values = dense.values(IDS);
        for (int l = 0; l < model.layers(); l++) {
            near("norms", flat(dense.termNorms(l, IDS)), Arrays.copyOfRange(norms, l * n * n, (l + 1) * n * n));
            double[][] sum = new double[n][model.width(terms.sum())];
            for (int s = 0; s < n; s++) {
                float[] of = terms.of(pass, l, s);
                for (int t = s; t < n; t++) {
                    float[] term = Arrays.copyOfRange(of, (t - s) * sum[t].length, (t - s + 1) * sum[t].length);
                    near("term " + s + " " + t, dense.term(l, values, s, t), term);
                    for (int i = 0; i < term.length; i++) {
                        sum[t][i] += term[i] + (s == 0 ? terms.rest(pass, l, t)[i] : 0);
                    }
                }
            }
            assertArrayEquals(flat(values.get("layers." + l + ".mix")), flat(sum), 1e-5);
        }
    }

    /** Many rows go through a layer in blocks: where one ends, and where a run goes on from another one, never shows. */
    @Test
    void longRunsTheirForksAndContinuations() {
        Assumptions.assumeTrue(PackedMatrixTest.exact(), "without the Vector API sums depend on the rows beside");
        int[] ids = new Random(1).ints(107, 0, model.vocabulary()).toArray();
        Pass whole = model.run(ids);
        near("long", dense.logits(ids)[106], whole.logits());
        for (int first : new int[] {1, 31, 70}) {
            Pass joined = model.run(Arrays.copyOf(ids, first)).then(Arrays.copyOfRange(ids, first, 107));
            assertArrayEquals(whole.logits(), joined.logits());
            assertArrayEquals(whole.values(2, RetentionPoints.KEY), joined.values(2, RetentionPoints.KEY));
        }
        List<Intervention> changes = new ArrayList<>(Intervention.cut(model, 1, 2, Edges.between(new int[] {3, 34}, new int[] {61, 100})));
        changes.add(Intervention.set(new Site(0, RetentionPoints.VALUE, 33), 1, 2, 3, 4));
        Pass changed = model.run(ids, Recording.nothing(), changes);
        assertArrayEquals(changed.logits(), model.forks().add(whole, changes).logits()[0]);
        near("changed", dense.run(ids, setting("layers.0.value", 33, 1, 2, 3, 4),
                cut(1, 2, Edges.between(new int[] {3, 34}, new int[] {61, 100})))[106], changed.logits());
    }

    @Test
    void gradientsAtEveryPoint() {
        List<String> sites = new ArrayList<>();
        for (HookPoint p : replaceable()) {
            for (int l = 0; l < model.layers(); l++) {
                sites.add("[" + l + ",'" + p.id() + "',2]");
                sites.add("[" + l + ",'" + p.id() + "',6]");
            }
        }
        arrays(ask(model, "gradient", PROMPT + ",'target':4,'sites':" + sites)).forEach((name, found) -> {
            String[] at = name.split("@");
            near(name, lossAround(at[0], Integer.parseInt(at[1]), found.length, DenseRetention.NOTHING), found);
        });
    }

    private static double[] lossAround(String name, int token, int width, DenseRetention.Touch before) {
        double[] vector = new double[width];
        return DenseRetention.differences(vector, () -> -DenseRetention.log(dense.run(IDS, (at, t, value) -> {
            adding(name, token, vector).at(at, t, value);
            before.at(at, t, value);
        }, DenseRetention.NO_EDGE)[IDS.length - 1], 4));
    }

    /** Nothing flows back through a value that was replaced. */
    @Test
    void gradientsOfAChangedRun() {
        Pass pass = model.run(IDS, Recording.gradients(), Intervention.set(new Site(1, RetentionPoints.MIX, 6), 1, -1, 2, 0));
        Gradients g = Gradients.of(pass, 4, Recording.points(RetentionPoints.KEY, HookPoint.RESID_POST));
        DenseRetention.Touch set = setting("layers.1.mix", 6, 1, -1, 2, 0);
        near("key", lossAround("layers.1.key", 2, 6, set), g.get(new Site(1, RetentionPoints.KEY, 2)));
        near("stream", lossAround("layers.0.resid_post", 2, 6, set), g.get(new Site(0, HookPoint.RESID_POST, 2)));
    }

    /** d z[i] / d h[j], row after row. */
    private static double[] jacobian(int[] ids, String from, int token) {
        double[] h = new double[model.width()];
        double[][] rows = new double[h.length][];
        for (int i = 0; i < h.length; i++) {
            int row = i;
            rows[i] = DenseRetention.differences(h, () -> dense.values(ids, adding(from, token, h), DenseRetention.NO_EDGE)
                    .get("layers.2.resid_post")[ids.length - 1][row]);
        }
        return flat(rows);
    }

    @Test
    void jacobians() {
        for (String layer : new String[] {"0", "1", "'embed'"}) {
            String from = layer.equals("'embed'") ? "embed" : "layers." + layer + ".resid_post";
            Map<String, float[]> found = arrays(ask(model, "jacobian", PROMPT + ",'layer':" + layer + ",'token':3"));
            near("J", jacobian(IDS, from, 3), found.get("J"));
            near("h", dense.values(IDS).get(from)[3], found.get("h"));
            near("z", dense.values(IDS).get("layers.2.resid_post")[6], found.get("z"));
        }
    }

    @Test
    void aLinearOperatorAndWhatItSays() {
        int[][] samples = {IDS, {2, 9, 4, 11}};
        int[] test = {8, 6, 1};
        int d = model.width();
        double[] w = new double[d * d];
        double[] b = new double[d];
        for (int[] ids : samples) {
            double[] j = jacobian(ids, "layers.1.resid_post", 2);
            double[] h = dense.values(ids).get("layers.1.resid_post")[2];
            double[] z = dense.values(ids).get("layers.2.resid_post")[ids.length - 1];
            for (int i = 0; i < d; i++) {
                b[i] += z[i] / 2;
                for (int k = 0; k < d; k++) {
                    w[i * d + k] += j[i * d + k] / 2;
                    b[i] -= j[i * d + k] * h[k] / 2;
                }
            }
        }
        Map<String, float[]> found = arrays(ask(model, "lre",
                "'samples':[{" + PROMPT + ",'token':2},{'prompt':{'ids':[2,9,4,11]},'token':2}],"
                + "'layer':1,'beta':1.5,'tests':[{'prompt':{'ids':[8,6,1]},'token':1}]"));
        near("W", w, found.get("W"));
        near("b", b, found.get("b"));
        double[] h = dense.values(test).get("layers.1.resid_post")[1];
        double[] z = b.clone();
        for (int i = 0; i < d * d; i++) {
            z[i / d] += 1.5 * w[i] * h[i % d];
        }
        near("logits", dense.head(z), found.get("logits"));
    }

    /** Effects of single values put back, over windows and with another point held. */
    @Test
    void interchange() {
        int[] corrupt = {3, 9, 2, 7, 7, 0, 5};
        String prompts = "'clean':{'ids':[3,1,12,7,7,0,5]},'corrupt':{'ids':[3,9,2,7,7,0,5]},'answer':4,";
        for (String asked : List.of("resid_post 1 -", "put_out 2 -", "mix 3 -", "value 1 -", "resid_post 1 mix", "resid_post 1 put_out")) {
            String[] words = asked.split(" ");
            int window = Integer.parseInt(words[1]);
            boolean held = !words[2].equals("-");
            Map<String, double[][]> from = dense.values(IDS);
            Map<String, double[][]> kept = dense.values(corrupt);
            double[][] p = new double[3][IDS.length];
            for (int l = 0; l < 3; l++) {
                int first = Math.max(0, l - window / 2);
                int end = l + (window + 1) / 2;
                for (int token = 0; token < IDS.length; token++) {
                    int at = token;
                    p[l][token] = Math.exp(DenseRetention.log(dense.run(corrupt, (name, t, value) -> {
                        int layer = name.startsWith("layers") ? Integer.parseInt(name.split("\\.")[1]) : -1;
                        if (t == at && name.endsWith("." + words[0]) && layer >= first && layer < end) {
                            System.arraycopy(from.get(name)[t], 0, value, 0, value.length);
                        } else if (t == at && held && name.endsWith("." + words[2])) {
                            System.arraycopy(kept.get(name)[t], 0, value, 0, value.length);
                        }
                    }, DenseRetention.NO_EDGE)[6], 4));
                }
            }
            Map<String, float[]> found = arrays(ask(model, "interchange", prompts + "'point':'" + words[0] + "','window':" + window
                    + (held ? ",'sever':'" + words[2] + "'" : "")));
            near(asked, flat(p), found.get("p"));
            double clean = Math.exp(DenseRetention.log(dense.logits(IDS)[6], 4));
            double base = Math.exp(DenseRetention.log(dense.logits(corrupt)[6], 4));
            float[] effect = found.get("effect");
            for (int i = 0; i < effect.length; i++) {
                assertEquals((flat(p)[i] - base) / (clean - base), effect[i], 2e-5 / Math.abs(clean - base));
            }
        }
    }

    @Test
    void savedAndOpenedAgain() throws IOException {
        Path saved = dir.resolve("saved");
        model.save(saved);
        LanguageModel again = LanguageModel.open(saved);
        assertArrayEquals(model.run(IDS).logits(), again.run(IDS).logits());
        assertEquals(model.parameters(), again.parameters());
        Path config = saved.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("\"depth\" : 3", "\"depth\" : 4"));
        String said = assertThrows(BadData.class, () -> LanguageModel.open(saved)).getMessage();
        assertTrue(said.contains("'stack.3.scale' is missing"), said);
    }

    /** What another family knows is refused in one sentence. */
    @Test
    void whatItDoesNotHave() {
        refused("y is no hook point of Retention; it has embed, resid_pre, unit,", () -> model.run(IDS, Recording.points(ScanPoints.Y)));
        refused("cut: 'scan', expected retention", () -> ask(model, "edges", PROMPT + ",'layers':[0,1],'edges':[[0,2]],'cut':'scan'"));
        refused("matrix: 'out_proj', expected in.value or out.kernel", () -> ask(model, "rome", EDIT.replace("MATRIX", "out_proj")));
        refused("conv is no hook point of Retention", () -> model.run(IDS, Recording.nothing(), Cuts.conv(0, Edges.of(0, 1))));
        Pass cut = model.run(IDS, Recording.gradients(), Intervention.cut(model, 0, 0, Edges.of(0, 1)));
        refused("gradients do not go through a pass with cut edges", () -> Gradients.of(cut, 1, Recording.nothing()));
    }

    private static void refused(String why, Runnable work) {
        String said = assertThrows(BadRequest.class, work::run).getMessage();
        assertTrue(said.contains(why), said);
    }
}
