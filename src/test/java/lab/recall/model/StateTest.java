package lab.recall.model;

import static lab.recall.model.HookPoint.RESID_POST;
import static lab.recall.model.block.ScanPoints.SSM_STATE;
import static lab.recall.model.block.ScanPoints.STATE;
import static lab.recall.model.block.ScanPoints.WRITE;
import static lab.recall.model.block.ScanPoints.Y;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import lab.recall.Golden;
import lab.recall.base.BadRequest;
import lab.recall.fuzz.DenseScans;
import lab.recall.model.block.Cuts;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The state of a scan, and what a token writes into it, as points. */
class StateTest {
    private static final int[] IDS = {3, 14, 15, 9, 26, 5, 35, 8, 20};
    private static final int LONG = 150;

    private static LanguageModel open(String name) {
        return LanguageModel.open(Golden.folder(name));
    }

    private static int[] longIds(LanguageModel model) {
        return new Random(4).ints(LONG, 0, model.vocabulary()).toArray();
    }

    private static float[] vector(LanguageModel model, long seed) {
        Random random = new Random(seed);
        float[] v = new float[model.width(STATE)];
        for (int i = 0; i < v.length; i++) {
            v[i] = (float) random.nextGaussian();
        }
        return v;
    }

    private static Site at(int layer, HookPoint point, int token) {
        return new Site(layer, point, token);
    }

    /** Read or put back as it is, the state and what is written change no bit, in the first block of rows and behind it. */
    @ParameterizedTest
    @ValueSource(strings = {"mamba-a-f32", "falcon-a-f32", "mamba2-a-f32", "mamba2-b-bf16"})
    void itsOwnStateChangesNothing(String name) {
        LanguageModel model = open(name);
        int[] ids = longIds(model);
        Recording points = Recording.of("layers.*.y", "layers.*.resid_post").and(Recording.points(SSM_STATE));
        Pass plain = model.run(ids, points);
        Pass read = model.run(ids, points.and(Recording.points(STATE, WRITE)));
        List<Intervention> own = new ArrayList<>();
        for (int token : new int[] {0, 1, 63, 64, 65, 100, 127, 128, 149}) {
            own.add(Intervention.patch(at(1, STATE, token), read));
            own.add(Intervention.patch(at(2, WRITE, token), read));
            own.add(Intervention.readOnly(Intervention.patch(at(0, STATE, token), read)));
            own.add(Intervention.readOnly(Intervention.patch(at(1, WRITE, token), read)));
        }
        Pass put = model.run(ids, points, own);
        for (Pass p : List.of(read, put)) {
            assertArrayEquals(plain.logits(), p.logits());
            for (int l = 0; l < model.layers(); l++) {
                assertArrayEquals(plain.values(l, Y), p.values(l, Y), "y of layer " + l);
                assertArrayEquals(plain.values(l, RESID_POST), p.values(l, RESID_POST), "stream of layer " + l);
                assertArrayEquals(plain.values(l, SSM_STATE), p.values(l, SSM_STATE), "last state of layer " + l);
            }
        }
    }

    /** Their numbers are the dense ones, in the order of the last state's. */
    @ParameterizedTest
    @ValueSource(strings = {"mamba-a-f32", "falcon-a-f32", "mamba2-a-f32", "mamba2-b-bf16"})
    void whatIsRead(String name) {
        LanguageModel model = open(name);
        Pass pass = model.run(IDS, Recording.points(STATE, WRITE, SSM_STATE));
        DenseScans.of(model.folder()).logits(IDS, (point, layer, token, value) -> {
            if (!point.equals("seen")) {
                Golden.close(point + " " + layer + " " + token, pass.get(at(layer, HookPoint.of(point), token)), value);
            }
        });
        for (int l = 0; l < model.layers(); l++) {
            Activation last = pass.activation(l, SSM_STATE);
            assertArrayEquals(last.values(), pass.get(at(l, STATE, IDS.length - 1)));
            Activation all = pass.activation(l, STATE);
            assertEquals(IDS.length, all.shape()[0]);
            assertArrayEquals(last.shape(), Arrays.copyOfRange(all.shape(), 1, all.shape().length));
        }
    }

