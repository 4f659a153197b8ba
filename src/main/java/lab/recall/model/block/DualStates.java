package lab.recall.model.block;

import static lab.recall.model.block.DualPoints.IN_B;
import static lab.recall.model.block.DualPoints.IN_C;
import static lab.recall.model.block.ScanPoints.B;
import static lab.recall.model.block.ScanPoints.C;
import static lab.recall.model.block.ScanPoints.DELTA;
import static lab.recall.model.block.ScanPoints.IN_X;
import static lab.recall.model.block.ScanPoints.X_ACT;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import lab.recall.math.HeadScan;
import lab.recall.model.Intervention;
import lab.recall.model.Pass;
import lab.recall.model.Site;

/** What a pass's kept terms tell again: states of the scan, and the terms that its layer's sums are made of. */
final class DualStates implements ScanTerms {
    private final DualSizes c;
    private final StateSpaceDualBlock.Parts w;

    DualStates(DualSizes sizes, StateSpaceDualBlock.Parts parts) {
        this.c = sizes;
        this.w = parts;
    }

    /** The state that a token of a pass meets. */
    float[] before(Pass pass, int layer, int token) {
        return pass.noted(layer, token, () -> {
            float[] state = new float[c.scan().size()];
            advance(pass, layer, 0, token, state);
            return state;
        });
    }

    /** The states that some tokens meet, by token. */
    Map<Integer, float[]> before(Pass pass, int layer, SortedSet<Integer> tokens) {
        Map<Integer, float[]> found = new HashMap<>();
        float[] state = new float[c.scan().size()];
        int at = 0;
        for (int token : tokens) {
            advance(pass, layer, at, token, state);
            found.put(token, state.clone());
            at = token;
        }
        return found;
    }

    /** Runs the recurrence of a pass again, from a token's state to a later one's. */
    private void advance(Pass pass, int layer, int from, int to, float[] state) {
        List<Intervention> changes = pass.memoryChanges(layer, to);
        if (!changes.isEmpty()) {
            Memory.again(changes, from, to, new DualSteps(c, w, pass.values(layer, X_ACT), 0, c.inner(), pass.values(layer, DELTA), 0,
                    pass.values(layer, B), 0, 0, c.shared(), null, 0), state);
            return;
        }
        HeadScan.advance(c.scan(), to - from, pass.values(layer, X_ACT), from * c.inner(), c.inner(), pass.values(layer, DELTA),
                from * c.scan().heads(), w.a(), pass.values(layer, B), from * c.shared(), c.shared(), state, 0);
    }

    @Override
    public float[] scanTerms(Pass pass, int layer, int source) {
        pass.requireOwnMemory("terms of the scan");
        int inner = c.inner();
        int shared = c.shared();
        int tokens = pass.length() - source;
        float[] u = new float[tokens * inner];
        System.arraycopy(pass.values(layer, X_ACT), source * inner, u, 0, inner);
        float[] bc = new float[tokens * 2 * shared];
        for (int t = 0; t < tokens; t++) {
            System.arraycopy(pass.values(layer, B), (source + t) * shared, bc, t * 2 * shared, shared);
            System.arraycopy(pass.values(layer, C), (source + t) * shared, bc, t * 2 * shared + shared, shared);
        }
        float[] terms = new float[tokens * inner];
        int heads = c.scan().heads();
        HeadScan.forward(c.scan(), tokens, u, 0, inner, pass.values(layer, DELTA), source * heads, w.a(), bc, 0, shared, 2 * shared,
                new float[heads], new float[c.scan().size()], 0, terms, 0);
        return terms;
    }

    @Override
    public float[] skipTerm(Pass pass, int layer, int token) {
        float[] term = pass.get(new Site(layer, X_ACT, token));
        for (int e = 0; e < term.length; e++) {
            term[e] *= w.skip()[e / c.scan().width()];
        }
        return term;
    }

    @Override
    public float[] convTerms(Pass pass, int layer, int source) {
        float[] input = new float[c.channels()];
        DualPast.join(c, 0, pass.get(new Site(layer, IN_X, source)), pass.get(new Site(layer, IN_B, source)),
                pass.get(new Site(layer, IN_C, source)), input, 0);
        return w.conv().terms(input, pass.length() - source);
    }

    @Override
    public float[] convBias() {
        return w.conv().rest();
    }
}
