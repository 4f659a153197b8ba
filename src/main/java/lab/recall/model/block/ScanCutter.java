package lab.recall.model.block;

import static lab.recall.model.block.ScanPoints.B;
import static lab.recall.model.block.ScanPoints.DELTA;
import static lab.recall.model.block.ScanPoints.X_ACT;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import lab.recall.math.Rows;
import lab.recall.math.SelectiveScan;
import lab.recall.model.Batch;
import lab.recall.model.Edges;
import lab.recall.model.Pass;
import lab.recall.model.Run;
import lab.recall.model.Workspace;

/**
 * Leaves edges out of a layer's scan.
 *
 * <p>A row is read from a second state that the cut sources put nothing
 * into, one for all targets that share their sources; the first state goes on as if nothing were cut. Nothing is subtracted, so what is cut
 * leaves no rounding noise behind, and no product of decays is divided by another one.
 */
final class ScanCutter {
    private static final Workspace.Slot STATE = Workspace.slot();
    private static final Workspace.Slot FED = Workspace.slot();
    private static final Workspace.Slot STEPS = Workspace.slot();
    private static final Workspace.Slot READ = Workspace.slot();
    private static final float[][] NONE = {};
    private static final boolean[] NO_FED = {};

    private final ScanSizes c;
    private final SelectiveScanBlock.Parts w;

    ScanCutter(ScanSizes sizes, SelectiveScanBlock.Parts parts) {
        this.c = sizes;
        this.w = parts;
    }

    /** Rows of y that lose some of their terms; {@code y} holds the plain scan's. */
    void scan(Batch b, Batch.Segment s, ScanCuts cuts, float[] act, float[] delta, float[] bc, float[] y) {
        for (Edges.Group g : cuts.scan().groups()) {
            if (g.lastTarget() >= s.from()) {
                group(b, s, g, cuts.delta(), act, delta, bc, y);
            }
        }
    }

    private void group(Batch b, Batch.Segment s, Edges.Group g, float[] passed, float[] act, float[] delta, float[] bc, float[] y) {
        int inner = c.inner();
        int size = c.states() * inner;
        int low = c.rank() + 2 * c.states();
        int tokens = g.lastTarget() - s.from() + 1;
        float[] state = b.work().floats(STATE, size);
        Arrays.fill(state, 0, size, 0f);
        if (s.past() instanceof ScanPast past) {
            float[] without = past.without().get(key(g, passed, s.from()));
            System.arraycopy(without == null ? past.states() : without,
                    without == null ? (s.from() - 1 - past.first()) * size : 0, state, 0, size);
        }
        float[] u = b.work().floats(FED, tokens * inner);
        float[] steps = passed == null ? delta : b.work().floats(STEPS, tokens * inner);
        int stepsAt = passed == null ? s.row() * inner : 0;
        System.arraycopy(act, s.row() * inner, u, 0, tokens * inner);
        if (passed != null) {
            System.arraycopy(delta, s.row() * inner, steps, 0, tokens * inner);
        }
        for (int t = g.sources().nextSetBit(s.from()); t >= 0 && t <= g.lastTarget(); t = g.sources().nextSetBit(t + 1)) {
            Arrays.fill(u, (t - s.from()) * inner, (t - s.from() + 1) * inner, 0f);
            if (passed != null) {
                System.arraycopy(passed, 0, steps, (t - s.from()) * inner, inner);
            }
        }
        float[] read = b.work().floats(READ, tokens * inner);
        int first = s.row() * low + c.rank();
        SelectiveScan.forward(new SelectiveScan.Sizes(tokens, inner, c.states()), Rows.of(u, 0, inner), Rows.of(steps, stepsAt, inner),
                w.a(), Rows.of(bc, first, low), Rows.of(bc, first + c.states(), low), w.skip(), state, Rows.of(read, 0, inner));
        for (int t : g.targets()) {
            if (t >= s.from()) {
                int to = (s.row() + t - s.from()) * inner;
                System.arraycopy(read, (t - s.from()) * inner, y, to, inner);
                if (g.sources().get(t)) {           // the skip term stays, also where the token's own input is cut
                    for (int e = 0; e < inner; e++) {
                        y[to + e] = Math.fma(w.skip()[e], act[to + e], y[to + e]);
                    }
                }
            }
        }
    }

    /** The state that a group needs of what lies left of a token. */
    private static ScanPast.Without key(Edges.Group g, float[] passed, int from) {
        return new ScanPast.Without(g.sources().get(0, from), passed, from);
    }

    /** The states that runs with cuts start from, named; runs that agree on them share them. Sorted by their token. */
    List<ScanPast.Without> needed(int layer, List<Run> runs) {
        Set<ScanPast.Without> found = new HashSet<>();
        for (Run r : runs) {
            if (r.cuts(layer) instanceof ScanCuts cuts && cuts.scan() != null) {
                for (Edges.Group g : cuts.scan().groups()) {
                    ScanPast.Without key = key(g, cuts.delta(), r.from());
                    if (g.lastTarget() >= r.from() && !key.sources().isEmpty()) {
                        found.add(key);
                    }
                }
            }
        }
        return found.stream().sorted(Comparator.comparingInt(ScanPast.Without::from)).toList();
    }

    /**
     * Runs the recurrence of a pass again, and beside it the states that are needed: they share its decays, but for those in which the
     * sources have another delta.
     *
     * @param states receives the pass's own states after each token, [tokens, N, E]
     */
    Map<ScanPast.Without, float[]> walk(Pass pass, int layer, List<ScanPast.Without> needed, int tokens, float[] states) {
        int inner = c.inner();
        int size = c.states() * inner;
        float[] x = pass.values(layer, X_ACT);
        float[] delta = pass.values(layer, DELTA);
        float[] b = pass.values(layer, B);
        float[] zeros = new float[size];
        SelectiveScan.Sizes one = new SelectiveScan.Sizes(1, inner, c.states());
        Map<ScanPast.Without, float[]> found = new HashMap<>();
        for (int t = 0; t < tokens; t++) {
            float[] before = t == 0 ? zeros : states;
            int at = t == 0 ? 0 : (t - 1) * size;
            Rows bt = Rows.of(b, t * c.states(), c.states());
            List<float[]> beside = new ArrayList<>();
            BitSet fed = new BitSet();
            for (ScanPast.Without n : needed) {
                if (n.from() <= t || n.sources().nextSetBit(0) > t) {
                    continue;
                }
                float[] state = found.computeIfAbsent(n, k -> Arrays.copyOfRange(before, at, at + size));
                boolean cut = n.sources().get(t);
                if (cut && n.delta() != null) {
                    Rows own = Rows.of(state, 0, size);
                    SelectiveScan.step(one, Rows.of(zeros, 0, inner), Rows.of(n.delta(), 0, inner), w.a(), bt, own, own, NONE, NO_FED);
                } else {
                    fed.set(beside.size(), !cut);
                    beside.add(state);
                }
            }
            boolean[] feeds = new boolean[beside.size()];
            for (int i = 0; i < feeds.length; i++) {
                feeds[i] = fed.get(i);
            }
            SelectiveScan.step(one, Rows.of(x, t * inner, inner), Rows.of(delta, t * inner, inner), w.a(), bt, Rows.of(before, at, size),
                    Rows.of(states, t * size, size), beside.toArray(NONE), feeds);
        }
        return found;
    }
}
