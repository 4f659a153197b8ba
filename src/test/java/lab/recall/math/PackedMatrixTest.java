package lab.recall.math;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Products against one chain of fused multiply-adds, for all storages and odd shapes. */
public class PackedMatrixTest {
    /** Whether products are exact chains here, as with the Vector API, or f32 noise may differ. */
    public static boolean exact() {
        return Simd.present();
    }

    private static final int[][] SHAPES = {{1, 1}, {3, 5}, {16, 7}, {31, 9}, {32, 33}, {40, 64}, {64, 48}, {65, 17}, {80, 100}, {96, 1000},
        {130, 401}, {200, 3000}};

    @Test
    void everyElementIsOneChain() {
        Random random = new Random(1);
        for (int[] shape : SHAPES) {
            for (PackedMatrix.Storage storage : PackedMatrix.Storage.values()) {
                short[] halves = halves(random, storage, shape[0] * shape[1]);
                float[] weights = weights(random, storage, halves);
                PackedMatrix w = matrix(storage, shape[0], shape[1], weights, halves);
                for (int rows : new int[] {1, 2, 5, 6, 7, 13, 40, 200}) {
                    check(random, w, weights, rows);
                }
            }
        }
    }

    /** The bits that weights give which were turned in f32; some are deeper or wider than what is turned together. */
    @Test
    void theTransposedMultipliesWithTheSameWeights() {
        Random random = new Random(7);
        List<int[]> shapes = new ArrayList<>(List.of(SHAPES));
        shapes.addAll(List.of(new int[] {600, 70}, new int[] {1030, 129}, new int[] {2060, 5}, new int[] {513, 257}));
        for (int[] shape : shapes) {
            int outputs = shape[0];
            int inputs = shape[1];
            for (PackedMatrix.Storage storage : PackedMatrix.Storage.values()) {
                short[] halves = halves(random, storage, outputs * inputs);
                float[] weights = weights(random, storage, halves);
                float[] turned = new float[weights.length];
                for (int i = 0; i < weights.length; i++) {
                    turned[i % inputs * outputs + i / inputs] = weights[i];
                }
                PackedMatrix w = matrix(storage, outputs, inputs, weights, halves).transposed();
                for (int rows : new int[] {1, 2, 5, 7, 40, 200}) {
                    check(random, w, turned, rows);
                    addsUp(random, w, PackedMatrix.of(turned, inputs, outputs), rows);
                }
                check(random, w.transposed(), weights, 3);
            }
        }
    }

    private static void addsUp(Random random, PackedMatrix w, PackedMatrix like, int rows) {
        float[] x = gaussian(random, rows * w.inputs());
        float[] bias = gaussian(random, w.outputs());
        float[] y = gaussian(random, rows * w.outputs());
        float[] expected = y.clone();
        w.addProduct(x, 0, w.inputs(), rows, bias, y, 0, w.outputs());
        like.addProduct(x, 0, w.inputs(), rows, bias, expected, 0, w.outputs());
        assertArrayEquals(expected, y, exact() ? 0f : 1e-2f, w.storage() + " " + w.outputs() + "x" + w.inputs() + " rows " + rows);
    }

    @Test
    void scalarProductsAreTheSameChains() {
        assumeTrue(Simd.present());
        Random random = new Random(6);
        for (int[] shape : SHAPES) {
            int outputs = shape[0];
            int inputs = shape[1];
            for (PackedMatrix.Storage storage : PackedMatrix.Storage.values()) {
                short[] halves = halves(random, storage, outputs * inputs);
                float[] weights = weights(random, storage, halves);
                PackedMatrix w = matrix(storage, outputs, inputs, weights, halves);
                Panels panels = storage == PackedMatrix.Storage.F32
                        ? Panels.f32(outputs, inputs, (r, to, at) -> System.arraycopy(weights, r * inputs, to, at, inputs))
                        : Panels.half(storage, outputs, inputs, (r, to, at) -> System.arraycopy(halves, r * inputs, to, at, inputs));
                for (int rows : new int[] {1, 3, 4, 10}) {
                    float[] x = gaussian(random, rows * (inputs + 3) + 2);
                    float[] scalar = new float[rows * (outputs + 1) + 5];
                    float[] vectors = scalar.clone();
                    panels.plain(x, 2, inputs + 3, rows, null, false, scalar, 5, outputs + 1);
                    w.multiply(x, 2, inputs + 3, rows, vectors, 5, outputs + 1);
                    assertArrayEquals(vectors, scalar, storage + " " + outputs + "x" + inputs + " rows " + rows);
                }
            }
        }
    }

