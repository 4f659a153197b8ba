package lab.recall.model.block;

import lab.recall.math.Elementwise;
import lab.recall.model.Weights;

/** A = -exp(A_log), [E, N] to [N, E]; an exponential beyond f32 becomes its greatest number, which decays to 0 all the same. */
final class Decay implements Weights.Layout {
    private final int inner;
    private final int states;
    private float[] a;

    Decay(int inner, int states) {
        this.inner = inner;
        this.states = states;
    }

    @Override
    public void load(float[] stored, float[] used) {
        Weights.Layout.transpose(stored, inner, states, used);
        for (int i = 0; i < used.length; i++) {
            double e = Math.exp(used[i]);
            // NaN without a sign: the scan's powers take any other for a number
            used[i] = Double.isNaN(e) ? Float.NaN : (float) -Math.min(e, Float.MAX_VALUE);
        }
        a = used;
    }

    /** dA_log = dA A. */
    @Override
    public void gradient(float[] used, float[] stored) {
        Elementwise.multiply(a, 0, used, 0, used.length);
        Weights.Layout.transpose(used, states, inner, stored);
    }
}
