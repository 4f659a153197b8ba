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
    private static final Scratch BLOCK = new Scratch();

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
            short[][] block = new short[WIDE][];
            int first = panel * WIDE;
            int width = p.width(first);
            short[] none = new short[inputs];
            for (int o = 0; o < width; o++) {
                block[o] = none;
                if (first + o < outputs) {
                    block[o] = new short[inputs];
                    rows.copyRow(first + o, block[o], 0);
                    PackedMatrix.requireFinite(storage, block[o], first + o);
                }
            }
            for (int low = 0; low < width; low += 2 * LANES) {
                for (int lane = 0; lane < LANES; lane++) {
                    pairs(block[low + lane], block[low + LANES + lane], inputs, p.halves, p.start(first) / 2 + low / 2 + lane, width / 2);
                }
            }
        });
        return p;
    }

    /** Two rows in the low and high halves of every {@code step}-th int. */
    private static void pairs(short[] low, short[] high, int inputs, int[] to, int at, int step) {
        for (int k = 0; k < inputs; k++) {
            to[at + k * step] = low[k] & 0xffff | high[k] << 16;
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

    @Override
    public void setRow(int row, float[] from, int at, int step) {
        int to = start(row) + column(row);
        int width = width(row);
        for (int k = 0; k < inputs; k++) {
            floats[to + k * width] = from[at + k * step];
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
    public void multiply(float[] x, int xAt, int xStride, int rows, float[] y, int yAt, int yStride) {
        if (!Simd.available()) {
            plain(x, xAt, xStride, rows, y, yAt, yStride);
            return;
        }
        int panels = panels();
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

    /** The products in scalars: the same chains, by loops that run well as soon as the quickest compiler has seen them. */
    void plain(float[] x, int xAt, int xStride, int rows, float[] y, int yAt, int yStride) {
        Simd.did((long) rows * inputs * outputs);
        Parallel.ranges(panels(), (long) rows * inputs * outputs < SPLIT ? panels() : 1, (from, to) -> {
            for (int p = from; p < to; p++) {
                int columns = Math.min(width(p * WIDE), outputs - p * WIDE);
                boolean inPlace = floats != null && p < wide;
                float[] w = inPlace ? floats : asWide(p * WIDE);
                int wAt = inPlace ? start(p * WIDE) : 0;
                int r = 0;
                for (; r <= rows - 4; r += 4) {
                    int at = yAt + r * yStride + p * WIDE;
                    int j = 0;
                    for (; j <= columns - 2; j += 2) {
                        fourRows(x, xAt + r * xStride, xStride, w, wAt + j, y, at + j, yStride);
                    }
                    for (int i = 0; i < 4 && j < columns; i++) {
                        y[at + i * yStride + j] = chain(x, xAt + (r + i) * xStride, w, wAt + j);
                    }
                }
                for (; r < rows; r++) {
                    int at = yAt + r * yStride + p * WIDE;
                    int j = 0;
                    for (; j <= columns - 8; j += 8) {
                        eightColumns(x, xAt + r * xStride, w, wAt + j, y, at + j);
                    }
                    for (; j < columns; j++) {
                        y[at + j] = chain(x, xAt + r * xStride, w, wAt + j);
                    }
                }
            }
        });
    }

    private void fourRows(float[] x, int x0, int xStride, float[] w, int wAt, float[] y, int yAt, int yStride) {
        int x1 = x0 + xStride;
        int x2 = x1 + xStride;
        int x3 = x2 + xStride;
        float c00 = 0f;
        float c01 = 0f;
        float c10 = 0f;
        float c11 = 0f;
        float c20 = 0f;
        float c21 = 0f;
        float c30 = 0f;
        float c31 = 0f;
        for (int k = 0; k < inputs; k++) {
            float w0 = w[wAt + k * WIDE];
            float w1 = w[wAt + k * WIDE + 1];
            c00 = Math.fma(x[x0 + k], w0, c00);
            c01 = Math.fma(x[x0 + k], w1, c01);
            c10 = Math.fma(x[x1 + k], w0, c10);
            c11 = Math.fma(x[x1 + k], w1, c11);
            c20 = Math.fma(x[x2 + k], w0, c20);
            c21 = Math.fma(x[x2 + k], w1, c21);
            c30 = Math.fma(x[x3 + k], w0, c30);
            c31 = Math.fma(x[x3 + k], w1, c31);
        }
        y[yAt] = c00;
        y[yAt + 1] = c01;
        y[yAt + yStride] = c10;
        y[yAt + yStride + 1] = c11;
        y[yAt + 2 * yStride] = c20;
        y[yAt + 2 * yStride + 1] = c21;
        y[yAt + 3 * yStride] = c30;
        y[yAt + 3 * yStride + 1] = c31;
    }

    private void eightColumns(float[] x, int xAt, float[] w, int wAt, float[] y, int yAt) {
        float c0 = 0f;
        float c1 = 0f;
        float c2 = 0f;
        float c3 = 0f;
        float c4 = 0f;
        float c5 = 0f;
        float c6 = 0f;
        float c7 = 0f;
        for (int k = 0; k < inputs; k++) {
            float v = x[xAt + k];
            int at = wAt + k * WIDE;
            c0 = Math.fma(v, w[at], c0);
            c1 = Math.fma(v, w[at + 1], c1);
            c2 = Math.fma(v, w[at + 2], c2);
            c3 = Math.fma(v, w[at + 3], c3);
            c4 = Math.fma(v, w[at + 4], c4);
            c5 = Math.fma(v, w[at + 5], c5);
            c6 = Math.fma(v, w[at + 6], c6);
            c7 = Math.fma(v, w[at + 7], c7);
        }
        y[yAt] = c0;
        y[yAt + 1] = c1;
        y[yAt + 2] = c2;
        y[yAt + 3] = c3;
        y[yAt + 4] = c4;
        y[yAt + 5] = c5;
        y[yAt + 6] = c6;
        y[yAt + 7] = c7;
    }

    private float chain(float[] x, int xAt, float[] w, int wAt) {
        float c = 0f;
        for (int k = 0; k < inputs; k++) {
            c = Math.fma(x[xAt + k], w[wAt + k * WIDE], c);
        }
        return c;
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
