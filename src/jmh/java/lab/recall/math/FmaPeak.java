package lab.recall.math;

import java.util.concurrent.CyclicBarrier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** What this machine's multiply-add units give at best, to measure kernels by: independent chains in registers, no memory. */
public final class FmaPeak {
    private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
    private static final int ROUNDS = 10_000_000;

    private FmaPeak() {
    }

    /** Numbers in a vector. */
    public static int lanes() {
        return S.length();
    }

    /** GFLOP/s of so many threads at once, from the first one's start to the last one's end; the best of some tries. */
    public static double gigaflops(int threads, int tries) {
        double best = 0;
        for (int i = 0; i < tries; i++) {
            best = Math.max(best, threads * 12.0 * 2 * S.length() * ROUNDS / seconds(threads) / 1e9);
        }
        return best;
    }

    private static double seconds(int threads) {
        long[] begun = new long[threads];
        long[] ended = new long[threads];
        CyclicBarrier together = new CyclicBarrier(threads);
        Thread[] helpers = IntStream.range(1, threads).mapToObj(i -> new Thread(() -> work(i, together, begun, ended)))
                .toArray(Thread[]::new);
        for (Thread t : helpers) {
            t.start();
        }
        work(0, together, begun, ended);
        try {
            for (Thread t : helpers) {
                t.join();
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return (LongStream.of(ended).max().getAsLong() - LongStream.of(begun).min().getAsLong()) / 1e9;
    }

    private static void work(int i, CyclicBarrier together, long[] begun, long[] ended) {
        try {
            together.await();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        begun[i] = System.nanoTime();
        float sink = chains(ROUNDS);
        ended[i] = Float.isFinite(sink) ? System.nanoTime() : Long.MAX_VALUE;
    }

    private static float chains(int rounds) {
        FloatVector x = FloatVector.broadcast(S, 0.999f);
        FloatVector a = x;
        FloatVector b = x;
        FloatVector c = x;
        FloatVector d = x;
        FloatVector e = x;
        FloatVector f = x;
        FloatVector g = x;
        FloatVector h = x;
        FloatVector i = x;
        FloatVector j = x;
        FloatVector k = x;
        FloatVector l = x;
        for (int r = 0; r < rounds; r++) {
            a = a.fma(x, x);
            b = b.fma(x, x);
            c = c.fma(x, x);
            d = d.fma(x, x);
            e = e.fma(x, x);
            f = f.fma(x, x);
            g = g.fma(x, x);
            h = h.fma(x, x);
            i = i.fma(x, x);
            j = j.fma(x, x);
            k = k.fma(x, x);
            l = l.fma(x, x);
        }
        return a.add(b).add(c).add(d).add(e).add(f).add(g).add(h).add(i).add(j).add(k).add(l).lane(0);
    }
}
