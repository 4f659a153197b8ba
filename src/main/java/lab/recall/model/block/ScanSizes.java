package lab.recall.model.block;

import lab.recall.model.Activation;
import lab.recall.model.HookPoint;
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
 */
public record ScanSizes(int width, int inner, int states, int taps, int rank, float epsilon) {
    /** Those that a layer's tensors tell; names are those of Mamba-1 after a prefix. */
    public static ScanSizes of(Weights weights, String prefix, int width, float epsilon) {
        long[] conv = weights.shape(prefix + "mixer.conv1d.weight", 3);
        long[] a = weights.shape(prefix + "mixer.A_log", 2);
        long[] dt = weights.shape(prefix + "mixer.dt_proj.weight", 2);
        return new ScanSizes(width, (int) conv[0], (int) a[1], (int) conv[2], (int) dt[1], epsilon);
    }

    /** Numbers that a token has at a point of such a layer; of a state, all that it has. */
    public int width(HookPoint point) {
        return switch (point.id()) {
            case "in_x", "in_z", "conv", "x_act", "delta", "y", "gate", "gated" -> inner;
            case "B", "C" -> states;
            case "ssm_state" -> inner * states;
            case "conv_state" -> inner * taps;
            default -> width;
        };
    }

    /** A state as it is given out: [inner, states] or [inner, taps]. */
    public Activation state(String name, HookPoint point, float[] values) {
        int each = point.equals(ScanPoints.SSM_STATE) ? states : taps;
        float[] byChannel = new float[values.length];
        Weights.Layout.transpose(values, each, inner, byChannel);
        return new Activation(name, new long[] {inner, each}, byChannel);
    }
}
