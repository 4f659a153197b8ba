package lab.recall.math;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.IntConsumer;

/**
 * Every kernel on small rows of odd widths, by name; the first word of a name is the kernel's class. A job is told the number of its
 * call, so that calls differ in their numbers of rows.
 */
public final class Kernels {
    /** Rows of a long product: more than one block. */
    private static final int ROWS = 130;
    private static final int MOST_TILE_ROWS = 6;
    private static final int DEPTH = 64;
    /** A width that ends within a vector of any size. */
    private static final int WIDTH = 75;
    private static final int NARROW = 5;
    private static final float EPS = 1e-5f;

    private final Map<String, IntConsumer> jobs = new LinkedHashMap<>();
    private final Random random = new Random(1);
    private final float[] x = numbers(300_000);
    private final float[] ones = filled(300_000);
    private final float[] out = new float[300_000];
    private final float[] sums = new float[50_000];
    private final int[] halves = random.ints(20_000).map(i -> i & 0x3fff3fff).toArray();
    private double sum;

    private Kernels() {
    }

    /** Each tile with each number of rows, once for new sums and, under a name that says so, once for sums that go on. */
    public static Map<String, IntConsumer> tiles() {
        Kernels k = new Kernels();
        for (int rows = 1; rows <= MOST_TILE_ROWS; rows++) {
            for (boolean resume : new boolean[] {false, true}) {
                k.tiles(rows, resume, ", rows " + rows + (resume ? ", resumed" : ""));
            }
        }
        return k.jobs;
    }

    /** All other kernels. */
    public static Map<String, IntConsumer> others() {
        Kernels k = new Kernels();
        k.products();
        k.mamba();
        k.attention();
        k.rows();
        return k.jobs;
    }

    private float[] numbers(int count) {
        float[] all = new float[count];
        for (int i = 0; i < count; i++) {
            all[i] = (float) random.nextGaussian();
        }
        return all;
    }

    private static float[] filled(int count) {
        float[] all = new float[count];
        Arrays.fill(all, 1f);
        return all;
    }

    private void tiles(int rows, boolean resume, String how) {
        jobs.put("TileF32x2" + how, i -> TileF32x2.run(rows, x, 0, x, 0, DEPTH, out, 0, resume));
        jobs.put("TileF32x4" + how, i -> TileF32x4.run(rows, x, 0, x, 0, DEPTH, out, 0, resume));
        jobs.put("TileBF16x2" + how, i -> TileBF16x2.run(rows, x, 0, halves, 0, DEPTH, out, 0, resume));
        jobs.put("TileBF16x4" + how, i -> TileBF16x4.run(rows, x, 0, halves, 0, DEPTH, out, 0, resume));
        jobs.put("TileF16x2" + how, i -> TileF16x2.run(rows, x, 0, halves, 0, DEPTH, out, 0, resume));
        jobs.put("TileF16x4" + how, i -> TileF16x4.run(rows, x, 0, halves, 0, DEPTH, out, 0, resume));
    }

