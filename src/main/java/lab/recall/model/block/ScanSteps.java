package lab.recall.model.block;

import lab.recall.math.Rows;
import lab.recall.math.SelectiveScan;
import lab.recall.model.Weights;

/**
 * A selective scan in parts; a state [N, E] is [E, N] at its hook points.
 *
 * @param u     inputs, [T, E], like delta and y
 * @param b     [T, N], like C
 * @param reads where the scan's output goes; null, like C, for a scan that nobody reads
 * @param after where the state behind each token goes then, [T, N, E]
 */
record ScanSteps(ScanSizes sizes, SelectiveScanBlock.Parts w, Rows u, Rows delta, Rows b, Rows c, Rows reads, Rows after)
        implements Memory.Steps {
    private static Rows at(Rows rows, int token) {
        return Rows.of(rows.array(), rows.at() + token * rows.stride(), rows.stride());
    }

    private SelectiveScan.Sizes of(int tokens) {
        return new SelectiveScan.Sizes(tokens, sizes.inner(), sizes.states());
    }

    @Override
    public int size() {
        return sizes.inner() * sizes.states();
    }

    @Override
    public void run(int first, int tokens, float[] state) {
        if (reads != null) {
            SelectiveScan.forward(of(tokens), at(u, first), at(delta, first), w.a(), at(b, first), at(c, first), w.skip(), state,
                    at(reads, first));
        } else if (tokens > 0) {
            SelectiveScan.states(of(tokens), at(u, first), at(delta, first), w.a(), at(b, first), Rows.of(state, 0, size()),
                    at(after, first));
            System.arraycopy(after.array(), at(after, first + tokens - 1).at(), state, 0, size());
        }
    }

    @Override
    public void write(int token, float[] term) {
        SelectiveScan.write(of(1), at(u, token), at(delta, token), at(b, token), term);
    }

    @Override
    public void advance(int token, float[] term, float[] state) {
        SelectiveScan.advance(of(1), at(delta, token), w.a(), term, state);
    }

    @Override
    public void read(int token, float[] state, boolean changed) {
        if (reads == null) {
            System.arraycopy(state, 0, after.array(), at(after, token).at(), size());
        } else {
            SelectiveScan.read(of(1), at(u, token), at(c, token), w.skip(), state, at(reads, token));
        }
    }

    @Override
    public void changed(float[] state) {
        // the recurrence goes on from there in any case
    }

    @Override
    public void toNatural(float[] own, float[] natural) {
        Weights.Layout.transpose(own, sizes.states(), sizes.inner(), natural);
    }

    @Override
    public void toOwn(float[] natural, float[] own) {
        Weights.Layout.transpose(natural, sizes.inner(), sizes.states(), own);
    }
}
