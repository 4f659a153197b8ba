package lab.recall.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import lab.recall.math.Gate;
import lab.recall.math.KernelBenchmark;
import lab.recall.math.Rows;
import lab.recall.math.SelectiveScan;

/** Kernels alone, on one thread. */
final class KernelJobs {
    private KernelJobs() {
    }

    /** Products with mamba-130m's in_proj against the BLAS that ND4J brings. */
    static List<Job> products() {
        List<Job> jobs = new ArrayList<>();
        for (int rows : new int[] {16, 32, 128, 512}) {
            for (boolean half : new boolean[] {false, true}) {
                jobs.add(new Job("gemm", half ? "product, bf16 weights" : "product, f32", "768 x 3072", rows, 1, models -> {
                    KernelBenchmark k = KernelBenchmark.of(rows);
                    return Work.of(half ? k::productBf16 : k::productF32).rows(rows)
                            .flops(2.0 * rows * KernelBenchmark.INPUTS * KernelBenchmark.OUTPUTS).beside("ND4J BLAS, f32", k::productBlas);
                }));
            }
        }
        return jobs;
    }

    /** The scan of a layer of mamba-130m with its gate. */
    static Job scan() {
        int t = 32;
        int e = 1536;
        int n = 16;
        return new Job("scan", "scan with gate", e + " channels, " + n + " states", t, 1, models -> {
            Random random = new Random(1);
            float[] u = floats(random, t * e, 0, 1);
            float[] delta = floats(random, t * e, 0.05, 0.05);
            float[] a = floats(random, n * e, -5, 4);
            float[] bc = floats(random, t * 2 * n, 0, 1);
            float[] d = floats(random, e, 0, 1);
            float[] state = new float[n * e];
            float[] z = floats(random, t * e, 0, 2);
            float[] y = new float[t * e];
            return Work.of(() -> {
                Arrays.fill(state, 0f);
                SelectiveScan.forward(new SelectiveScan.Sizes(t, e, n), Rows.of(u, 0, e), Rows.of(delta, 0, e), a, Rows.of(bc, 0, 2 * n),
                        Rows.of(bc, n, 2 * n), d, state, Rows.of(y, 0, e));
                Gate.forward(y, 0, z, 0, e, t, e, y, 0);
            }).rows(t).states((long) t * e * n).torch("scan with gate", "scan", "--tokens", "" + t, "--threads", "1");
        });
    }

    private static float[] floats(Random random, int count, double centre, double scale) {
        float[] all = new float[count];
        for (int i = 0; i < count; i++) {
            all[i] = (float) (centre + scale * (2 * random.nextDouble() - 1));
        }
        return all;
    }
}
