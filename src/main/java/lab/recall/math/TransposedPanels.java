package lab.recall.math;

/**
 * Products with the transpose of half-size weights that stay in {@link Panels}: y = x W, for going backwards. Blocks of W are turned on
 * the way, in f32, each for all rows; nothing of them is kept.
 *
 * <p>Every y[r, i] is one chain of fused multiply-adds over the outputs of W in order, the bits that a packed W' would give. Loaded only
 * where the Vector API is.
 */
final class TransposedPanels implements PackedMatrix.Store {
    private static final int LANES = Tiles.LANES;
    private static final int WIDE = Tiles.WIDE;
    /** Panels of W' that are turned together, 64 columns: of each panel of W so much is read at a time that memory follows. */
    private static final int TOGETHER = 64 / WIDE;
    /** Outputs of W that are turned together, whole panels: such a block stays within the second-level cache, with what is beside it. */
    private static final int DEPTH = 512;
    /** Products below this many multiply-adds are not worth handing over. */
    private static final long SPLIT = 100_000;
    private static final Scratch ROWS = new Scratch();
    private static final Scratch BLOCK = new Scratch();
    private static final Scratch ACCUMULATORS = new Scratch();

    private final Panels weights;
    /** Of W. */
    private final int outputs;
    private final int inputs;

    TransposedPanels(Panels weights, int outputs, int inputs) {
        this.weights = weights;
        this.outputs = outputs;
        this.inputs = inputs;
    }

    @Override
    public void multiply(float[] x, int xAt, int xStride, int rows, float[] bias, boolean add, float[] y, int yAt, int yStride) {
        int panels = (inputs + WIDE - 1) / WIDE;
        int items = (panels + TOGETHER - 1) / TOGETHER;
        boolean small = (long) rows * inputs * outputs < SPLIT;
        float[] packed = rows > 1 ? ROWS.floats(Tiles.packedSize(rows, outputs)) : x;
        if (rows > 1) {
            Parallel.ranges((outputs + DEPTH - 1) / DEPTH, small ? outputs : 1, (from, to) -> {
                for (int k = from * DEPTH; k < Math.min(outputs, to * DEPTH); k += DEPTH) {
                    Tiles.packRows(x, xAt + k, xStride, rows, Math.min(DEPTH, outputs - k), packed, Tiles.packedSize(rows, k));
                }
            });
        }
        Parallel.ranges(items, small ? items : 1, (from, to) -> {
            for (int item = from; item < to; item++) {
                int first = item * TOGETHER * WIDE;
                columns(packed, rows > 1 ? 0 : xAt, rows, first, Math.min(inputs - first, TOGETHER * WIDE), bias, add, y, yAt, yStride);
            }
        });
    }

    /** Some columns of y for all rows. */
    private void columns(float[] packed, int packedAt, int rows, int first, int count, float[] bias, boolean add,
            float[] y, int yAt, int yStride) {
        float[] block = BLOCK.floats(TOGETHER * DEPTH * WIDE);
        int size = Tiles.padded(rows) * WIDE;
        float[] acc = ACCUMULATORS.floats(TOGETHER * size);
        for (int k = 0; k < outputs; k += DEPTH) {
            int depth = Math.min(DEPTH, outputs - k);
            int x = packedAt + (rows > 1 ? Tiles.packedSize(rows, k) : k);
            weights.turn(k, depth, first, count, block, 0, DEPTH);
            for (int c = 0; c < count; c += WIDE) {
                Tiles.panel(PackedMatrix.Storage.F32, Tiles.vectors(Math.min(WIDE, count - c)), block, null, c * DEPTH,
                        packed, x, rows, depth, acc, c / WIDE * size, k > 0);
            }
        }
        for (int c = 0; c < count; c += WIDE) {
            int columns = Math.min(WIDE, count - c);
            Tiles.store(acc, c / WIDE * size, Tiles.vectors(columns) * LANES, rows, columns, bias, first + c, add,
                    y, yAt + first + c, yStride);
        }
    }

    @Override
    public void copyRow(int row, float[] to, int at) {
        weights.copyColumn(row, to, at);
    }

    @Override
    public void set(float[] other, int[] order) {
        throw new IllegalStateException("half-size weights are not set");
    }

    @Override
    public PackedMatrix.Store transposed() {
        return weights;
    }
}
