package lab.recall;

import com.sun.management.ThreadMXBean;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntConsumer;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import lab.recall.math.Kernels;
import lab.recall.math.Parallel;
import lab.recall.model.Edges;
import lab.recall.model.Forks;
import lab.recall.model.Gradients;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.Jacobian;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.model.Trainable;
import lab.recall.train.AdamW;

/**
 * What kernels and whole passes put on the heap, measured in a JVM of its own after all kernels have run thousands of times in mixed order.
 * Prints a line each: name, bytes, the most that is allowed, with tabs between; at the end, where those with too many are. Arguments:
 * folders of a mamba-130m and a pythia-160m shape, with few layers. To be run with -Xbatch: what is compiled in the background would come
 * some calls later, on a busy machine many.
 *
 * <p>Counted are the bytes of the calling thread and of the pool's helpers, exactly, once the compilers have nothing more to do: of one
 * call, or the mean of some where a kernel's calls differ in rows. Tiles run with new sums, then with sums that go on, then with new ones,
 * since the first change makes the compilers begin anew.
 */
final class Allocations {
    private static final long KERNEL = 1024;
    private static final long MEGABYTE = 1_000_000;
    private static final int ROUNDS = 70;
    private static final int CALLS = 10;
    private static final int MEASURED = 260;
    private static final int MOST_ATTEMPTS = 40;
    private static final long SAME = 10_000;
    private static final CompilationMXBean COMPILER = ManagementFactory.getCompilationMXBean();
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final Map<String, IntConsumer> kernels = new LinkedHashMap<>(Kernels.others());
    private final Map<String, Work> works = new LinkedHashMap<>();
    private final List<Runnable> tooMany = new ArrayList<>();
    private final Random random = new Random(1);

    private Allocations() {
        kernels.putAll(Kernels.tiles());
    }

    public static void main(String[] folders) {
        Allocations a = new Allocations();
        a.mix(name -> !name.endsWith("resumed"));
        a.mix(name -> true);
        a.mix(name -> !name.endsWith("resumed"));
        a.passes("mamba-130m", 24, LanguageModel.open(Path.of(folders[0])));
        a.passes("pythia-160m", 12, LanguageModel.open(Path.of(folders[1])));
        a.training("tiny-mamba");
        a.training("tiny-neox");
        for (int threads : new int[] {1, 2}) {
            Parallel.setThreads(threads);
            String how = threads == 1 ? ", one thread" : ", two threads";
            a.works.forEach((name, work) -> a.print(name + how, settled(work.call), work.most, work.call));
            settled(a::everyKernel);
            a.kernels.forEach((name, kernel) -> {
                Runnable calls = () -> calls(kernel, MEASURED);
                calls.run();                    // what a thread keeps for its kernels has grown to their most rows
                a.print(name + how, bytes(calls) / MEASURED, KERNEL, calls);
            });
        }
        a.tooMany.forEach(call -> AllocationSites.of(call).forEach(System.out::println));
    }

    /** Something that calls many kernels, and the most bytes that it may need. */
    private record Work(Runnable call, long most) {
    }

    private void print(String name, long bytes, long most, Runnable call) {
        System.out.println(name + "\t" + bytes + "\t" + most);
        if (bytes > most) {
            tooMany.add(call);                  // the recorder makes the compilers begin anew
        }
    }

    private void mix(Predicate<String> which) {
        List<String> names = new ArrayList<>(kernels.keySet().stream().filter(which).toList());
        for (int r = 0; r < ROUNDS; r++) {
            Parallel.setThreads(1 + r % 2);
            Collections.shuffle(names, random);
            names.forEach(name -> calls(kernels.get(name), CALLS));
        }
    }

    private void everyKernel() {
        kernels.values().forEach(kernel -> calls(kernel, CALLS));
    }

    private static void calls(IntConsumer kernel, int count) {
        for (int i = 0; i < count; i++) {
            kernel.accept(i);
        }
    }

