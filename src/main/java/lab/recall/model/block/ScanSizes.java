package lab.recall.model.block;

import java.util.Optional;
import lab.recall.model.Activation;
import lab.recall.model.FreshModel;
import lab.recall.model.HookPoint;
import lab.recall.model.PointSizes;
import lab.recall.model.Weights;

/**
 * Sizes of a {@link SelectiveScanBlock}.
 *
 * @param width   d, of the residual stream
 * @param inner   E, of a block
 * @param states  N, a channel
 * @param taps    K, of the convolution
 * @param rank    R, of delta
 * @param epsilon of the norms
 * @param norms   of what x_proj puts out, where there are any
 */
public record ScanSizes(int width, int inner, int states, int taps, int rank, float epsilon, Optional<ScanNorms> norms)
        implements PointSizes {
    /** Those that a layer's tensors tell; names are those of Mamba-1 after a prefix. */
    public static ScanSizes of(Weights weights, String prefix, int width, float epsilon) {
        long[] conv = weights.shape(prefix + "mixer.conv1d.weight", 3);
        long[] a = weights.shape(prefix + "mixer.A_log", 2);
        long[] dt = weights.shape(prefix + "mixer.dt_proj.weight", 2);
        return new ScanSizes(width, (int) conv[0], (int) a[1], (int) conv[2], (int) dt[1], epsilon, Optional.empty());
    }

    /** The same with RMS norms without weight on delta's low-rank part, B and C, as Falcon-Mamba has them. */
    public ScanSizes withNorms(float ofNorms) {
        return new ScanSizes(width, inner, states, taps, rank, epsilon, Optional.of(new ScanNorms(rank, states, ofNorms)));
    }

    /** Fills in such a layer that has learned nothing yet: decay rates 1..N, step sizes log-uniform from 0.001 to 0.1. */
    public void fresh(FreshModel m, String prefix, int layers) {
        String mixer = prefix + "mixer.";
        m.constant(prefix + "norm.weight", 1, width);
        m.matrix(mixer + "in_proj.weight", 2 * inner, width, 1);
        m.uniform(mixer + "conv1d.weight", 1 / Math.sqrt(taps), inner, 1, taps);
        m.uniform(mixer + "conv1d.bias", 1 / Math.sqrt(taps), inner);
        m.matrix(mixer + "x_proj.weight", rank + 2 * states, inner, 1);
        m.uniform(mixer + "dt_proj.weight", 1 / Math.sqrt(rank), inner, rank);
        m.fill(mixer + "dt_proj.bias", i -> freshStep(m), inner);
        m.fill(mixer + "A_log", i -> Math.log(1 + i % states), inner, states);
        m.constant(mixer + "D", 1, inner);
        m.matrix(mixer + "out_proj.weight", width, inner, 2 * layers);
    }

    /** What softplus takes to a step size from 0.001 to 0.1. */
    static double freshStep(FreshModel m) {
        double step = Math.exp(m.random().nextDouble() * Math.log(100) + Math.log(0.001));
        return step + Math.log(-Math.expm1(-step));
    }

    /** Numbers that a token has at a point of such a layer; of a state, all that it has. */
    @Override
    public int width(HookPoint point) {
        return switch (point.id()) {
            case "in_x", "in_z", "conv", "x_act", "delta", "y", "gate", "gated" -> inner;
            case "B", "C" -> states;
            case "ssm_state", "state", "write" -> inner * states;
            case "conv_state" -> inner * taps;
            default -> width;
        };
    }

    @Override
    public long[] state(HookPoint point) {
        return new long[] {inner, states};
    }

    /** A state as it is given out: [inner, states] or [inner, taps]. */
    @Override
    public Activation whole(String name, HookPoint point, float[] values, int tokens) {
        int each = point.equals(ScanPoints.SSM_STATE) ? states : taps;
        float[] byChannel = new float[values.length];
        Weights.Layout.transpose(values, each, inner, byChannel);
        return new Activation(name, new long[] {inner, each}, byChannel);
    }
}
