package lab.recall.math;

/**
 * Weights in panels of a few vectors' columns, the form that the register tiles read: panel, then k, then column. The last panel may be
 * narrower. Loaded only where the Vector API is.
 */
final class Panels implements PackedMatrix.Store {
    private static final int LANES = Tiles.LANES;
    private static final int WIDE = Tiles.WIDE;
    /** Rows that go through the products together should stay within the second-level cache. */
    private static final int ROW_BLOCK = 32;
    /** Products below this many multiply-adds are not worth handing over. */
    private static final long SPLIT = 100_000;
    private static final Scratch ROWS = new Scratch();
    private static final Scratch ACCUMULATORS = new Scratch();

    private final PackedMatrix.Storage storage;
    private final int outputs;
    private final int inputs;
    /** Panels that are WIDE, and the vectors of one more, or 0. */
    private final int wide;
    private final int tailVectors;
    private final float[] floats;
    private final int[] halves;

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
            throw new IllegalArgumentException("a matrix of " + outputs + " x " + inputs + " is too large for one array");
        }
        this.floats = half ? null : new float[(int) size];
        this.halves = half ? new int[(int) (size / 2)] : null;
    }

    static Panels f32(int outputs, int inputs, PackedMatrix.Rows rows) {
        Panels p = new Panels(PackedMatrix.Storage.F32, outputs, inputs);
        float[] row = new float[inputs];
        for (int o = 0; o < outputs; o++) {
            rows.copyRow(o, row, 0);
            p.setRow(o, row, 0, 1);
        }
        return p;
    }

    static Panels half(PackedMatrix.Storage storage, int outputs, int inputs, PackedMatrix.HalfRows rows) {
        Panels p = new Panels(storage, outputs, inputs);
        short[] row = new short[inputs];
        for (int o = 0; o < outputs; o++) {
            rows.copyRow(o, row, 0);
            PackedMatrix.requireFinite(storage, row, o);
            int at = p.start(o) / 2 + p.halfColumn(o);
            int step = p.width(o) / 2;
            int shift = p.isHigh(o) ? 16 : 0;
            for (int k = 0; k < inputs; k++) {
                p.halves[at + k * step] |= (row[k] & 0xffff) << shift;
            }
        }
        return p;
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

    @Override
    public void setRow(int row, float[] from, int at, int step) {
        int to = start(row) + column(row);
        int width = width(row);
        for (int k = 0; k < inputs; k++) {
            floats[to + k * width] = from[at + k * step];
        }
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
        int panels = wide + (tailVectors > 0 ? 1 : 0);
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
                Tiles.panel(storage, vectors, floats, halves, p * WIDE * inputs, packed, packedAt + block * blockSize, count, inputs, acc, 0, false);
                Tiles.store(acc, 0, vectors * LANES, count, Math.min(vectors * LANES, outputs - p * WIDE), bias, p * WIDE, add,
                        y, yAt + first * yStride + p * WIDE, yStride);
            }
        });
    }

    /** Blocks of whole tiles, about equal. */
    private static int first(int part, int parts, int rows) {
        return part == parts ? rows : (int) ((long) part * Tiles.padded(rows) / parts) / Tiles.ROWS * Tiles.ROWS;
    }
}
