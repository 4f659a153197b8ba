package lab.recall.model.block;

import static lab.recall.model.block.ScanPoints.B;
import static lab.recall.model.block.ScanPoints.C;
import static lab.recall.model.block.ScanPoints.DELTA;
import static lab.recall.model.block.ScanPoints.IN_X;
import static lab.recall.model.block.ScanPoints.X_ACT;

import java.util.Arrays;
import java.util.List;
import lab.recall.math.Elementwise;
import lab.recall.math.Rows;
import lab.recall.math.SelectiveScan;
import lab.recall.model.Intervention;
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

    /** The state that a token of a pass meets. */
    float[] before(Pass pass, int layer, int token) {
        int size = c.states() * c.inner();
        return pass.noted(layer, token, () -> Arrays.copyOfRange(all(pass, layer, token), (token - 1) * size, token * size));
    }

    /** Runs the recurrence of a pass again from its kept terms: far cheaper than keeping every state. */
    float[] all(Pass pass, int layer, int upTo) {
        int inner = c.inner();
        int size = c.states() * inner;
        float[] states = new float[upTo * size];
        List<Intervention> changes = pass.memoryChanges(layer, upTo);
        if (!changes.isEmpty()) {
            Memory.again(changes, 0, upTo, new Kept(pass, layer, states), new float[size]);
            return states;
        }
        SelectiveScan.states(new SelectiveScan.Sizes(upTo, inner, c.states()), Rows.of(pass.values(layer, X_ACT), 0, inner),
                Rows.of(pass.values(layer, DELTA), 0, inner), w.a(), Rows.of(pass.values(layer, B), 0, c.states()),
                Rows.of(new float[size], 0, size), Rows.of(states, 0, size));
        return states;
    }

    /** A pass's recurrence in parts: in the place of reading, the state behind each token is kept. */
    private final class Kept implements Memory.Steps {
        private final ScanSteps steps;
        private final float[] states;

        Kept(Pass pass, int layer, float[] states) {
            this.steps = new ScanSteps(c, w, Rows.of(pass.values(layer, X_ACT), 0, c.inner()),
                    Rows.of(pass.values(layer, DELTA), 0, c.inner()), Rows.of(pass.values(layer, B), 0, c.states()), null, null);
            this.states = states;
        }

        @Override
        public int size() {
            return steps.size();
        }

        @Override
        public void run(int first, int tokens, float[] state) {
            if (tokens > 0) {
                SelectiveScan.states(new SelectiveScan.Sizes(tokens, c.inner(), c.states()), ScanSteps.at(steps.u(), first),
                        ScanSteps.at(steps.delta(), first), w.a(), ScanSteps.at(steps.b(), first), Rows.of(state, 0, size()),
                        Rows.of(states, first * size(), size()));
                System.arraycopy(states, (first + tokens - 1) * size(), state, 0, size());
            }
        }

        @Override
        public void write(int token, float[] term) {
            steps.write(token, term);
        }

        @Override
        public void advance(int token, float[] term, float[] state) {
            steps.advance(token, term, state);
        }

        @Override
        public void read(int token, float[] state) {
            System.arraycopy(state, 0, states, token * size(), size());
        }

        @Override
        public void toNatural(float[] own, float[] natural) {
            steps.toNatural(own, natural);
        }

        @Override
        public void toOwn(float[] natural, float[] own) {
            steps.toOwn(natural, own);
        }
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
