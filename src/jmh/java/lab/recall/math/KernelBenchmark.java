package lab.recall.math;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Products against ND4J's BLAS on direct pointers, one thread, and the scan. */
@State(Scope.Thread)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class KernelBenchmark {
    public static final int INPUTS = 768;
    public static final int OUTPUTS = 3072;

    @Param({"1", "16", "32", "128", "512"})
    private int rows;

    private PackedMatrix f32;
    private PackedMatrix bf16;
    private float[] x;
    private float[] y;
    private FloatPointer weights;
    private FloatPointer in;
    private FloatPointer out;

    /** Ready to be timed elsewhere. */
    public static KernelBenchmark of(int rows) {
        KernelBenchmark k = new KernelBenchmark();
        k.rows = rows;
        k.setUp();
        return k;
    }

    @Setup
    public void setUp() {
        Parallel.setThreads(1);
        openblas_nolapack.blas_set_num_threads(1);
        Random random = new Random(1);
        float[] w = new float[INPUTS * OUTPUTS];
        for (int i = 0; i < w.length; i++) {
            w[i] = Float.intBitsToFloat(Float.floatToRawIntBits((float) random.nextGaussian()) & 0xffff0000);
        }
        x = new float[rows * INPUTS];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        y = new float[rows * OUTPUTS];
        f32 = PackedMatrix.of(w, OUTPUTS, INPUTS);
        bf16 = PackedMatrix.packHalf(PackedMatrix.Storage.BF16, OUTPUTS, INPUTS, (r, to, at) -> {
            for (int k = 0; k < INPUTS; k++) {
                to[at + k] = (short) (Float.floatToRawIntBits(w[r * INPUTS + k]) >>> 16);
            }
        });
        weights = new FloatPointer(w);
        in = new FloatPointer(x);
        out = new FloatPointer(y.length);
    }

    @Benchmark
    public float[] productF32() {
        f32.multiply(x, 0, INPUTS, rows, y, 0, OUTPUTS);
        return y;
    }

    @Benchmark
    public float[] productBf16() {
        bf16.multiply(x, 0, INPUTS, rows, y, 0, OUTPUTS);
        return y;
    }

    @Benchmark
    public FloatPointer productBlas() {
        openblas_nolapack.cblas_sgemm(openblas_nolapack.CblasRowMajor, openblas_nolapack.CblasNoTrans, openblas_nolapack.CblasTrans, rows,
                OUTPUTS, INPUTS, 1f, in, INPUTS, weights, INPUTS, 0f, out, OUTPUTS);
        return out;
    }
}