    private void products() {
        for (PackedMatrix.Storage storage : PackedMatrix.Storage.values()) {
            for (int[] shape : new int[][] {{7, 41}, {203, 41}, {531, 33}, {19, 2_000}}) {       // the last one's depth is split
                PackedMatrix w = matrix(storage, shape[0], shape[1]);
                jobs.put("Panels " + storage + ", " + shape[0] + " x " + shape[1],
                        i -> w.multiply(x, 0, w.inputs(), 1 + i % ROWS, out, 0, w.outputs()));
                PackedMatrix turned = w.transposed();
                jobs.put("TransposedPanels " + storage + ", " + shape[0] + " x " + shape[1],
                        i -> turned.multiply(x, 0, turned.inputs(), 1 + i % ROWS, out, 0, turned.outputs()));
            }
        }
        PackedMatrix biased = matrix(PackedMatrix.Storage.F32, 203, 41);
        jobs.put("Panels with a bias", i -> biased.multiply(x, 0, 41, 1 + i % ROWS, ones, out, 0, 203));
        jobs.put("Panels that add", i -> biased.addProduct(x, 0, 41, 1 + i % ROWS, i % 2 == 0 ? null : ones, out, 0, 203));
        float[] right = new float[MatMul.rightSize(DEPTH, WIDTH)];
        jobs.put("MatMul.packRight", i -> MatMul.packRight(x, 0, WIDTH, i % 9, DEPTH - 9, DEPTH, WIDTH, right, 0));
        jobs.put("MatMul.packRightColumns", i -> MatMul.packRightColumns(x, 0, DEPTH, i % 9, WIDTH - 9, DEPTH, WIDTH, right, 0));
        jobs.put("MatMul.multiply", i -> MatMul.multiply(x, 0, DEPTH, 1 + i % 20, DEPTH,
                right, 0, DEPTH, WIDTH, 1 + i % WIDTH, out, 0, WIDTH));
        jobs.put("MatMul.outer", i -> MatMul.outer(x, 0, WIDTH, 1 + i % 20, 40, right, 0, i % 20, DEPTH, WIDTH, out, 0, WIDTH,
                false));
        float[] packed = new float[Tiles.packedSize(20, WIDTH)];
        jobs.put("Tiles.packRows", i -> Tiles.packRows(x, 0, WIDTH, 1 + i % 20, WIDTH, packed, 0));
        jobs.put("Tiles.packColumns", i -> Tiles.packColumns(x, 0, WIDTH, 1 + i % 20, WIDTH, packed, 0));
        jobs.put("Tiles.store", i -> Tiles.store(x, 0, Tiles.NARROW, 4, Tiles.NARROW - i % 3,
                i % 2 == 0 ? null : ones, 0, i % 4 > 1, out, 0, WIDTH));
        doubles();
        jobs.put("MatMul.addOuter", i -> MatMul.addOuter(x, 0, WIDTH, x, 0, WIDTH, 1 + i % 20, 20, WIDTH, sums));
        jobs.put("MatMul.addOuter, wide", i -> MatMul.addOuter(x, 0, 130, x, 0, WIDTH, 30, 130, WIDTH, sums));
        jobs.put("Transpose", i -> Transpose.of(x, 0, WIDTH, 20, WIDTH, out, 0, 20));
    }

    private void doubles() {
        int width = Doubles.width(40);
        int stride = Doubles.padded(40);
        double[] rows = random.doubles(50L * stride).toArray();
        double[] c = new double[50 * stride];
        double[] turns = random.doubles(20).toArray();
        jobs.put("Doubles.outer", i -> Doubles.outer(rows, 0, stride, rows, 0, stride, 1 + i % 40, 40, width, c, 0, stride));
        jobs.put("Doubles.combine", i -> Doubles.combine(turns, 0, rows, 0, stride, 1 + i % 20, c, 0, width));
        jobs.put("Doubles.rotate", i -> Doubles.rotate(turns, i % 9, c));
    }

    private PackedMatrix matrix(PackedMatrix.Storage storage, int outputs, int inputs) {
        return storage == PackedMatrix.Storage.F32 ? PackedMatrix.of(numbers(outputs * inputs), outputs, inputs)
                : PackedMatrix.packHalf(storage, outputs, inputs, (row, to, at) -> {
                    for (int k = 0; k < inputs; k++) {
                        to[at + k] = (short) (0x3c00 | random.nextInt(0x400));         // finite in both formats
                    }
                });
    }

