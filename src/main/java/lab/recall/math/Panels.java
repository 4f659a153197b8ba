package lab.recall.math;

import java.util.Arrays;
import lab.recall.base.BadRequest;

/**
 * Weights in panels of a few vectors' columns, the form that the register tiles read: panel, then k, then column. The last panel may be
 * narrower. Loaded only where the Vector API is.
 */
final class Panels implements PackedMatrix.Store {
    private static final int LANES = Tiles.LANES;
    private static final int WIDE = Tiles.WIDE;
    /** Rows that go through the products together should stay within the second-level cache. */
    private static final int ROW_BLOCK = 64;
    /** Products below this many multiply-adds are not worth handing over. */
    private static final long SPLIT = 100_000;
    private static final Scratch ROWS = new Scratch();
    private static final Scratch BLOCK = new Scratch();
    private static final Scratch HALVES = new Scratch();
    private static final Scratch ACCUMULATORS = new Scratch();

    private final PackedMatrix.Storage storage;
    private final int outputs;
    private final int inputs;
    /** Panels that are WIDE, and the vectors of one more, or 0. */
    private final int wide;
    private final int tailVectors;
    private final float[] floats;
    private final int[] halves;
    /** The transpose, once it is asked for; f32 only. */
    private Panels turned;

    private Panels(PackedMatrix.Storage storage, int outputs, int inputs) {
        this.storage = storage;
        this.outputs = outputs;
        this.inputs = inputs;
        int rest = outputs % WIDE;
        boolean narrow = rest > 0 && rest <= Tiles.NARROW;
        this.wide = outputs / WIDE + (rest > 0 && !narrow ? 1 : 0);
        this.tailVectors = narrow ? 2 : 0;
        long size = ((long) wide * WIDE + (long) tailVectors * LANES) * inputs;
        boolean half = storage != PackedMatrix.Storage.F32;
        if ((half ? size / 2 : size) > Integer.MAX_VALUE - 16) {
            throw new BadRequest("", "a matrix of " + outputs + " x " + inputs + " is too large for one array");
        }
        this.floats = half ? null : new float[(int) size];
        this.halves = half ? new int[(int) (size / 2)] : null;
    }

    static Panels f32(int outputs, int inputs, PackedMatrix.Rows rows) {
        Panels p = new Panels(PackedMatrix.Storage.F32, outputs, inputs);
        Parallel.forEach(p.panels(), panel -> {
            float[] block = BLOCK.floats(WIDE * inputs);
            int first = panel * WIDE;
            int count = Math.min(WIDE, outputs - first);
            int width = p.width(first);
            for (int o = 0; o < count; o++) {
                rows.copyRow(first + o, block, o * inputs);
            }
            side(block, count, inputs, p.floats, p.start(first), width);
        });
        return p;
    }

    /** Writes rows side by side, [k][row], in the order of the target. */
    private static void side(float[] rows, int count, int inputs, float[] to, int at, int width) {
        for (int k = 0; k < inputs; k++) {
            for (int o = 0; o < count; o++) {
                to[at + k * width + o] = rows[o * inputs + k];
            }
        }
    }

    static Panels half(PackedMatrix.Storage storage, int outputs, int inputs, PackedMatrix.HalfRows rows) {
        Panels p = new Panels(storage, outputs, inputs);
        Parallel.forEach(p.panels(), panel -> {
            int first = panel * WIDE;
            int width = p.width(first);
            int count = Math.min(width, outputs - first);
            short[] block = HALVES.shorts(width * inputs);
            Arrays.fill(block, count * inputs, width * inputs, (short) 0);
            for (int o = 0; o < count; o++) {
                rows.copyRow(first + o, block, o * inputs);
                PackedMatrix.requireFinite(storage, block, o * inputs, inputs, first + o);
            }
            for (int low = 0; low < width; low += 2 * LANES) {
                for (int lane = 0; lane < LANES; lane++) {
                    pairs(block, (low + lane) * inputs, (low + LANES + lane) * inputs, inputs,
                            p.halves, p.start(first) / 2 + low / 2 + lane, width / 2);
                }
            }
        });
        return p;
    }

    /** Two rows in the low and high halves of every {@code step}-th int. */
    private static void pairs(short[] rows, int low, int high, int inputs, int[] to, int at, int step) {
        for (int k = 0; k < inputs; k++) {
            to[at + k * step] = (rows[low + k] & 0xffff) | rows[high + k] << 16;
        }
    }

