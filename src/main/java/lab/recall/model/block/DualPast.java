package lab.recall.model.block;

import static lab.recall.model.block.DualPoints.IN_B;
import static lab.recall.model.block.DualPoints.IN_C;
import static lab.recall.model.block.ScanPoints.B;
import static lab.recall.model.block.ScanPoints.DELTA;
import static lab.recall.model.block.ScanPoints.IN_X;
import static lab.recall.model.block.ScanPoints.X_ACT;

import java.util.Map;
import lab.recall.model.Pass;

/**
 * What runs that go on from a pass meet in a layer.
 *
 * @param starts  the chunks of the tokens from which they go on
 * @param without those chunks' beginnings where some tokens have put nothing into the state
 */
record DualPast(DualSizes c, Pass pass, int layer, Map<Integer, DualChunk.Start> starts, Map<ScanPast.Without, DualChunk.Start> without)
        implements ConvPast {
    @Override
    public void input(int token, float[] to, int at) {
        join(c, token, pass.values(layer, IN_X), pass.values(layer, IN_B), pass.values(layer, IN_C), to, at);
    }

    /** The beginning of a chunk that some sources have put nothing into. */
    DualChunk.Start start(ScanPast.Without cut) {
        return without.getOrDefault(cut, starts.get(cut.from()));
    }

    /** Takes a chunk to where a run goes on. */
    void to(DualChunk chunk, int token) {
        DualChunk.Start start = starts.get(token);
        chunk.begin(start);
        chunk.add(token - start.token(), pass.values(layer, X_ACT), start.token() * c.inner(), c.inner(), pass.values(layer, B),
                start.token() * c.shared(), c.shared(), pass.values(layer, DELTA), start.token() * c.scan().heads());
    }

    /** Puts the three parts of a token's row side by side. */
    static void join(DualSizes c, int token, float[] x, float[] b, float[] cs, float[] to, int at) {
        int shared = c.shared();
        System.arraycopy(x, token * c.inner(), to, at, c.inner());
        System.arraycopy(b, token * shared, to, at + c.inner(), shared);
        System.arraycopy(cs, token * shared, to, at + c.inner() + shared, shared);
    }
}
