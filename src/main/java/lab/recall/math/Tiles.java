package lab.recall.math;

import java.util.function.IntPredicate;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * What all products share: operands in the order in which register tiles read them, and a panel of columns for a block of rows.
 *
 * <p>Rows of x are packed tile by tile, [tile][k][row], {@link #STRIDE} numbers a k; w panel by panel, [panel][k][column], with 2 or 4
 * vectors of columns. Each element is one chain of fused multiply-adds over k in order, whatever the tiles and blocks. Loaded only where
 * the Vector API is.
 */
final class Tiles {
    private static final VectorSpecies<Float> S = VectorMath.LANES;
    static final int LANES = VectorMath.COUNT;
    private static final boolean MANY_REGISTERS = LANES == 16;
    /** 32 registers of 512 bits hold 6 rows of 4 vectors; 16 smaller ones hold 4 rows of 2, and what the compilers add to them. */
    static final int VECTORS = MANY_REGISTERS ? 4 : 2;
    static final int ROWS = MANY_REGISTERS ? 6 : 4;
    /** Numbers between one k and the next in a packed tile of several rows. */
    static final int STRIDE = MANY_REGISTERS ? 8 : 4;
    /** Columns of a panel, and of a last narrower one. */
    static final int WIDE = VECTORS * LANES;
    static final int NARROW = 2 * LANES;
    /** Steps of k after which the next tile is taken. A call costs as much as 40 steps; what is longer leaves the caches too early. */
    private static final int DEPTH = 1024;
    /** Rows of which columns are packed together. */
    private static final int NEAR = 32;

    private Tiles() {
    }

    /** Vectors of the panel that begins at a column: its own or, for the last columns, the fewest that hold them. */
    static int vectors(int columns) {
        return columns > NARROW ? VECTORS : 2;
    }

    private static int count(int rows) {
        return (rows + ROWS - 1) / ROWS;
    }

    /** Rows of the next tile of {@code tiles} that are left. */
    private static int next(int rows, int tiles) {
        return MANY_REGISTERS ? (rows + tiles - 1) / tiles : Math.min(ROWS, rows);
    }

    /** How many rows of accumulators so many rows need. */
    static int padded(int rows) {
        return count(rows) * ROWS;
    }

    /** How many numbers the packed rows have. */
    static int packedSize(int rows, int depth) {
        return Math.multiplyExact(count(rows) * STRIDE, depth);
    }

    /** Packs some rows for {@link #panel}; a single row stays as it lies. */
    static void packRows(float[] x, int at, int stride, int rows, int depth, float[] packed, int to) {
        if (rows == 1) {
            System.arraycopy(x, at, packed, to, depth);
            return;
        }
        int tiles = count(rows);
        for (int t = 0, first = 0; t < tiles; t++) {
            int tile = next(rows - first, tiles - t);
            packTile(x, at + first * stride, stride, tile, depth, packed, to + t * STRIDE * depth);
            first += tile;
        }
    }

    private static void packTile(float[] x, int at, int stride, int rows, int depth, float[] packed, int to) {
        int done = 0;
        if (rows >= 4) {
            pack4(x, at, at + stride, at + 2 * stride, at + 3 * stride, depth, packed, to);
            done = 4;
        }
        for (int r = done; r < rows; r++) {
            for (int k = 0; k < depth; k++) {
                packed[to + k * STRIDE + r] = x[at + r * stride + k];
            }
        }
        fill(rows, depth, packed, to);
    }

    /** Rows that a full tile has beyond the last one: zeros, not what was there, which might be slow to compute with. */
    private static void fill(int rows, int depth, float[] packed, int to) {
        for (int r = rows; r < ROWS && !MANY_REGISTERS; r++) {
            for (int k = 0; k < depth; k++) {
                packed[to + k * STRIDE + r] = 0f;
            }
        }
    }

    private static void pack4(float[] x, int at0, int at1, int at2, int at3, int depth, float[] packed, int to) {
        for (int k = LANES == 8 && Simd.available() ? Four.pack(x, at0, at1, at2, at3, depth, packed, to) : 0; k < depth; k++) {
            int place = to + k * STRIDE;
            packed[place] = x[at0 + k];
            packed[place + 1] = x[at1 + k];
            packed[place + 2] = x[at2 + k];
            packed[place + 3] = x[at3 + k];
        }
    }

    /**
     * Four rows side by side, by vectors of 8. A number gets to its lane by the place from which its row is loaded, and only halves of
     * vectors are moved: a rearrangement takes long, on Java 17 above all. What is read before a row and behind it are other rows of the
     * four.
     */
    private static final class Four {
        private static final VectorMask<Float> SECOND = lanes(i -> i % 4 == 1);
        private static final VectorMask<Float> THIRD = lanes(i -> i % 4 == 2);
        private static final VectorMask<Float> LAST = lanes(i -> i % 4 == 3);
        private static final VectorMask<Float> UPPER = lanes(i -> i >= 4);
        private static final VectorShuffle<Float> SWAP = VectorShuffle.fromOp(S, i -> i ^ 4);

        private static VectorMask<Float> lanes(IntPredicate in) {
            boolean[] all = new boolean[LANES];
            for (int i = 0; i < LANES; i++) {
                all[i] = in.test(i);
            }
            return VectorMask.fromArray(S, all, 0);
        }

        static int pack(float[] x, int at0, int at1, int at2, int at3, int depth, float[] packed, int to) {
            int k = 0;
            for (; k <= depth - 8; k += 8) {
                FloatVector v04 = FloatVector.fromArray(S, x, at0 + k).blend(FloatVector.fromArray(S, x, at1 + k - 1), SECOND)
                        .blend(FloatVector.fromArray(S, x, at2 + k - 2), THIRD).blend(FloatVector.fromArray(S, x, at3 + k - 3), LAST);
                FloatVector v15 = FloatVector.fromArray(S, x, at0 + k + 1).blend(FloatVector.fromArray(S, x, at1 + k), SECOND)
                        .blend(FloatVector.fromArray(S, x, at2 + k - 1), THIRD).blend(FloatVector.fromArray(S, x, at3 + k - 2), LAST);
                FloatVector v26 = FloatVector.fromArray(S, x, at0 + k + 2).blend(FloatVector.fromArray(S, x, at1 + k + 1), SECOND)
                        .blend(FloatVector.fromArray(S, x, at2 + k), THIRD).blend(FloatVector.fromArray(S, x, at3 + k - 1), LAST);
                FloatVector v37 = FloatVector.fromArray(S, x, at0 + k + 3).blend(FloatVector.fromArray(S, x, at1 + k + 2), SECOND)
                        .blend(FloatVector.fromArray(S, x, at2 + k + 1), THIRD).blend(FloatVector.fromArray(S, x, at3 + k), LAST);
                v04.blend(v15.rearrange(SWAP), UPPER).intoArray(packed, to + 4 * k);
                v26.blend(v37.rearrange(SWAP), UPPER).intoArray(packed, to + 4 * k + 8);
                v04.rearrange(SWAP).blend(v15, UPPER).intoArray(packed, to + 4 * k + 16);
                v26.rearrange(SWAP).blend(v37, UPPER).intoArray(packed, to + 4 * k + 24);
            }
            return k;
        }
    }

    /** Columns of x as the rows of tiles: for products with its transpose. */
    static void packColumns(float[] x, int at, int stride, int columns, int depth, float[] packed, int to) {
        if (columns == 1) {
            for (int k = 0; k < depth; k++) {
                packed[to + k] = x[at + k * stride];
            }
            return;
        }
        int tiles = count(columns);
        for (int k = 0; k < depth; k += NEAR) {             // all tiles of some rows, while these are in the first-level cache
            int end = Math.min(depth, k + NEAR);
            for (int t = 0, first = 0; t < tiles; t++) {
                int tile = next(columns - first, tiles - t);
                columns(x, at + first, stride, tile, k, end, depth, packed, to + t * STRIDE * depth);
                first += tile;
            }
        }
        fill(columns - (tiles - 1) * ROWS, depth, packed, to + (tiles - 1) * STRIDE * depth);
    }

    private static void columns(float[] x, int at, int stride, int columns, int first, int end, int depth, float[] packed, int to) {
        for (int k = Simd.available() ? wholeVectors(x, at, stride, first, end, depth, packed, to) : first; k < end; k++) {
            for (int r = 0; r < columns; r++) {
                packed[to + k * STRIDE + r] = x[at + k * stride + r];
            }
        }
    }

    /**
     * Copies whole vectors as long as they end within x and the tile; what goes beyond the columns is overwritten by the next k, or not
     * read.
     */
    private static int wholeVectors(float[] x, int at, int stride, int first, int end, int depth, float[] packed, int to) {
        int stop = Math.min(end, depth - (LANES - 1) / STRIDE);
        int k = first;
        for (int from = at + k * stride; k < stop && from <= x.length - LANES; k++) {
            FloatVector.fromArray(S, x, from).intoArray(packed, to + k * STRIDE);
            from += stride;
        }
        return k;
    }

    /** Length of a matrix of this width and depth in panels. */
    static int panelled(int width, int depth) {
        int rest = width % WIDE;
        return (width - rest + (rest == 0 ? 0 : vectors(rest) * LANES)) * depth;
    }

    /** Rows {@code first ..} of a [depth, width] matrix into its panels, the last one filled up with zeros. */
    static void packPanels(float[] m, int at, int stride, int first, int rows, int depth, int width, float[] packed, int to) {
        for (int j = 0; j < width; j += WIDE) {
            int columns = Math.min(WIDE, width - j);
            int wide = vectors(columns) * LANES;
            copyRows(m, at + j, stride, rows, columns, packed, to + j * depth + first * wide, wide);
        }
    }

    /**
     * Columns {@code first ..} of a [depth, width] matrix, each from a row of m, into its panels; what fills the last one up is left as it
     * is.
     */
    static void packPanelColumns(float[] m, int at, int stride, int first, int columns, int depth, int width, float[] packed, int to) {
        for (int c = 0; c < columns;) {
            int j = (first + c) / WIDE * WIDE;
            int wide = vectors(Math.min(WIDE, width - j)) * LANES;
            int lane = first + c - j;
            int count = Math.min(columns - c, wide - lane);
            Transpose.of(m, at + c * stride, stride, count, depth, packed, to + j * depth + lane, wide);
            c += count;
        }
    }

    /** Some columns of rows one after another, filled up with zeros. */
    private static void copyRows(float[] m, int at, int stride, int rows, int columns, float[] packed, int to, int wide) {
        if (columns == 2 * LANES && wide == columns && Simd.available()) {
            copyTwo(m, at, stride, rows, packed, to);
            return;
        }
        for (int r = 0; r < rows; r++) {
            packRow(m, at + r * stride, columns, packed, to + r * wide, wide);
        }
    }

    /** The usual panel, without a loop inside. */
    private static void copyTwo(float[] m, int at, int stride, int rows, float[] packed, int to) {
        for (int r = 0; r < rows; r++) {
            int from = at + r * stride;
            FloatVector.fromArray(S, m, from).intoArray(packed, to + r * 2 * LANES);
            FloatVector.fromArray(S, m, from + LANES).intoArray(packed, to + r * 2 * LANES + LANES);
        }
    }

    private static void packRow(float[] m, int at, int columns, float[] packed, int to, int wide) {
        int i = 0;
        for (; i <= columns - LANES && Simd.available(); i += LANES) {
            FloatVector.fromArray(S, m, at + i).intoArray(packed, to + i);
        }
        for (; i < columns; i++) {
            packed[to + i] = m[at + i];
        }
        for (; i < wide; i++) {
            packed[to + i] = 0f;
        }
    }

    /**
     * One panel's columns for a block of packed rows.
     *
     * @param floats  the panel from {@code wAt} on; for half-size storage {@code halves}, two numbers in an int
     * @param acc     receives [rows][vectors * LANES], and numbers of no meaning up to {@link #padded}; with {@code resume} it holds what
     *                to add to
     */
    static void panel(PackedMatrix.Storage storage, int vectors, float[] floats, int[] halves, int wAt,
            float[] x, int xAt, int rows, int depth, float[] acc, int accAt, boolean resume) {
        int width = vectors * LANES;
        int tiles = count(rows);
        int stride = rows == 1 ? 1 : STRIDE;
        for (int k = 0; k < depth; k += DEPTH) {
            int steps = Math.min(DEPTH, depth - k);
            for (int t = 0, first = 0; t < tiles; t++) {
                int tile = next(rows - first, tiles - t);
                tile(storage, vectors, rows == 1 ? 1 : MANY_REGISTERS ? tile : ROWS, x, xAt + (t * depth + k) * stride,
                        floats, halves, wAt + k * width, steps, acc, accAt + first * width, resume || k > 0);
                first += tile;
            }
        }
    }

    private static void tile(PackedMatrix.Storage storage, int vectors, int rows, float[] x, int xAt,
            float[] floats, int[] halves, int wAt, int depth, float[] acc, int accAt, boolean resume) {
        boolean two = vectors == 2;
        switch (storage) {
            case F32 -> {
                if (two) {
                    TileF32x2.run(rows, x, xAt, floats, wAt, depth, acc, accAt, resume);
                } else {
                    TileF32x4.run(rows, x, xAt, floats, wAt, depth, acc, accAt, resume);
                }
            }
            case BF16 -> {
                if (two) {
                    TileBF16x2.run(rows, x, xAt, halves, wAt / 2, depth, acc, accAt, resume);
                } else {
                    TileBF16x4.run(rows, x, xAt, halves, wAt / 2, depth, acc, accAt, resume);
                }
            }
            default -> {
                if (two) {
                    TileF16x2.run(rows, x, xAt, halves, wAt / 2, depth, acc, accAt, resume);
                } else {
                    TileF16x4.run(rows, x, xAt, halves, wAt / 2, depth, acc, accAt, resume);
                }
            }
        }
    }

    /**
     * Moves a panel's result to its place: {@code c = acc}, or with {@code bias} {@code c = acc + bias}, and with {@code add}
     * {@code c += ..}.
     *
     * @param bias of all columns, its first at {@code biasAt}; null for none
     */
    static void store(float[] acc, int accAt, int width, int rows, int columns,
            float[] bias, int biasAt, boolean add, float[] c, int cAt, int cStride) {
        if (columns == 2 * LANES && width == columns && Simd.available()) {
            storeTwo(acc, accAt, rows, bias, biasAt, add, c, cAt, cStride);
            return;
        }
        for (int r = 0; r < rows; r++) {
            storeRow(acc, accAt + r * width, columns, bias, biasAt, add, c, cAt + r * cStride);
        }
    }

    /** The usual panel, without a loop inside: products of little depth spend much of their time here. */
    private static void storeTwo(float[] acc, int accAt, int rows, float[] bias, int biasAt, boolean add, float[] c, int cAt, int cStride) {
        FloatVector nothing = FloatVector.broadcast(S, -0f);            // leaves every number as it is, 0 too
        FloatVector bias0 = bias == null ? nothing : FloatVector.fromArray(S, bias, biasAt);
        FloatVector bias1 = bias == null ? nothing : FloatVector.fromArray(S, bias, biasAt + LANES);
        for (int r = 0; r < rows; r++) {
            FloatVector v0 = FloatVector.fromArray(S, acc, accAt + r * 2 * LANES).add(bias0);
            FloatVector v1 = FloatVector.fromArray(S, acc, accAt + r * 2 * LANES + LANES).add(bias1);
            int to = cAt + r * cStride;
            if (add) {
                v0 = FloatVector.fromArray(S, c, to).add(v0);
                v1 = FloatVector.fromArray(S, c, to + LANES).add(v1);
            }
            v0.intoArray(c, to);
            v1.intoArray(c, to + LANES);
        }
    }

    private static void storeRow(float[] acc, int at, int columns, float[] bias, int biasAt, boolean add, float[] c, int to) {
        int i = 0;
        for (; i <= columns - LANES && Simd.available(); i += LANES) {
            FloatVector v = FloatVector.fromArray(S, acc, at + i);
            if (bias != null) {
                v = v.add(FloatVector.fromArray(S, bias, biasAt + i));
            }
            if (add) {
                v = FloatVector.fromArray(S, c, to + i).add(v);
            }
            v.intoArray(c, to + i);
        }
        for (; i < columns; i++) {
            float v = bias == null ? acc[at + i] : acc[at + i] + bias[biasAt + i];
            c[to + i] = add ? c[to + i] + v : v;
        }
    }

    /** The way back, for a product that goes on from what stands in c. */
    static void load(float[] acc, int accAt, int width, int rows, int columns, float[] c, int cAt, int cStride) {
        copyRows(c, cAt, cStride, rows, columns, acc, accAt, width);
    }
}