    /** Weights in every storage, half-size ones as they are stored, denormal ones among those of F16. */
    private static short[] halves(Random random, PackedMatrix.Storage storage, int count) {
        short[] halves = new short[count];
        for (int i = 0; i < count; i++) {
            int exponent = storage == PackedMatrix.Storage.BF16 ? (120 + random.nextInt(10)) << 7 : random.nextInt(18) << 10;
            halves[i] = (short) (random.nextInt(2) << 15 | exponent | random.nextInt(storage == PackedMatrix.Storage.BF16 ? 128 : 1024));
        }
        return halves;
    }

    private static float[] weights(Random random, PackedMatrix.Storage storage, short[] halves) {
        float[] weights = gaussian(random, halves.length);
        for (int i = 0; i < halves.length && storage != PackedMatrix.Storage.F32; i++) {
            weights[i] = PackedMatrix.widen(storage, halves[i] & 0xffff);
        }
        return weights;
    }

    private static PackedMatrix matrix(PackedMatrix.Storage storage, int outputs, int inputs, float[] weights, short[] halves) {
        return storage == PackedMatrix.Storage.F32 ? PackedMatrix.of(weights, outputs, inputs)
                : PackedMatrix.packHalf(storage, outputs, inputs, (r, to, at) -> System.arraycopy(halves, r * inputs, to, at, inputs));
    }

    private static void check(Random random, PackedMatrix w, float[] weights, int rows) {
        int stride = w.inputs() + 3;
        float[] x = new float[rows * stride + 2];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        int yStride = w.outputs() + 1;
        float[] y = new float[rows * yStride + 5];
        w.multiply(x, 2, stride, rows, y, 5, yStride);
        for (int r = 0; r < rows; r++) {
            for (int o = 0; o < w.outputs(); o++) {
                float chain = 0f;
                double size = 0;
                for (int k = 0; k < w.inputs(); k++) {
                    chain = Math.fma(x[2 + r * stride + k], weights[o * w.inputs() + k], chain);
                    size += Math.abs(x[2 + r * stride + k] * weights[o * w.inputs() + k]);
                }
                assertEquals(chain, y[5 + r * yStride + o], exact() ? 0f : (float) (1e-5 * size + 1e-20),
                        w.storage() + " " + w.outputs() + "x" + w.inputs() + " rows " + rows + " at " + r + "," + o);
            }
        }
        float[] row = new float[w.inputs()];
        w.copyRow(w.outputs() - 1, row, 0);
        for (int k = 0; k < row.length; k++) {
            assertEquals(weights[(w.outputs() - 1) * w.inputs() + k], row[k]);
        }
    }

