package lab.recall.study;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import lab.recall.model.AddedVectors;
import lab.recall.model.Edges;
import lab.recall.model.Forks;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.Jacobian;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;

/**
 * How quick this machine is at each kind of a model's operations, told from some seconds of it.
 *
 * <pre>{@code
 * Map<Operation, Double> aSecond = Speed.of(mamba, cost.byKind().keySet());
 * cost.seconds(aSecond)
 * }</pre>
 *
 * Measured on the model's first layers, with the threads of now, on prompts as long as the paper's.
 */
public final class Speed {
    /** Whole runs that keep their states. */
    public static final Operation RUNS = new Operation("whole runs", Speed::runs);
    /** Forks of them. */
    public static final Operation FORKS = new Operation("forks", Speed::forks);
    /** What cut edges take beside. */
    public static final Operation CUTS = new Operation("cut edges", Speed::cuts);
    /** Forks that are kept, and their way back. */
    public static final Operation STEPS = new Operation("steps of searches", Speed::steps);
    /** Gradients of a whole stream at once. */
    public static final Operation JACOBIANS = new Operation("Jacobians", Speed::jacobians);
    /** Logits. */
    public static final Operation HEAD = new Operation("logits", Speed::head);

    private static final int TOKENS = 12;
    /** Layers that are measured: weights of fewer might stay in a cache. */
    private static final int LAYERS = 6;
    /** Operations of one try at most, where a model lets it be so few. */
    private static final double TRY = 3e10;
    private static final double WARM_NANOS = 0.4e9;
    private static final double NANOS = 0.6e9;
    private static final int LEAST = 3;

    private Speed() {
    }

    /** Of each kind, how many a second. */
    public static Map<Operation, Double> of(LanguageModel model, Set<Operation> kinds) {
        Map<Operation, Double> all = new LinkedHashMap<>();
        DoubleSupplier logits = () -> all.computeIfAbsent(HEAD, head -> head(model));
        for (Operation kind : kinds) {
            double found = kind.equals(HEAD) ? logits.getAsDouble() : kind.measure().of(model, logits);
            all.put(kind, found);
        }
        all.keySet().retainAll(kinds);
        return all;
    }

    /** So many operations are done by some work: how many a second, when it has been done for a while. */
    public static double of(double operations, Runnable work) {
        return operations / seconds(work);
    }

    /** The median of some tries, after some that do not count. */
    private static double seconds(Runnable work) {
        for (long start = System.nanoTime(), tries = 0; tries == 0 || System.nanoTime() - start < WARM_NANOS; tries++) {
            work.run();
        }
        double[] times = new double[0];
        for (double sum = 0; times.length < LEAST && sum < 4 * NANOS || sum < NANOS; sum += times[times.length - 1]) {
            long start = System.nanoTime();
            work.run();
            times = Arrays.copyOf(times, times.length + 1);
            times[times.length - 1] = System.nanoTime() - start;
        }
        Arrays.sort(times);
        return times[times.length / 2] / 1e9;
    }

    /** What is measured of a model: few enough layers that it takes no long. */
    private static LanguageModel some(LanguageModel model) {
        double layer = model.block(0).work().of(0, TOKENS);
        return model.first((int) Math.max(2, Math.min(Math.min(LAYERS, model.layers()), TRY / 4 / layer)));
    }

    private static List<int[]> prompts(LanguageModel model, int count) {
        Random random = new Random(1);
        return IntStream.range(0, count).mapToObj(i -> random.ints(TOKENS, 0, model.vocabulary()).toArray()).toList();
    }

    /** How many times some work is to be done so that it has the operations of a try. */
    private static int count(double each, int most) {
        return (int) Math.max(1, Math.min(most, TRY / each));
    }

    /** The same, of the kind alone, when the seconds of the logits are taken away. */
    private static double without(DoubleSupplier aSecond, Operation kind, Cost cost, Runnable work) {
        double logits = cost.byKind().getOrDefault(HEAD, 0.0);
        double seconds = seconds(work);
        double own = logits == 0 ? seconds : Math.max(seconds / 10, seconds - logits / aSecond.getAsDouble());
        return cost.byKind().get(kind) / own;
    }

    private static double runs(LanguageModel whole, DoubleSupplier logits) {
        LanguageModel model = some(whole);
        int count = count(Cost.of(model).run(TOKENS, 1).operations(), 32);
        List<int[]> prompts = prompts(model, count);
        return without(logits, RUNS, Cost.of(model).times(count, Cost.of(model).run(TOKENS, 1)),
                () -> model.runAll(prompts, Recording.states()));
    }

