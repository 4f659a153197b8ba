package lab.recall.model.block;

import static lab.recall.model.block.ScanPoints.B;
import static lab.recall.model.block.ScanPoints.DELTA;
import static lab.recall.model.block.ScanPoints.X_ACT;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import lab.recall.math.HeadScan;
import lab.recall.model.Batch;
import lab.recall.model.Edges;
import lab.recall.model.Pass;
import lab.recall.model.Run;
import lab.recall.model.Workspace;

/**
 * Leaves edges out of the scan of a {@link StateSpaceDualBlock}: a row is read by a second scan that the cut sources put nothing into, one
 * for all targets that share their sources; the first goes on as if nothing were cut. Both have the same chunks.
 */
final class DualCutter {
    private static final Workspace.Slot FED = Workspace.slot();
    private static final Workspace.Slot STEPS = Workspace.slot();
    private static final Workspace.Slot READ = Workspace.slot();

    private final DualSizes c;
    private final StateSpaceDualBlock.Parts w;
    private final DualStates states;

    DualCutter(DualSizes sizes, StateSpaceDualBlock.Parts parts, DualStates states) {
        this.c = sizes;
        this.w = parts;
        this.states = states;
    }

    /**
     * Rows of y that lose some of their terms; {@code y} holds the plain scan's.
     *
     * @param chunk is taken through the segment again
     */
    void scan(Batch b, Batch.Segment s, ScanCuts cuts, DualChunk chunk, float[] act, float[] delta, float[] y) {
        for (Edges.Group g : cuts.scan().groups()) {
            if (g.lastTarget() >= s.from()) {
                group(b, s, g, cuts.delta(), chunk, act, delta, y);
            }
        }
    }

    private void group(Batch b, Batch.Segment s, Edges.Group g, float[] passed, DualChunk chunk, float[] act, float[] delta, float[] y) {
        HeadScan.Sizes scan = c.scan();
        int inner = c.inner();
        int heads = scan.heads();
        int tokens = g.lastTarget() - s.from() + 1;
        int stride = c.channels();
        int row = s.row() * stride;
        DualChunk.Start start = s.past() instanceof DualPast past ? past.start(key(g, passed, s.from())) : DualChunk.Start.OF_TEXT;
        int before = s.from() - start.token();                          // tokens of the chunk that the run does not compute
        float[] u = b.work().floats(FED, (before + tokens) * inner);
        float[] steps = b.work().floats(STEPS, (before + tokens) * heads);
        System.arraycopy(delta, s.row() * heads, steps, before * heads, tokens * heads);
        for (int t = 0; t < tokens; t++) {
            System.arraycopy(act, row + t * stride, u, (before + t) * inner, inner);
        }
        if (s.past() instanceof DualPast past) {
            System.arraycopy(past.pass().values(past.layer(), X_ACT), start.token() * inner, u, 0, before * inner);
            System.arraycopy(past.pass().values(past.layer(), DELTA), start.token() * heads, steps, 0, before * heads);
        }
        without(g.sources(), start.token(), before + tokens, passed, u, steps);
        chunk.begin(start);
        if (s.past() instanceof DualPast past) {
            chunk.add(before, u, 0, inner, past.pass().values(past.layer(), B), start.token() * c.shared(), c.shared(), steps, 0);
        }
        float[] read = b.work().floats(READ, tokens * inner);
        new DualSteps(chunk, c, w, u, before * inner, inner, steps, before * heads, act, row + inner, row + inner + c.shared(), stride,
                read, 0).take(0, tokens);
        for (int t : g.targets()) {
            int k = t - s.from();
            if (k < 0) {
                continue;
            }
            int to = (s.row() + k) * inner;
            System.arraycopy(read, k * inner, y, to, inner);
            for (int e = 0; e < inner && g.sources().get(t); e++) {     // the skip term stays, also where the token's own input is cut
                y[to + e] = Math.fma(w.skip()[e / scan.width()], act[row + k * stride + e], y[to + e]);
            }
        }
    }

    /** Takes what sources put in out of {@code u}, and gives them the step size {@code passed} unless that is null. */
    private void without(BitSet sources, int from, int tokens, float[] passed, float[] u, float[] steps) {
        int inner = c.inner();
        int heads = c.scan().heads();
        for (int t = sources.nextSetBit(from); t >= 0 && t < from + tokens; t = sources.nextSetBit(t + 1)) {
            Arrays.fill(u, (t - from) * inner, (t - from + 1) * inner, 0f);
            if (passed != null) {
                System.arraycopy(passed, 0, steps, (t - from) * heads, heads);
            }
        }
    }

    /** The state that a group needs of what lies left of a token. */
    private static ScanPast.Without key(Edges.Group g, float[] passed, int from) {
        return new ScanPast.Without(g.sources().get(0, from), passed, from);
    }

    /** Where the chunks of runs with cuts begin; runs that agree on it share it. */
    Map<ScanPast.Without, DualChunk.Start> needed(Pass pass, int layer, List<Run> runs) {
        Map<ScanPast.Without, DualChunk.Start> found = new HashMap<>();
        for (Run r : runs) {
            if (r.cuts(layer) instanceof ScanCuts cuts && cuts.scan() != null) {
                for (Edges.Group g : cuts.scan().groups()) {
                    ScanPast.Without key = key(g, cuts.delta(), r.from());
                    if (g.lastTarget() >= r.from() && !key.sources().isEmpty()) {
                        found.put(key, null);
                    }
                }
            }
        }
        TreeSet<Integer> firsts = new TreeSet<>();
        found.keySet().forEach(k -> firsts.add(k.sources().nextSetBit(0)));
        Map<Integer, DualChunk.Start> starts = states.starts(pass, layer, firsts);
        found.replaceAll((k, none) -> walk(pass, layer, k, starts.get(k.sources().nextSetBit(0))));
        return found;
    }

    /** Closes the chunks of a pass again, from that of its first cut source on. */
    private DualChunk.Start walk(Pass pass, int layer, ScanPast.Without k, DualChunk.Start from) {
        int inner = c.inner();
        int heads = c.scan().heads();
        int first = from.token();
        int to = DualChunk.Start.before(k.from());
        if (first >= to) {
            return from;
        }
        float[] u = Arrays.copyOfRange(pass.values(layer, X_ACT), first * inner, to * inner);
        float[] steps = Arrays.copyOfRange(pass.values(layer, DELTA), first * heads, to * heads);
        without(k.sources(), first, to - first, k.delta(), u, steps);
        return states.closed(pass, layer, from, to, u, steps, first);
    }
}
