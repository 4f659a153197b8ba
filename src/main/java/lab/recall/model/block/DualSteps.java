package lab.recall.model.block;

import lab.recall.math.HeadScan;

/**
 * A scan of heads in parts; a state [H, N, P] is [H, P, N] at its hook points.
 *
 * @param x     what holds the inputs, [T, E] with a row stride
 * @param bc    what holds B and, where it is read, C, [T, G N] with a row stride
 * @param delta [T, H] from {@code deltaAt} on
 * @param reads where the scan's output goes; null for a recurrence that nobody reads
 */
record DualSteps(DualSizes c, StateSpaceDualBlock.Parts w, float[] x, int xAt, int xStride, float[] delta, int deltaAt, float[] bc, int bAt,
                 int cAt, int bcStride, float[] reads, int readsAt) implements Memory.Steps {
    @Override
    public int size() {
        return c.scan().size();
    }

    @Override
    public void run(int first, int tokens, float[] state) {
        int at = xAt + first * xStride;
        int steps = deltaAt + first * c.scan().heads();
        int b = bAt + first * bcStride;
        if (reads == null) {
            HeadScan.advance(c.scan(), tokens, x, at, xStride, delta, steps, w.a(), bc, b, bcStride, state, 0);
        } else {
            HeadScan.forward(c.scan(), tokens, x, at, xStride, delta, steps, w.a(), bc, b, cAt + first * bcStride, bcStride, w.skip(),
                    state, 0, reads, readsAt + first * c.inner());
        }
    }

    @Override
    public void write(int token, float[] term) {
        HeadScan.write(c.scan(), x, xAt + token * xStride, delta, deltaAt + token * c.scan().heads(), bc, bAt + token * bcStride, term);
    }

    @Override
    public void advance(int token, float[] term, float[] state) {
        HeadScan.advance(c.scan(), delta, deltaAt + token * c.scan().heads(), w.a(), term, state);
    }

    @Override
    public void read(int token, float[] state) {
        if (reads != null) {
            HeadScan.read(c.scan(), x, xAt + token * xStride, bc, cAt + token * bcStride, w.skip(), state, reads,
                    readsAt + token * c.inner());
        }
    }

    @Override
    public void toNatural(float[] own, float[] natural) {
        c.turn(own, c.scan().states(), c.scan().width(), natural);
    }

    @Override
    public void toOwn(float[] natural, float[] own) {
        c.turn(natural, c.scan().width(), c.scan().states(), own);
    }
}