    /** Bytes of the first call that needs what the one before it needed while nothing was compiled; of the last one if that never comes. */
    private static long settled(Runnable call) {
        long bytes = 0;
        boolean same = false;
        for (int i = 0; i < MOST_ATTEMPTS && !same; i++) {
            long before = bytes;
            long compiled = COMPILER.getTotalCompilationTime();
            bytes = bytes(call);
            same = COMPILER.getTotalCompilationTime() == compiled && Math.abs(bytes - before) < SAME;
        }
        return bytes;
    }

    private static long bytes(Runnable call) {
        long[] working = Arrays.stream(THREADS.getThreadInfo(THREADS.getAllThreadIds())).filter(t -> t != null
                && (t.getThreadName().startsWith("recall-math-") || t.getThreadId() == Thread.currentThread().getId()))
                .mapToLong(ThreadInfo::getThreadId).toArray();
        long before = LongStream.of(THREADS.getThreadAllocatedBytes(working)).sum();
        call.run();
        return LongStream.of(THREADS.getThreadAllocatedBytes(working)).sum() - before;
    }

    /** A pass of the whole shape may need 10 MB, one of some of its layers their share. */
    private void passes(String shape, int layers, LanguageModel model) {
        int[] ids = ids(model, 128, 1);
        int[] some = Arrays.copyOf(ids, 32);
        int d = model.width();
        long share = 10 * MEGABYTE * model.layers() / layers;
        works.put(shape + ", T = 128", new Work(() -> model.runAll(List.of(ids), Recording.nothing()), share));
        works.put(shape + ", T = 32", new Work(() -> model.runAll(List.of(some), Recording.nothing()), share));
        Pass recorded = model.run(some, Recording.gradients());
        works.put(shape + ", gradients", new Work(() -> Gradients.of(recorded, 7, Recording.points(HookPoint.RESID_POST)), share));
        Pass few = model.run(Arrays.copyOf(ids, 4), Recording.gradients());
        long held = 3L * d * d * Float.BYTES;           // d cotangents of two tokens, and the matrix that is given back
        works.put(shape + ", Jacobian", new Work(() -> Jacobian.of(few, 0, 2), 10 * MEGABYTE + held));
        Pass clean = model.run(Arrays.copyOf(ids, 16));
        Pass corrupt = model.run(ids(model, 16, 2));
        works.put(shape + ", grid", new Work(() -> grid(model, clean, corrupt), 10 * MEGABYTE));
        works.put(shape + ", cut edges", new Work(() -> cuts(model, clean), 10 * MEGABYTE));
    }

    private static void grid(LanguageModel model, Pass clean, Pass corrupt) {
        Forks forks = model.forks();
        for (int l = 0; l < model.layers(); l++) {
            for (int t = 0; t < corrupt.length(); t++) {
                forks.add(corrupt, Intervention.patch(new Site(l, HookPoint.RESID_POST, t), clean));
            }
        }
        forks.probabilities(7);
    }

    private static void cuts(LanguageModel model, Pass base) {
        Forks forks = model.forks();
        for (int s = 0; s < 8; s++) {
            forks.add(base, Intervention.cut(model, 1, 2, Edges.of(s, base.length() - 1)));
        }
        forks.probabilities(7);
    }

    private void training(String embedded) {
        LanguageModel model = LanguageModel.open(embedded);
        int[][] rows = IntStream.range(0, 8).mapToObj(r -> ids(model, 128, r)).toArray(int[][]::new);
        Trainable trained = new Trainable(model, rows.length, rows[0].length);
        AdamW adam = new AdamW(0.9, 0.98, 1e-8, 0.01, name -> true);
        works.put(embedded + ", training step", new Work(() -> {
            trained.backward(rows, null);
            adam.step(trained.weights(), trained.gradients(), 1e-4, 1);
            trained.changed();
        }, MEGABYTE));
    }

    private static int[] ids(LanguageModel model, int tokens, long seed) {
        return new Random(seed).ints(tokens, 0, model.vocabulary()).toArray();
    }
}