    @Override
    public void copyRow(int row, float[] to, int at) {
        int step = width(row);
        if (floats != null) {
            int from = start(row) + column(row);
            for (int k = 0; k < inputs; k++) {
                to[at + k] = floats[from + k * step];
            }
            return;
        }
        int from = start(row) / 2 + halfColumn(row);
        int shift = isHigh(row) ? 16 : 0;
        for (int k = 0; k < inputs; k++) {
            to[at + k] = PackedMatrix.widen(storage, halves[from + k * step / 2] >>> shift & 0xffff);
        }
    }

    /** One weight of each output in f32, of half-size ones. */
    void copyColumn(int input, float[] to, int at) {
        for (int o = 0; o < outputs; o++) {
            int pair = halves[start(o) / 2 + halfColumn(o) + input * width(o) / 2];
            to[at + o] = PackedMatrix.widen(storage, pair >>> (isHigh(o) ? 16 : 0) & 0xffff);
        }
    }

    @Override
    public void set(float[] weights, int[] order) {
        for (int o = 0; o < outputs; o++) {
            int from = (order == null ? o : order[o]) * inputs;
            int to = start(o) + column(o);
            int width = width(o);
            for (int k = 0; k < inputs; k++) {
                floats[to + k * width] = weights[from + k];
            }
        }
        if (turned != null) {
            turnInto(turned);
        }
    }

    /** Half-size weights are turned while they are multiplied with: a copy would be as large as the model. */
    @Override
    public PackedMatrix.Store transposed() {
        if (halves != null) {
            return new TransposedPanels(this, outputs, inputs);
        }
        if (turned == null) {
            turned = new Panels(storage, inputs, outputs);
            turned.turned = this;
            turnInto(turned);
        }
        return turned;
    }

    private void turnInto(Panels other) {
        Parallel.forEach(other.panels(), p ->
                turn(0, outputs, p * WIDE, Math.min(WIDE, inputs - p * WIDE), other.floats, p * WIDE * outputs, outputs));
    }

    /**
     * Turns weights on their way to f32, into panels of their inputs: [panel][output][input]. What fills up the last panel, of weights or
     * of inputs, holds no meaning.
     *
     * @param output the first, that of a panel
     * @param input  the first
     * @param depth  room for outputs in a panel
     */
    void turn(int output, int outputCount, int input, int inputCount, float[] to, int toAt, int depth) {
        for (int o = 0; o < outputCount; o += WIDE) {
            int width = width(output + o);
            int from = start(output + o) + input * width;
            for (int i = 0; i < inputCount; i += WIDE) {
                int count = Math.min(WIDE, inputCount - i);
                int stride = Tiles.vectors(count) * LANES;
                int at = toAt + i * depth + o * stride;
                if (floats != null) {
                    Transpose.of(floats, from + i * width, width, count, Math.min(width, outputCount - o), to, at, stride);
                    continue;
                }
                for (int low = 0; low < width; low += 2 * LANES) {
                    Transpose.ofHalves(storage, halves, (from + i * width + low) / 2, width / 2, count, to, at + low * stride, stride);
                }
            }
        }
    }

    private int panels() {
        return wide + (tailVectors > 0 ? 1 : 0);
    }

    private int start(int output) {
        return output / WIDE * WIDE * inputs;
    }

    private int column(int output) {
        return output % WIDE;
    }

    private int width(int output) {
        return output / WIDE < wide ? WIDE : tailVectors * LANES;
    }

    /** Two vectors of columns share one of ints. */
    private int halfColumn(int output) {
        int column = column(output);
        return column / (2 * LANES) * LANES + column % LANES;
    }

    private boolean isHigh(int output) {
        return column(output) / LANES % 2 == 1;
    }