    private void mamba() {
        scan("", 6, WIDTH, 5);
        scan(", wide", 8, 520, 16);
        heads(64);
        heads(WIDTH);
        float[] four = numbers(4 * WIDTH);
        jobs.put("CausalConv.forward", i -> CausalConv.forward(x, 0, 2 * WIDTH, 9, ones, 0, 4, WIDTH, four, ones, out, 0));
        jobs.put("CausalConv.forward, 3 taps", i -> CausalConv.forward(x, 0, 2 * WIDTH, 9, ones, 0, 3, WIDTH, four, null, out, 0));
        boolean[] cut = {false, true, false, true};
        jobs.put("CausalConv.forward, cut", i -> CausalConv.forward(i % 9, cut, x, 0, 2 * WIDTH, ones, 0, 4, WIDTH, four, ones, out, 0));
        jobs.put("CausalConv.backward", i -> CausalConv.backward(x, 0, 9, 4, WIDTH, four, sums, 0, 2 * WIDTH));
        jobs.put("CausalConv.backwardWeights", i -> CausalConv.backwardWeights(x, 0, 2 * WIDTH, x, 0, 9, 4, WIDTH, sums, sums));
        jobs.put("Gate", i -> Gate.forward(x, 0, x, WIDTH, 2 * WIDTH, 9, WIDTH, out, 0));
        jobs.put("Gate, wide", i -> Gate.forward(x, 0, x, 1_201, 2_402, 40, 1_201, out, 0));
        jobs.put("Silu.forward", i -> Silu.forward(x, WIDTH, 2 * WIDTH, 9, WIDTH, out, 0));
        jobs.put("Silu.backward", i -> Silu.backward(x, WIDTH, 2 * WIDTH, 9, WIDTH, x, 0, out, 0, WIDTH));
        float[] softened = numbers(9 * WIDTH);
        jobs.put("Softplus", i -> Softplus.forward(softened, 0, 9, WIDTH));
        float[] squashed = numbers(9 * WIDTH);
        jobs.put("Sigmoid", i -> Sigmoid.forward(squashed, 0, squashed.length));
        jobs.put("RmsNorm.forward", i -> RmsNorm.forward(x, 0, 9, WIDTH, ones, EPS, out, 0));
        jobs.put("RmsNorm.backward", i -> RmsNorm.backward(x, 0, 9, WIDTH, ones, EPS, x, 0, sums, 0, i % 2 == 0 ? null : sums));
    }

    private void scan(String how, int tokens, int channels, int states) {
        int size = channels * states;
        int stride = 2 * states;
        float[] u = numbers(tokens * channels);
        float[] delta = new float[tokens * channels];
        float[] a = new float[size];
        Arrays.fill(delta, 0.1f);
        Arrays.fill(a, -1f);
        float[] bc = numbers(tokens * stride);
        float[] state = new float[size];
        float[] all = new float[(tokens + 1) * size];
        float[] decays = new float[tokens * size];
        float[] y = new float[tokens * channels];
        SelectiveScan.Sizes of = new SelectiveScan.Sizes(tokens, channels, states);
        Rows us = Rows.of(u, 0, channels);
        Rows deltas = Rows.of(delta, 0, channels);
        Rows b = Rows.of(bc, 0, stride);
        Rows c = Rows.of(bc, states, stride);
        jobs.put("SelectiveScan.forward" + how, i ->
                SelectiveScan.forward(of, us, deltas, a, b, c, ones, state, Rows.of(y, 0, channels)));
        jobs.put("SelectiveScan.states" + how, i -> SelectiveScan.states(of, us, deltas, a, b, Rows.of(state, 0, size),
                Rows.of(all, size, size), Rows.of(i % 2 == 0 ? null : decays, 0, size)));
        float[][] beside = {new float[size], new float[size], new float[size]};
        boolean[] fed = {true, false, true};
        float[] after = new float[size];
        jobs.put("SelectiveScan.step" + how, i ->
                SelectiveScan.step(of, us, deltas, a, b, Rows.of(state, 0, size), Rows.of(after, 0, size), beside, fed));
        float[] dU = new float[tokens * channels];
        float[] dDelta = new float[tokens * channels];
        float[] dBc = new float[tokens * stride];
        float[] dA = new float[size];
        float[] dD = new float[channels];
        float[] carry = new float[size];
        jobs.put("SelectiveScan.backward" + how, i ->
                SelectiveScan.backward(of, new SelectiveScan.Inputs(us, deltas, a, b, c, ones, Rows.of(all, 0, size),
                Rows.of(decays, 0, size)), us, new SelectiveScan.Gradients(Rows.of(dU, 0, channels), Rows.of(dDelta, 0, channels),
                Rows.of(dBc, 0, stride), Rows.of(dBc, states, stride), i % 2 == 0 ? null : dA, i % 2 == 0 ? null : dD), carry));
    }

