package lab.recall.model.block;

import lab.recall.math.HeadScan;

/**
 * Some tokens' way through a scan of heads, chunk by chunk; a state [H, N, P] is [H, P, N] at its hook points.
 *
 * @param chunk where the scan is, before the first of them
 * @param x     what holds the inputs, [T, E] with a row stride
 * @param bc    what holds B and, where it is read, C, [T, G N] with a row stride
 * @param delta [T, H] from {@code deltaAt} on
 * @param reads where the scan's output goes; null for a scan that nobody reads
 */
record DualSteps(DualChunk chunk, DualSizes c, StateSpaceDualBlock.Parts w, float[] x, int xAt, int xStride, float[] delta, int deltaAt,
                 float[] bc, int bAt, int cAt, int bcStride, float[] reads, int readsAt) implements Memory.Steps {
    /** Takes some tokens together, and reads each, without a state of theirs. */
    void take(int first, int tokens) {
        int end = first + tokens;
        for (int t = first; t < end;) {
            int some = Math.min(end - t, chunk.room());
            add(t, some);
            if (reads != null) {
                chunk.read(some, bc, cAt + t * bcStride, bcStride, reads, readsAt + t * c.inner());
            }
            t += some;
        }
    }

    private void add(int first, int tokens) {
        chunk.add(tokens, x, xAt + first * xStride, xStride, bc, bAt + first * bcStride, bcStride, delta,
                deltaAt + first * c.scan().heads());
    }

    @Override
    public int size() {
        return c.scan().size();
    }

    @Override
    public void run(int first, int tokens, float[] state) {
        if (tokens > 0) {
            take(first, tokens);
            chunk.state(state);
        }
    }

    @Override
    public void write(int token, float[] term) {
        HeadScan.write(c.scan(), x, xAt + token * xStride, delta, deltaAt + token * c.scan().heads(), bc, bAt + token * bcStride, term);
    }

    @Override
    public void advance(int token, float[] term, float[] state) {
        chunk.settle(state);
        HeadScan.advance(c.scan(), delta, deltaAt + token * c.scan().heads(), w.a(), term, state);
    }

    @Override
    public void read(int token, float[] state, boolean changed) {
        if (!changed) {
            take(token, 1);
            return;
        }
        chunk.room();
        add(token, 1);
        if (reads != null) {
            HeadScan.read(c.scan(), x, xAt + token * xStride, bc, cAt + token * bcStride, w.skip(), state, reads,
                    readsAt + token * c.inner());
        }
    }

    @Override
    public void changed(float[] state) {
        chunk.changed(state);
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
