package lab.recall.math;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** What this machine's multiply-add units give at best, to measure kernels by: independent chains in registers, no memory. */
public final class FmaPeak {
    private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
    private static final int ROUNDS = 20_000_000;

    private FmaPeak() {
    }

    /** GFLOP/s of one thread, best of several tries. */
    public static double gigaflops() {
        double best = 0;
        for (int i = 0; i < 7; i++) {
            long start = System.nanoTime();
            float sink = chains(ROUNDS);
            double seconds = (System.nanoTime() - start) / 1e9;
            if (Float.isFinite(sink)) {
                best = Math.max(best, 12.0 * 2 * S.length() * ROUNDS / seconds / 1e9);
            }
        }
        return best;
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