    private void heads(int width) {
        HeadScan.Sizes s = new HeadScan.Sizes(2, width, 5, 1);
        int tokens = 7;
        int stride = s.inner() + 2 * s.shared();
        int b = s.inner();
        int c = s.inner() + s.shared();
        float[] rows = numbers(tokens * stride);
        float[] delta = new float[tokens * 2];
        float[] a = {-1f, -1f};
        Arrays.fill(delta, 0.1f);
        float[] state = new float[s.size()];
        float[] all = new float[(tokens + 1) * s.size()];
        float[] decays = new float[tokens * 2];
        float[] y = new float[tokens * s.inner()];
        float[] grads = new float[tokens * stride];
        float[] steps = new float[tokens * 2];
        float[] dA = new float[2];
        float[] dD = new float[2];
        String how = ", width " + width;
        jobs.put("ChunkedScan.read" + how, i -> ChunkedScan.read(s, i % 3, tokens - i % 3, rows, 0, stride, rows, b, stride, rows,
                c + i % 3 * stride, stride, delta, 0, a, ones, i % 2 == 0 ? null : state, y, 0));
        jobs.put("ChunkedScan.close" + how, i ->
                ChunkedScan.close(s, tokens, rows, 0, stride, rows, b, stride, delta, 0, a, state, i % 2 == 0));
        jobs.put("HeadScan.states" + how, i ->
                HeadScan.states(s, tokens, rows, 0, stride, delta, 0, a, rows, b, stride, state, 0, all, 0, decays));
        jobs.put("HeadScan.backward" + how, i ->
                HeadScan.backward(s, tokens, rows, 0, stride, delta, 0, a, rows, b, c, stride, ones, all, 0, decays, 0, y, 0, grads, 0,
                stride, steps, 0, grads, b, c, stride, i % 2 == 0 ? null : dA, i % 2 == 0 ? null : dD, state));
    }

