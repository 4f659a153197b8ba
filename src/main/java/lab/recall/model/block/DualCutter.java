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
 * Leaves edges out of the scan of a {@link StateSpaceDualBlock}: a row is read from a second state that the cut sources put nothing into,
 * one for all targets that share their sources; the first state goes on as if nothing were cut.
 */
final class DualCutter {
    private static final Workspace.Slot STATE = Workspace.slot();
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

    /** Rows of y that lose some of their terms; {@code y} holds the plain scan's. */
    void scan(Batch b, Batch.Segment s, ScanCuts cuts, float[] act, float[] delta, float[] y) {
        for (Edges.Group g : cuts.scan().groups()) {
            if (g.lastTarget() >= s.from()) {
                group(b, s, g, cuts.delta(), act, delta, y);
            }
        }
    }

    private void group(Batch b, Batch.Segment s, Edges.Group g, float[] passed, float[] act, float[] delta, float[] y) {
        HeadScan.Sizes scan = c.scan();
        int inner = c.inner();
        int heads = scan.heads();
        int tokens = g.lastTarget() - s.from() + 1;
        int stride = c.channels();
        int row = s.row() * stride;
        float[] state = b.work().floats(STATE, scan.size());
        Arrays.fill(state, 0, scan.size(), 0f);
        if (s.past() instanceof DualPast past) {
            float[] without = past.without().get(key(g, passed, s.from()));
            System.arraycopy(without == null ? past.states().get(s.from()) : without, 0, state, 0, scan.size());
        }
        float[] u = b.work().floats(FED, tokens * inner);
        float[] steps = b.work().floats(STEPS, tokens * heads);
        System.arraycopy(delta, s.row() * heads, steps, 0, tokens * heads);
        for (int t = 0; t < tokens; t++) {
            System.arraycopy(act, row + t * stride, u, t * inner, inner);
        }
        without(g.sources(), s.from(), tokens, passed, u, steps);
        float[] read = b.work().floats(READ, tokens * inner);
        HeadScan.forward(scan, tokens, u, 0, inner, steps, 0, w.a(), act, row + inner, row + inner + c.shared(), stride, w.skip(), state, 0,
                read, 0);
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

    /** The states that runs with cuts start from; runs that agree on them share them. */
    Map<ScanPast.Without, float[]> needed(Pass pass, int layer, List<Run> runs) {
        Map<ScanPast.Without, float[]> found = new HashMap<>();
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
        Map<Integer, float[]> starts = states.before(pass, layer, firsts);
        found.replaceAll((k, none) -> walk(pass, layer, k, starts.get(k.sources().nextSetBit(0)).clone()));
        return found;
    }

    /** Runs the recurrence of a pass again from its first cut source on. */
    private float[] walk(Pass pass, int layer, ScanPast.Without k, float[] state) {
        int inner = c.inner();
        int heads = c.scan().heads();
        int first = k.sources().nextSetBit(0);
        float[] u = Arrays.copyOfRange(pass.values(layer, X_ACT), first * inner, k.from() * inner);
        float[] steps = Arrays.copyOfRange(pass.values(layer, DELTA), first * heads, k.from() * heads);
        without(k.sources(), first, k.from() - first, k.delta(), u, steps);
        HeadScan.advance(c.scan(), k.from() - first, u, 0, inner, steps, 0, w.a(), pass.values(layer, B), first * c.shared(), c.shared(),
                state, 0);
        return state;
    }
}
