package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import lab.recall.Golden;
import lab.recall.math.PackedMatrixTest;
import lab.recall.math.Parallel;
import lab.recall.model.block.AttentionPoints;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows go through a layer in blocks, and tokens through some scans in chunks of 128: where a block ends never shows in a number. */
class BlocksTest {
    private static final int TOKENS = 150;

    private final int threads = Parallel.threads();

    @AfterEach
    void threadsAsBefore() {
        Parallel.setThreads(threads);
    }

    /** An embedded model, or a golden's. */
    private static LanguageModel open(String name) {
        return name.startsWith("tiny") ? LanguageModel.open(name) : LanguageModel.open(Golden.folder(name));
    }

    private static int[] ids(LanguageModel model, int tokens, long seed) {
        return new Random(seed).ints(tokens, 0, model.vocabulary()).toArray();
    }

    private static void same(LanguageModel model, Pass a, Pass b, String what) {
        for (int l = 0; l < model.layers(); l++) {
            for (HookPoint p : model.points()) {
                if (!p.isGlobal() && p.isPerToken() && a.has(l, p)) {
                    assertArrayEquals(a.activation(l, p).values(), b.activation(l, p).values(), what + ": " + p.name(l));
                }
            }
        }
        assertArrayEquals(a.logits(), b.logits(), what);
    }

    /** A continuation has its first block where the whole run has the middle of one. */
    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-neox", "falcon-a-f32", "mamba2-b-bf16"})
    void aLongRunEqualsItsContinuations(String name) {
        Assumptions.assumeTrue(PackedMatrixTest.exact(), "without the Vector API sums depend on the rows beside");
        LanguageModel model = open(name);
        int[] ids = ids(model, TOKENS, 1);
        Pass whole = model.run(ids);
        for (int first : new int[] {1, 2, 31, 63, 64, 128, 130}) {
            Pass joined = model.run(Arrays.copyOf(ids, first)).then(Arrays.copyOfRange(ids, first, TOKENS));
            same(model, whole, joined, first + " tokens, then the others");
        }
    }

    /** A pass that is continued token by token has room behind its states: of two continuations of one pass one only may fill it. */
    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-neox", "falcon-a-f32", "mamba2-b-bf16"})
    void twoContinuationsOfOnePass(String name) {
        Assumptions.assumeTrue(PackedMatrixTest.exact(), "without the Vector API sums depend on the rows beside");
        LanguageModel model = open(name);
        int[] ids = ids(model, 10, 4);
        Pass pass = model.run(Arrays.copyOf(ids, 6)).then(ids[6]).then(ids[7]);
        Pass one = pass.then(ids[8]);
        Pass other = pass.then(ids[0]);
        same(model, model.run(ids), one.then(ids[9]), "one");
        int[] others = Arrays.copyOf(ids, 9);
        others[8] = ids[0];
        same(model, model.run(others), other, "the other");
        same(model, model.run(Arrays.copyOf(ids, 9)), one, "one, before it goes on");
        same(model, model.run(Arrays.copyOf(ids, 8)), pass, "both come from it");
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-neox", "falcon-a-f32", "mamba2-b-bf16"})
    void aRunAmongOthersEqualsItselfAlone(String name) {
        Assumptions.assumeTrue(PackedMatrixTest.exact(), "without the Vector API sums depend on the rows beside");
        LanguageModel model = open(name);
        List<int[]> prompts = new ArrayList<>();
        for (int tokens : new int[] {5, 60, 1, 66, 2, 80, 151, 81, 12}) {
            prompts.add(ids(model, tokens, tokens));
        }
        Recording all = Recording.gradients();
        for (int t : new int[] {1, 2}) {
            Parallel.setThreads(t);
            List<Pass> together = model.runAll(prompts, all);
            for (int i = 0; i < prompts.size(); i++) {
                same(model, model.run(prompts.get(i), all), together.get(i), prompts.get(i).length + " tokens, " + t + " threads");
            }
        }
    }

    /** Values replaced and recorded in the second block and behind it. */
    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-neox", "falcon-a-f32", "mamba2-b-bf16"})
    void aForkOfALongRunEqualsTheWholeRunChanged(String name) {
        Assumptions.assumeTrue(PackedMatrixTest.exact(), "without the Vector API sums depend on the rows beside");
        LanguageModel model = open(name);
        int[] ids = ids(model, TOKENS, 2);
        Pass base = model.run(ids);
        for (int token : new int[] {63, 64, 65, 100, 127, 128, 149}) {
            for (HookPoint p : model.points()) {
                if (p.isGlobal() || !p.isPerToken() || p == HookPoint.EMBED || p == AttentionPoints.ATTN_PROBS) {
                    continue;
                }
                float[] value = new float[model.width(p)];
                Arrays.fill(value, 0.25f);
                Intervention change = Intervention.set(new Site(1, p, token), value);
                Pass fork = model.forks().add(base, change).passes(Recording.nothing()).get(0);
                Pass changed = model.run(ids, Recording.nothing(), change);
                assertArrayEquals(changed.logits(), fork.logits(), p.name(1) + " at " + token);
                assertEquals(changed.argmax(), fork.argmax());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-mamba", "tiny-neox", "falcon-a-f32", "mamba2-b-bf16"})
    void cutEdgesOfALongRun(String name) {
        Assumptions.assumeTrue(PackedMatrixTest.exact(), "without the Vector API sums depend on the rows beside");
        LanguageModel model = open(name);
        int[] ids = ids(model, TOKENS, 3);
        Pass base = model.run(ids);
        List<Intervention> cut = Intervention.cut(model, 1, 2, Edges.between(new int[] {3, 66, 128}, new int[] {129, 148}));
        Pass fork = model.forks().add(base, cut).passes(Recording.nothing()).get(0);
        assertArrayEquals(model.run(ids, Recording.nothing(), cut).logits(), fork.logits());
    }
}