    /** All channels of one layer's state or write replaced or added to, for all that follows or for the read-out alone. */
    @ParameterizedTest
    @ValueSource(strings = {"mamba-a-f32", "falcon-a-f32", "mamba2-a-f32", "mamba2-b-bf16"})
    void changesEqualDenseOnes(String name) {
        LanguageModel model = open(name);
        DenseScans dense = DenseScans.of(model.folder());
        double[] plain = dense.logits(IDS, (p, l, t, v) -> { });
        Golden.close("plain", model.run(IDS).logits(), plain);
        float[] vector = vector(model, 2);
        for (int layer = 0; layer < model.layers(); layer++) {
            for (int token : new int[] {0, 4, 8}) {
                int here = layer;
                same(model, dense, plain, Intervention.set(at(layer, STATE, token), vector), "state", (v, old) -> put(v, vector));
                same(model, dense, plain, Intervention.add(at(layer, STATE, token), vector), "state", (v, old) -> add(v, vector, 1));
                same(model, dense, plain, Intervention.set(at(layer, WRITE, token), vector), "write", (v, old) -> put(v, vector));
                same(model, dense, plain, Intervention.zero(at(here, WRITE, token), vector.length), "write", (v, old) -> Arrays.fill(v, 0));
                same(model, dense, plain, Intervention.readOnly(Intervention.set(at(layer, STATE, token), vector)), "seen",
                        (v, old) -> put(v, vector));
                same(model, dense, plain, Intervention.readOnly(Intervention.zero(at(layer, WRITE, token), vector.length)), "seen",
                        (v, write) -> {
                            for (int i = 0; i < v.length; i++) {
                                v[i] -= write[i];
                            }
                        });
            }
        }
    }

    private interface Change {
        void make(double[] value, double[] write);
    }

    private static void same(LanguageModel model, DenseScans dense, double[] plain, Intervention change, String name, Change how) {
        Site site = change.site();
        double[][] written = new double[1][];
        double[] expected = dense.logits(IDS, (point, layer, token, value) -> {
            if (layer == site.layer() && token == site.token()) {
                if (point.equals("write")) {
                    written[0] = value.clone();
                }
                if (point.equals(name)) {
                    how.make(value, written[0]);
                }
            }
        });
        Golden.close(change.toString(), model.run(IDS, Recording.nothing(), change).logits(), expected);
        Golden.close("forked " + change, model.forks().add(model.run(IDS), change).logits()[0], expected);
        double moved = 0;
        for (int i = 0; i < plain.length; i++) {
            moved = Math.max(moved, Math.abs(plain[i] - expected[i]));
        }
        boolean felt = !(change.isReadOnly() && site.layer() == model.layers() - 1 && site.token() < IDS.length - 1);
        assertEquals(felt, moved > 0, change + " moves logits by " + moved);
    }

    private static void put(double[] value, float[] vector) {
        Arrays.fill(value, 0);
        add(value, vector, 1);
    }

    private static void add(double[] value, float[] vector, double times) {
        for (int i = 0; i < value.length; i++) {
            value[i] += times * vector[i];
        }
    }

    /** Forks of long runs, of which only the rows behind the change are computed. */
    @ParameterizedTest
    @ValueSource(strings = {"mamba-a-f32", "falcon-a-f32", "mamba2-b-bf16"})
    void forksComputeOnlyWhatCanChange(String name) {
        LanguageModel model = open(name);
        int[] ids = longIds(model);
        Pass base = model.run(ids);
        float[] v = vector(model, 3);
        for (int token : new int[] {0, 63, 64, 65, 127, 128, 149}) {
            for (HookPoint p : List.of(STATE, WRITE)) {
                for (Intervention change : List.of(Intervention.set(at(1, p, token), v),
                        Intervention.readOnly(Intervention.add(at(1, p, token), v)))) {
                    Forks forks = model.forks().add(base, change);
                    long rows = (long) (LONG - token) * (model.layers() - 1);
                    assertEquals(rows, forks.plannedRows());
                    Golden.same(change.toString(), model.run(ids, Recording.nothing(), change).logits(), forks.logits()[0]);
                    assertEquals(rows, forks.rows());
                }
            }
        }
        List<Intervention> several = List.of(Intervention.add(at(1, STATE, 20), v), Intervention.set(at(1, WRITE, 20), v),
                Intervention.set(at(2, STATE, 60), v), Intervention.readOnly(Intervention.set(at(2, WRITE, 60), v)),
                Intervention.zero(Site.everywhere(0, WRITE), v.length));
        Golden.same("several", model.run(ids, Recording.nothing(), several).logits(), model.forks().add(base, several).logits()[0]);
    }

