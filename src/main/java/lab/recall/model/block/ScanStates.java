package lab.recall.model.block;

import static lab.recall.model.block.ScanPoints.B;
import static lab.recall.model.block.ScanPoints.C;
import static lab.recall.model.block.ScanPoints.DELTA;
import static lab.recall.model.block.ScanPoints.IN_X;
import static lab.recall.model.block.ScanPoints.X_ACT;

import java.util.Arrays;
import lab.recall.math.Elementwise;
import lab.recall.math.Rows;
import lab.recall.math.SelectiveScan;
import lab.recall.model.Pass;
import lab.recall.model.Site;

/** What a pass's kept terms tell again: states of the scan, and the terms that its layers' sums are made of. */
final class ScanStates implements ScanTerms {
    private final ScanSizes c;
    private final SelectiveScanBlock.Parts w;

    ScanStates(ScanSizes sizes, SelectiveScanBlock.Parts parts) {
        this.c = sizes;
        this.w = parts;
    }

    /** A token and the state that it meets. */
    private record Met(int token, float[] state) {
    }

    /** The state that a token of a pass meets. */
    float[] before(Pass pass, int layer, int token) {
        return pass.<Met>noted(layer, token, earlier -> {
            int size = c.states() * c.inner();
            Met from = earlier == null ? new Met(0, new float[size]) : earlier;
            int tokens = token - from.token;
            float[] last = tokens == 0 ? from.state
                    : Arrays.copyOfRange(all(pass, layer, from, token), (tokens - 1) * size, tokens * size);
            return new Met(token, last);
        }).state;
    }

    /** Runs the recurrence of a pass again from its kept terms: far cheaper than keeping every state. */
    float[] all(Pass pass, int layer, int upTo) {
        return all(pass, layer, new Met(0, new float[c.states() * c.inner()]), upTo);
    }

    private float[] all(Pass pass, int layer, Met from, int upTo) {
        int inner = c.inner();
        int first = from.token;
        float[] states = new float[(upTo - first) * from.state.length];
        ScanSteps steps = new ScanSteps(c, w, Rows.of(pass.values(layer, X_ACT), 0, inner), Rows.of(pass.values(layer, DELTA), 0, inner),
                Rows.of(pass.values(layer, B), 0, c.states()), null, null, Rows.of(states, -first * from.state.length, from.state.length));
        Memory.again(pass.memoryChanges(layer, upTo), first, upTo, steps, from.state.clone());
        return states;
    }

    @Override
    public float[] scanTerms(Pass pass, int layer, int source) {
        pass.requireOwnMemory("terms of the scan");
        int inner = c.inner();
        int states = c.states();
        int tokens = pass.length() - source;
        float[] u = new float[tokens * inner];
        System.arraycopy(pass.values(layer, X_ACT), source * inner, u, 0, inner);
        float[] terms = new float[tokens * inner];
        SelectiveScan.forward(new SelectiveScan.Sizes(tokens, inner, states), Rows.of(u, 0, inner),
                Rows.of(pass.values(layer, DELTA), source * inner, inner), w.a(), Rows.of(pass.values(layer, B), source * states, states),
                Rows.of(pass.values(layer, C), source * states, states), new float[inner], new float[states * inner],
                Rows.of(terms, 0, inner));
        return terms;
    }

    @Override
    public float[] skipTerm(Pass pass, int layer, int token) {
        float[] term = pass.get(new Site(layer, X_ACT, token));
        Elementwise.multiply(w.skip(), 0, term, 0, term.length);
        return term;
    }

    @Override
    public float[] convTerms(Pass pass, int layer, int source) {
        return w.conv().terms(pass.get(new Site(layer, IN_X, source)), pass.length() - source);
    }

    @Override
    public float[] convBias() {
        return w.conv().rest();
    }
}
