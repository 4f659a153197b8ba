package lab.recall.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import lab.recall.Golden;
import lab.recall.math.Parallel;
import lab.recall.model.block.AttentionPoints;
import lab.recall.model.block.ScanPoints;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Gradients through changed runs and forks, against differences of whole runs. Goldens are checked through the command line. */
class GradientTest {
    static List<String> cases() {
        return Golden.WITH_INTERVENTIONS;
    }

    /** A vector added behind an intervention that replaces, adds or zeroes: the gradient must be that of the changed run. */
    @ParameterizedTest
    @MethodSource("cases")
    void gradientsOfChangedRuns(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        Random random = new Random(4);
        int[] ids = random.ints(8, 0, model.vocabulary()).toArray();
        HookPoint out = model.mixing().decaying().isPresent() ? ScanPoints.OUT : AttentionPoints.MLP_OUT;
        float[] v = new float[model.width()];
        for (int i = 0; i < v.length; i++) {
            v[i] = (float) random.nextGaussian();
        }
        List<Intervention> changes = List.of(Intervention.add(new Site(0, HookPoint.RESID_POST, 3), v),
                Intervention.zero(new Site(1, out, 5), model.width()));
        Gradients g = Gradients.of(model.run(ids, Recording.gradients(), changes), 9, Recording.all());
        for (Site site : List.of(new Site(0, HookPoint.RESID_POST, 3), new Site(1, out, 4),
                new Site(0, out, 2), new Site(1, HookPoint.RESID_PRE, 4))) {
            float[] direction = g.get(site);
            double norm = 0;
            for (float x : direction) {
                norm += x * x;
            }
            double step = 2e-2 / Math.sqrt(norm);
            double slope = (loss(model, ids, changes, site, direction, step)
                    - loss(model, ids, changes, site, direction, -step)) / (2 * step);
            assertEquals(norm, slope, 2e-2 * norm, "along the gradient at " + site);
        }
        Gradients zeroed = Gradients.of(model.run(ids, Recording.gradients(), changes), 9,
                Recording.of("layers.1." + out.id(), "layers.1.resid_post"));
        assertArrayEquals(zeroed.get(new Site(1, HookPoint.RESID_POST, 5)), zeroed.get(new Site(1, out, 5)), 1e-6f,
                "what is added behind a replacement still counts");
    }

    private static double loss(LanguageModel model, int[] ids, List<Intervention> changes, Site site, float[] direction, double step) {
        float[] moved = new float[direction.length];
        for (int i = 0; i < moved.length; i++) {
            moved[i] = (float) (step * direction[i]);
        }
        List<Intervention> all = new ArrayList<>(changes);
        all.add(Intervention.add(site, moved));
        return -Math.log(model.run(ids, Recording.nothing(), all).probability(9));
    }

    /** A fork's gradients are those of the whole run, for one thread or two. */
    @ParameterizedTest
    @MethodSource("cases")
    void gradientsOfForks(String name) {
        LanguageModel model = LanguageModel.open(Golden.folder(name));
        int[] ids = new Random(5).ints(10, 0, model.vocabulary()).toArray();
        float[] v = new float[model.width()];
        Arrays.fill(v, 0.3f);
        Intervention change = Intervention.add(new Site(0, HookPoint.RESID_POST, 4), v);
        Recording keep = Recording.points(HookPoint.RESID_POST);
        Gradients whole = Gradients.of(model.run(ids, Recording.gradients(), change), 3, keep);
        // the fork starts above layer 0, so only what lies above is on its tape
        Pass forked = model.forks().add(model.run(ids), change).passes(Recording.gradients()).get(0);
        assertThrows(IllegalArgumentException.class, () -> Gradients.of(forked, 3, keep), "its lowest layers are its base's");
        int threads = Parallel.threads();
        Parallel.setThreads(1);
        Jacobian one = Jacobian.of(model.run(ids, Recording.gradients()), 1, 4);
        Parallel.setThreads(2);
        Jacobian two = Jacobian.of(model.run(ids, Recording.gradients()), 1, 4);
        Gradients again = Gradients.of(model.run(ids, Recording.gradients(), change), 3, keep);
        Parallel.setThreads(threads);
        Golden.same("one thread as two", one.values(), two.values());
        Golden.same("one thread as two", whole.get(new Site(0, HookPoint.RESID_POST, 4)), again.get(new Site(0, HookPoint.RESID_POST, 4)));
        assertEquals(whole.loss(), again.loss(), 1e-6);
    }

    @Test
    void weightsComeBackAsTheyWere() {
        LanguageModel model = LanguageModel.open(Golden.folder("neox-b-seq-f16-sharded"));
        Map<String, float[]> weights = model.weights();
        int[] ids = {1, 2, 3, 4};
        assertArrayEquals(model.run(ids).logits(), model.with(weights).run(ids).logits(), 1e-5f);
        weights.get("gpt_neox.final_layer_norm.bias")[0] += 1f;
        assertEquals(model.weights().get("gpt_neox.final_layer_norm.bias")[0] + 1f,
                model.with(weights).weights().get("gpt_neox.final_layer_norm.bias")[0]);
    }
}