    /** The last layer's stream put back where it is: nothing but the head is computed. */
    private static double head(LanguageModel whole) {
        LanguageModel model = whole.first(1);
        Pass pass = model.run(prompts(model, 1).get(0));
        int count = 32 * count(32 * Cost.of(model).fork(TOKENS - 1, TOKENS, 1, 1).operations(), 8);
        Site last = new Site(0, HookPoint.RESID_POST, TOKENS - 1);
        return of(count * Cost.of(model).fork(TOKENS - 1, TOKENS, 1, 1).operations(), () -> {
            Forks forks = model.forks();
            for (int i = 0; i < count; i++) {
                forks.add(pass, Intervention.patch(last, pass));
            }
            forks.probabilities(0);
        });
    }

    /** The stream put back at each token after each layer, as tracing does. */
    private static double forks(LanguageModel whole, DoubleSupplier logits) {
        LanguageModel model = some(whole);
        Cost grid = Cost.of(model);
        for (int l = 0; l + 1 < model.layers(); l++) {
            for (int t = 0; t < TOKENS; t++) {
                grid.fork(t, TOKENS, l + 1, 1);
            }
        }
        int count = count(grid.operations(), 8);
        List<Pass> passes = model.runAll(prompts(model, count), Recording.states());
        return without(logits, FORKS, Cost.of(model).times(count, grid), () -> {
            Forks forks = model.forks();
            for (Pass p : passes) {
                for (int l = 0; l + 1 < model.layers(); l++) {
                    for (int t = 0; t < TOKENS; t++) {
                        forks.add(p, Intervention.patch(new Site(l, HookPoint.RESID_POST, t), p));
                    }
                }
            }
            forks.probabilities(0);
        });
    }

    /** What forks take longer when two tokens in their middle are not read. */
    private static double cuts(LanguageModel whole) {
        LanguageModel model = some(whole);
        int source = TOKENS / 3;
        Edges edges = Edges.toLater(new int[] {source, source + 1}, TOKENS);
        int from = edges.firstTarget();
        List<Intervention> cuts = IntStream.range(0, model.layers()).boxed().flatMap(l -> model.mixing().cut(l, edges).stream()).toList();
        int count = count(Cost.of(model).fork(from, TOKENS, 0, 1).operations(), 32);
        List<Pass> passes = model.runAll(prompts(model, count), Recording.states());
        double cut = seconds(() -> forks(model, passes, cuts));
        double plain = seconds(() -> forks(model, passes, List.of(Intervention.add(new Site(0, HookPoint.RESID_PRE, from),
                new float[model.width()]))));
        return count * Cost.of(model).cuts(source, TOKENS, model.layers()).operations() / Math.max(cut / 100, cut - plain);
    }

    private static void forks(LanguageModel model, List<Pass> passes, List<Intervention> changes) {
        Forks forks = model.forks();
        passes.forEach(p -> forks.add(p, changes));
        forks.probabilities(0);
    }

    /** Forward and back, from a vector in the middle of each prompt. */
    private static double steps(LanguageModel whole, DoubleSupplier logits) {
        LanguageModel model = some(whole);
        int from = TOKENS / 2;
        Cost one = Cost.of(model).step(from, TOKENS, 1, 1).stepBack(from, TOKENS, 1, 1);
        int count = count(one.operations(), 64);
        List<Pass> passes = model.runAll(prompts(model, count), Recording.states());
        float[] vector = new float[model.width()];
        return without(logits, STEPS, Cost.of(model).times(count, one), () -> {
            AddedVectors added = AddedVectors.at(model, 0, HookPoint.RESID_POST);
            passes.forEach(p -> added.add(p, from, vector, 1));
            added.forward((fork, i, row, at) -> row[at] -= 1);
            added.backward(fork -> true);
        });
    }

    /** The highest layer's, of the last two tokens, or of the last one where that takes long. */
    private static double jacobians(LanguageModel whole) {
        LanguageModel model = whole.first(2);
        Pass pass = model.run(prompts(model, 1).get(0), Recording.gradients());
        int from = Cost.of(model).jacobian(TOKENS - 2, TOKENS, 1).operations() < 4 * TRY ? TOKENS - 2 : TOKENS - 1;
        return of(Cost.of(model).jacobian(from, TOKENS, 1).operations(),
                () -> Jacobian.rows(pass, new int[] {0}, from, (layer, first, count, values, stride) -> { }));
    }
}