    @Override
    public void multiply(float[] x, int xAt, int xStride, int rows, float[] bias, boolean add, float[] y, int yAt, int yStride) {
        if (!Simd.available()) {
            plain(x, xAt, xStride, rows, bias, add, y, yAt, yStride);
            return;
        }
        int panels = panels();
        int blocks = (rows + ROW_BLOCK - 1) / ROW_BLOCK;
        boolean small = (long) rows * inputs * outputs < SPLIT;
        int perItem = small ? panels : Math.max(1, (panels + 8 * Parallel.threads() - 1) / (8 * Parallel.threads()));
        int groups = (panels + perItem - 1) / perItem;
        int blockSize = Tiles.packedSize(Math.min(rows, ROW_BLOCK), inputs);
        float[] packed = rows > 1 ? ROWS.floats(Math.multiplyExact(blocks, blockSize)) : x;
        int packedAt = rows > 1 ? 0 : xAt;
        if (rows > 1) {
            Parallel.ranges(blocks, small ? blocks : 1, (from, to) -> {
                for (int b = from; b < to; b++) {
                    int first = first(b, blocks, rows);
                    Tiles.packRows(x, xAt + first * xStride, xStride, first(b + 1, blocks, rows) - first, inputs, packed, b * blockSize);
                }
            });
        }
        // neighbouring items share the rows of x; the panels of a group are read once for each block of rows
        Parallel.forEach(blocks * groups, item -> {
            int block = item / groups;
            int first = first(block, blocks, rows);
            int count = first(block + 1, blocks, rows) - first;
            int to = Math.min(panels, (item % groups + 1) * perItem);
            float[] acc = ACCUMULATORS.floats(Tiles.padded(ROW_BLOCK) * WIDE);
            for (int p = item % groups * perItem; p < to; p++) {
                int vectors = p < wide ? Tiles.VECTORS : tailVectors;
                Tiles.panel(storage, vectors, floats, halves, p * WIDE * inputs,
                        packed, packedAt + block * blockSize, count, inputs, acc, 0, false);
                Tiles.store(acc, 0, vectors * LANES, count, Math.min(vectors * LANES, outputs - p * WIDE), bias, p * WIDE, add,
                        y, yAt + first * yStride + p * WIDE, yStride);
            }
        });
    }

    /** The products in scalars: the same chains, by loops that run well as soon as the quickest compiler has seen them. */
    void plain(float[] x, int xAt, int xStride, int rows, float[] bias, boolean add, float[] y, int yAt, int yStride) {
        Simd.did((long) rows * inputs * outputs);
        Parallel.ranges(panels(), (long) rows * inputs * outputs < SPLIT ? panels() : 1, (from, to) -> {
            float[] acc = ACCUMULATORS.floats(rows * WIDE);
            for (int p = from; p < to; p++) {
                int width = width(p * WIDE);
                int columns = Math.min(width, outputs - p * WIDE);
                boolean inPlace = floats != null && p < wide;
                float[] w = inPlace ? floats : asWide(p * WIDE);
                ScalarProducts.panel(x, xAt, xStride, rows, inputs, w, inPlace ? start(p * WIDE) : 0, WIDE, columns, acc, WIDE);
                Tiles.store(acc, 0, WIDE, rows, columns, bias, p * WIDE, add, y, yAt + p * WIDE, yStride);
            }
        });
    }

    /** A panel in f32 and {@link #WIDE} columns, [k][column]. */
    private float[] asWide(int first) {
        float[] to = BLOCK.floats(WIDE * inputs);
        int width = width(first);
        if (floats != null) {
            for (int k = 0; k < inputs; k++) {
                System.arraycopy(floats, start(first) + k * width, to, k * WIDE, width);
            }
            return to;
        }
        for (int k = 0; k < inputs; k++) {
            for (int low = 0; low < width; low += 2 * LANES) {
                widen(start(first) / 2 + (k * width + low) / 2, to, k * WIDE + low);
            }
        }
        return to;
    }

    /** Two vectors of half-size weights in f32. */
    private void widen(int from, float[] to, int at) {
        if (storage == PackedMatrix.Storage.BF16) {
            for (int lane = 0; lane < LANES; lane++) {
                to[at + lane] = Float.intBitsToFloat(halves[from + lane] << 16);
                to[at + LANES + lane] = Float.intBitsToFloat(halves[from + lane] & 0xffff0000);
            }
            return;
        }
        for (int lane = 0; lane < LANES; lane++) {
            to[at + lane] = PackedMatrix.widen(storage, halves[from + lane] & 0xffff);
            to[at + LANES + lane] = PackedMatrix.widen(storage, halves[from + lane] >>> 16);
        }
    }

    /** Blocks of whole tiles, about equal. */
    private static int first(int part, int parts, int rows) {
        return part == parts ? rows : (int) ((long) part * Tiles.padded(rows) / parts) / Tiles.ROWS * Tiles.ROWS;
    }
}