    /** What a changed pass left behind: for tokens after it, and for forks of it. */
    @ParameterizedTest
    @ValueSource(strings = {"mamba-a-f32", "falcon-a-f32", "mamba2-b-bf16"})
    void aChangedPassGoesOn(String name) {
        LanguageModel model = open(name);
        int[] ids = longIds(model);
        float[] v = vector(model, 5);
        List<Intervention> changes = List.of(Intervention.add(at(1, STATE, 10), v), Intervention.set(at(1, WRITE, 10), v),
                Intervention.set(at(1, STATE, 40), v), Intervention.zero(at(2, WRITE, 41), v.length),
                Intervention.readOnly(Intervention.set(at(2, STATE, 45), v)));
        float[] expected = model.run(ids, Recording.nothing(), changes).logits();
        Pass changed = model.run(Arrays.copyOf(ids, 60), Recording.states(), changes);
        Pass longer = changed.then(Arrays.copyOfRange(ids, 60, 132));
        Golden.same("continued twice", expected, longer.then(Arrays.copyOfRange(ids, 132, LONG)).logits());
        List<Intervention> all = new ArrayList<>(changes);
        for (Intervention more : List.of(Intervention.add(at(1, STATE, 50), v), Intervention.set(at(0, WRITE, 5), v),
                Intervention.add(at(1, Y, 30), new float[model.width(Y)]), Intervention.set(at(2, STATE, 89), v),
                Intervention.add(at(1, WRITE, 130), v))) {
            all.add(more);
            Golden.same("a fork with " + more,
                    model.run(Arrays.copyOf(ids, 132), Recording.nothing(), all).logits(), model.forks().add(longer, more).logits()[0]);
            all.remove(more);
        }
        Pass fork = model.forks().add(longer, Intervention.set(at(1, STATE, 50), v)).passes(Recording.points(STATE)).get(0);
        assertArrayEquals(v, fork.get(at(1, STATE, 50)), "what a fork was given is what it kept");
    }

    @Test
    void aStarDoesNotTakeThem() {
        LanguageModel model = open("mamba-a-f32");
        Pass pass = model.run(IDS, Recording.all());
        assertFalse(pass.has(1, STATE) || pass.has(1, WRITE));
        assertTrue(model.run(IDS, Recording.of("layers.*.state")).has(1, STATE));
        refused("matches no hook point", () -> model.run(IDS, Recording.of("layers.1.stat*")));
    }

    @Test
    void whatIsRefused() {
        LanguageModel model = open("mamba-a-f32");
        int n = model.width(STATE);
        refused("layers.1.state@9: the token must be from 0 to 8", () -> model.run(IDS, Recording.nothing(),
                Intervention.zero(at(1, STATE, 9), n)));
        refused("layers.1.write@2: the vector has 3 numbers, write has " + n, () -> model.run(IDS, Recording.nothing(),
                Intervention.add(at(1, WRITE, 2), 1, 2, 3)));
        refused("only a layer's memory is read apart", () -> model.run(IDS, Recording.nothing(),
                Intervention.readOnly(Intervention.zero(at(1, Y, 2), model.width(Y)))));
        LanguageModel neox = open("neox-a-f32");
        refused("state is no hook point of GPT-NeoX; it has embed", () -> neox.run(IDS, Recording.nothing(),
                Intervention.zero(at(1, STATE, 2), n)));
        refused("layers.1.state@2: one layer cannot have its state changed and edges cut", () -> model.run(IDS, Recording.nothing(),
                Intervention.zero(at(1, STATE, 2), n), Cuts.scan(1, Edges.of(0, 5))));
        model.run(IDS, Recording.nothing(), Intervention.zero(at(1, STATE, 2), n), Cuts.scan(2, Edges.of(0, 5)));
        Pass changed = model.run(IDS, Recording.gradients(), Intervention.zero(at(1, STATE, 2), n));
        refused("layers.1.state@2: gradients do not go through a changed state", () -> Gradients.of(changed, 1, Recording.points(Y)));
        refused("layers.1.state@2: gradients do not go through a changed state", () -> Jacobian.of(changed, 1, 2));
        Pass plain = model.run(IDS, Recording.gradients());
        refused("layers.0.write: no gradient is taken at a layer's memory", () -> Gradients.of(plain, 1, Recording.points(WRITE)));
        refused("layers.1.state: no gradient is taken at a layer's memory", () -> AddedVectors.at(model, 1, STATE));
        refused("terms of the scan do not go through a changed state",
                () -> model.mixing().summing().orElseThrow().terms().orElseThrow().of(changed, 1, 0));
        refused("layers.1.state was not kept", () -> Intervention.patch(at(1, STATE, 2), plain));
    }

    private static void refused(String why, Runnable what) {
        String said = assertThrows(BadRequest.class, what::run).getMessage();
        assertTrue(said.contains(why) && !said.contains("\n"), said);
    }
}