    private void attention() {
        int heads = 3;
        int width = 20;
        int d = heads * width;
        int tokens = 37;
        int past = 6;
        Attention.Heads all = Attention.Heads.of(heads, heads, width);
        float[] probs = new float[heads * tokens * (past + tokens)];
        jobs.put("Attention.forward", i ->
                Attention.forward(all, 1 + i % tokens, 0, x, 0, 3 * d, null, 0, null, 0, d, x, d, x, 2 * d, 3 * d,
                null, null, 0, out, 0, d));
        jobs.put("Attention.forward, past", i ->
                Attention.forward(all, 1 + i % tokens, past, x, 0, 3 * d, ones, 0, ones, 0, d, x, d, x, 2 * d,
                3 * d, null, probs, 0, out, 0, d));
        Attention.Cut cut = (head, source, target) -> source == 2 && target > 4;
        jobs.put("Attention.forward, cut", i ->
                Attention.forward(all, 1 + i % tokens, past, x, 0, 3 * d, ones, 0, ones, 0, d, x, d, x, 2 * d,
                3 * d, cut, null, 0, out, 0, d));
        jobs.put("Attention.backward", i ->
                Attention.backward(all, 1 + i % tokens, 0, x, 0, d, x, 0, x, 0, d, x, 0, d, out, 0, out, d,
                out, 2 * d, 3 * d));
        jobs.put("Attention.backward, past", i ->
                Attention.backward(all, 1 + i % tokens, past, x, 0, d, x, 0, x, 0, d, x, 0, d, out, 0,
                out, d, out, 2 * d, 3 * d));
        Attention.Heads grouped = Attention.Heads.of(heads, 1, width);
        jobs.put("Attention.forward, grouped", i ->
                Attention.forward(grouped, 1 + i % tokens, 0, x, 0, 3 * d, null, 0, null, 0, d, x, d, x, 2 * d, 3 * d,
                null, null, 0, out, 0, d));
        jobs.put("Attention.backward, grouped", i ->
                Attention.backward(grouped, 1 + i % tokens, 0, x, 0, d, x, 0, x, 0, d, x, 0, d, out, 0, out, d,
                out, 2 * d, 3 * d));
        Rotary rotary = new Rotary(width, 8, 10_000);
        float[] turned = numbers(tokens * 3 * d);
        jobs.put("Rotary.apply", i -> rotary.apply(turned, 0, 3 * d, tokens, i % 9, heads));
        jobs.put("Rotary.applyInverse", i -> rotary.applyInverse(turned, 0, 3 * d, tokens, i % 9, heads));
        jobs.put("LayerNorm.forward", i -> LayerNorm.forward(x, 0, 9, WIDTH, ones, ones, EPS, out, 0));
        jobs.put("LayerNorm.backward", i ->
                LayerNorm.backward(x, 0, 9, WIDTH, ones, EPS, x, 0, sums, 0, i % 2 == 0 ? null : sums, i % 2 == 0 ? null : sums));
        jobs.put("Gelu.forward", i -> Gelu.forward(x, 0, 9 * WIDTH, out, 0));
        jobs.put("TanhGelu.forward", i -> TanhGelu.forward(x, 0, 9 * WIDTH, out, 0));
        jobs.put("TanhGelu.backward", i -> TanhGelu.backward(x, 0, 9 * WIDTH, x, 0, out, 0));
        jobs.put("Gelu.backward", i -> Gelu.backward(x, 0, 9 * WIDTH, x, 0, out, 0));
    }

    private void rows() {
        for (int width : new int[] {NARROW, WIDTH}) {
            String how = width == NARROW ? ", narrow" : "";
            jobs.put("Softmax.forward" + how, i -> sum += Softmax.forward(x, 0, width, out, 0));
            jobs.put("Softmax.apply" + how, i -> Softmax.apply(out, 0, width));
            jobs.put("Softmax.backward" + how, i -> {
                System.arraycopy(x, 0, out, 0, width);
                Softmax.backward(ones, 0, width, 1f, out, 0);
            });
            jobs.put("Softmax.probability" + how, i -> sum += Softmax.probability(x, 0, width, i % width));
            jobs.put("CrossEntropy.forward" + how, i -> sum += CrossEntropy.forward(x, 0, width, i % width));
            jobs.put("CrossEntropy.backward" + how, i -> sum += CrossEntropy.backward(x, 0, width, i % width, 0.5f, out, 0));
            jobs.put("Elementwise.add" + how, i -> Elementwise.add(ones, 0, sums, 0, width));
            jobs.put("Elementwise.multiply" + how, i -> Elementwise.multiply(ones, 0, sums, 0, width));
            jobs.put("Elementwise.scale" + how, i -> Elementwise.scale(1f, sums, 0, width));
            jobs.put("Elementwise.addRows" + how, i -> Elementwise.addRows(x, 0, width, 9, width, sums));
            jobs.put("Sums.of" + how, i -> sum += Sums.of(x, 0, width));
            jobs.put("Sums.squares" + how, i -> sum += Sums.squares(x, 0, width, 0.1));
            jobs.put("Sums.products" + how, i -> sum += Sums.products(x, 0, ones, 0, width));
            jobs.put("Sums.products, three" + how, i -> sum += Sums.products(x, 0, ones, 0, x, 0, 0.1, width));
        }
    }
}
