package lab.recall.math;

import jdk.incubator.vector.FloatVector;

/**
 * Weights in panels of a few vectors' columns, the form that the register tiles read: panel, then k, then column. The last panel may be
 * narrower. Loaded only where the Vector API is.
 */
final class Panels implements PackedMatrix.Store {
    static final int LANES = FloatVector.SPECIES_PREFERRED.length();
    /** 32 registers of 512 bits hold 6 rows of 4 vectors; 16 smaller ones hold 4 rows of 2, and what the compilers add to them. */
    static final int VECTORS = LANES == 16 ? 4 : 2;
    static final int TILE_ROWS = LANES == 16 ? 6 : 4;
    private static final int WIDE = VECTORS * LANES;
    private static final int NARROW = 2 * LANES;
    /** Rows and a panel that go through the products together should stay within the second-level cache. */
    private static final int CACHE_FLOATS = 150_000;
    private static final int DEPTH = 384;
    private static final int ROW_BLOCK = 96;
    /** Rows that meet at most so many columns of f32 are read where they lie: packing them would cost more than it saves. */
    private static final int PLAIN = 512;
    /** Products below this many multiply-adds are not worth handing over. */
    private static final long SPLIT = 100_000;
    private static final Scratch TAIL = new Scratch();
    private static final Scratch ROWS = new Scratch();

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
        boolean narrow = rest > 0 && rest <= NARROW;
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
    public void multiply(float[] x, int xAt, int xStride, int rows, float[] y, int yAt, int yStride) {
        int panels = wide + (tailVectors > 0 ? 1 : 0);
        int blocks = (rows + ROW_BLOCK - 1) / ROW_BLOCK;
        boolean small = (long) rows * inputs * outputs < SPLIT;
        int perItem = small ? panels : Math.max(1, (panels + 8 * Parallel.threads() - 1) / (8 * Parallel.threads()));
        int groups = (panels + perItem - 1) / perItem;
        boolean pack = storage != PackedMatrix.Storage.F32 || outputs > PLAIN;
        float[] packed = pack && rows > 1 ? ROWS.floats(Math.multiplyExact(rows, inputs)) : x;
        int packedAt = packed == x ? xAt : 0;
        int stride = pack ? 0 : xStride;
        if (packed != x) {
            Parallel.forEach(small ? 1 : blocks, i -> {
                for (int b = small ? 0 : i; b < (small ? blocks : i + 1); b++) {
                    pack(x, xAt, xStride, first(b, blocks, rows), first(b + 1, blocks, rows), packed);
                }
            });
        }
        // neighbouring items share the rows of x; the panels of a group are read once for each block of rows
        Parallel.forEach(blocks * groups, item -> {
            int block = item / groups;
            int first = first(block, blocks, rows);
            int count = first(block + 1, blocks, rows) - first;
            int to = Math.min(panels, (item % groups + 1) * perItem);
            for (int p = item % groups * perItem; p < to; p++) {
                panel(p, packed, packedAt + first * (pack ? inputs : xStride), stride, count, y, yAt + first * yStride, yStride);
            }
        });
    }

    private static int first(int part, int parts, int rows) {
        return (int) ((long) part * rows / parts);
    }

    /** Writes the rows of each tile side by side, [k][row]: tile by tile at the place of its first row. */
    private void pack(float[] x, int xAt, int xStride, int from, int to, float[] packed) {
        int tiles = tiles(to - from);
        for (int t = 0; t < tiles; t++) {
            int first = from + first(t, tiles, to - from);
            int count = from + first(t + 1, tiles, to - from) - first;
            for (int r = 0; r < count; r++) {
                int source = xAt + (first + r) * xStride;
                int target = first * inputs + r;
                for (int k = 0; k < inputs; k++) {
                    packed[target + k * count] = x[source + k];
                }
            }
        }
    }

    private static int tiles(int rows) {
        return (rows + TILE_ROWS - 1) / TILE_ROWS;
    }

    /**
     * One panel's columns for the rows of a block.
     *
     * @param xStride row stride of x, 0 where it is packed
     */
    private void panel(int p, float[] x, int xAt, int xStride, int rows, float[] y, int yAt, int yStride) {
        int vectors = p < wide ? VECTORS : tailVectors;
        int width = vectors * LANES;
        int columns = Math.min(width, outputs - p * WIDE);
        if (columns == width) {
            rows(p, vectors, x, xAt, xStride, rows, y, yAt + p * WIDE, yStride);
            return;
        }
        float[] tile = TAIL.floats(rows * width);
        rows(p, vectors, x, xAt, xStride, rows, tile, 0, width);
        for (int r = 0; r < rows; r++) {
            System.arraycopy(tile, r * width, y, yAt + r * yStride + p * WIDE, columns);
        }
    }

    private void rows(int p, int vectors, float[] x, int xAt, int xStride, int rows, float[] c, int cAt, int cStride) {
        int width = vectors * LANES;
        int depth = (long) (rows + width) * inputs <= CACHE_FLOATS ? inputs : DEPTH;
        int tiles = tiles(rows);
        for (int k = 0; k < inputs; k += depth) {
            int steps = Math.min(depth, inputs - k);
            int panelAt = p * WIDE * inputs + k * width;
            for (int t = 0; t < tiles; t++) {
                int first = first(t, tiles, rows);
                int count = first(t + 1, tiles, rows) - first;
                int y = cAt + first * cStride;
                if (xStride == 0) {
                    tile(vectors, count, x, xAt + first * inputs + k * count, panelAt, steps, c, y, cStride, k > 0);
                } else if (vectors == 2) {
                    RowTilex2.run(count, x, xAt + first * xStride + k, xStride, floats, panelAt, width, steps, c, y, cStride, k > 0);
                } else {
                    RowTilex4.run(count, x, xAt + first * xStride + k, xStride, floats, panelAt, width, steps, c, y, cStride, k > 0);
                }
            }
        }
    }

    private void tile(int vectors, int rows, float[] x, int xAt, int panelAt, int depth, float[] c, int cAt, int cStride, boolean resume) {
        boolean two = vectors == 2;
        switch (storage) {
            case F32 -> {
                if (two) {
                    TileF32x2.run(rows, x, xAt, floats, panelAt, depth, c, cAt, cStride, resume);
                } else {
                    TileF32x4.run(rows, x, xAt, floats, panelAt, depth, c, cAt, cStride, resume);
                }
            }
            case BF16 -> {
                if (two) {
                    TileBF16x2.run(rows, x, xAt, halves, panelAt / 2, depth, c, cAt, cStride, resume);
                } else {
                    TileBF16x4.run(rows, x, xAt, halves, panelAt / 2, depth, c, cAt, cStride, resume);
                }
            }
            default -> {
                if (two) {
                    TileF16x2.run(rows, x, xAt, halves, panelAt / 2, depth, c, cAt, cStride, resume);
                } else {
                    TileF16x4.run(rows, x, xAt, halves, panelAt / 2, depth, c, cAt, cStride, resume);
                }
            }
        }
    }
}