    @Test
    void outerProductsAreChainsToo() {
        Random random = new Random(2);
        for (int[] shape : SHAPES) {
            int rows = 1 + random.nextInt(50);
            int m = shape[0];
            int n = Math.min(shape[1], 500);
            float[] a = gaussian(random, rows * (m + 2) + 1);
            float[] b = gaussian(random, rows * (n + 3) + 2);
            float[] c = gaussian(random, m * n);
            float[] expected = c.clone();
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    for (int r = 0; r < rows; r++) {
                        expected[i * n + j] = Math.fma(a[1 + r * (m + 2) + i], b[2 + r * (n + 3) + j], expected[i * n + j]);
                    }
                }
            }
            MatMul.addOuter(a, 1, m + 2, b, 2, n + 3, rows, m, n, c);
            assertArrayEquals(expected, c, m + " x " + n + ", rows " + rows);
        }
    }

    @Test
    void otherWeightsTakeThePlace() {
        Random random = new Random(3);
        for (int[] shape : SHAPES) {
            float[] first = gaussian(random, shape[0] * shape[1]);
            float[] second = gaussian(random, shape[0] * shape[1]);
            int[] order = random.ints(0, shape[0]).distinct().limit(shape[0]).toArray();
            float[] ordered = new float[second.length];
            for (int o = 0; o < order.length; o++) {
                System.arraycopy(second, order[o] * shape[1], ordered, o * shape[1], shape[1]);
            }
            PackedMatrix w = PackedMatrix.of(first, shape[0], shape[1]);
            w.transposed();
            w.set(second, order);
            PackedMatrix fresh = PackedMatrix.of(ordered, shape[0], shape[1]);
            float[] x = gaussian(random, 5 * Math.max(shape[0], shape[1]));
            assertArrayEquals(product(fresh, x), product(w, x));
            assertArrayEquals(product(fresh.transposed(), x), product(w.transposed(), x));
            w.set(first, null);
            assertArrayEquals(product(PackedMatrix.of(first, shape[0], shape[1]).transposed(), x), product(w.transposed(), x));
            assertThrows(IllegalArgumentException.class, () -> w.set(new float[first.length + 1], null));
        }
        PackedMatrix half = PackedMatrix.packHalf(PackedMatrix.Storage.BF16, 1, 2, (r, to, at) -> to[at] = 0);
        assertThrows(IllegalArgumentException.class, () -> half.set(new float[2], null));
    }

    private static float[] product(PackedMatrix w, float[] x) {
        float[] y = new float[5 * w.outputs()];
        w.multiply(x, 0, w.inputs(), 5, y, 0, w.outputs());
        return y;
    }

    private static float[] gaussian(Random random, int count) {
        float[] all = new float[count];
        for (int i = 0; i < count; i++) {
            all[i] = (float) random.nextGaussian();
        }
        return all;
    }

    @Test
    void halfNumbersWidenExactly() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            int exponent = bits >> 10 & 31;
            double sign = (bits & 0x8000) != 0 ? -1 : 1;
            double fraction = (bits & 1023) / 1024.0;
            double value = exponent == 0 ? fraction * Math.pow(2, -14) : (1 + fraction) * Math.pow(2, exponent - 15);
            if (exponent != 31) {
                assertEquals((float) (sign * value), PackedMatrix.widen(PackedMatrix.Storage.F16, bits));
            }
        }
    }

    @Test
    void infinityIsRefusedInF16() {
        short[] bad = {0, (short) 0x7c00};
        PackedMatrix w = PackedMatrix.packHalf(PackedMatrix.Storage.F16, 1, 2, (r, to, at) -> System.arraycopy(bad, 0, to, at, 2));
        for (int time = 0; time < 2; time++) {
            String message = assertThrows(IllegalArgumentException.class,
                    () -> w.multiply(new float[2], 0, 2, 1, new float[1], 0, 1)).getMessage();
            assertEquals("row 0, column 1 of an F16 matrix is not finite", message);
        }
    }

    @Test
    void weightsArePackedOnceAtTheirFirstUse() throws Exception {
        int outputs = 100;
        int inputs = 40;
        float[] weights = gaussian(new Random(4), outputs * inputs);
        float[] x = gaussian(new Random(5), 5 * inputs);
        AtomicInteger read = new AtomicInteger();
        PackedMatrix w = PackedMatrix.pack(outputs, inputs, (row, to, at) -> {
            read.incrementAndGet();
            System.arraycopy(weights, row * inputs, to, at, inputs);
        });
        assertEquals(0, read.get());
        CyclicBarrier together = new CyclicBarrier(2);
        List<float[]> products = new CopyOnWriteArrayList<>();
        Thread[] users = new Thread[2];
        for (int i = 0; i < users.length; i++) {
            users[i] = new Thread(() -> {
                try {
                    together.await();
                    products.add(product(w, x));
                } catch (InterruptedException | BrokenBarrierException e) {
                    throw new IllegalStateException(e);
                }
            });
            users[i].start();
        }
        for (Thread user : users) {
            user.join();
        }
        assertEquals(outputs, read.get());
        float[] expected = product(PackedMatrix.of(weights, outputs, inputs), x);
        assertArrayEquals(expected, products.get(0));
        assertArrayEquals(expected, products.get(1));
        product(w.transposed(), gaussian(new Random(6), 5 * outputs));
        assertEquals(outputs, read.get(), "the transposed has none of its own");
    }
}
