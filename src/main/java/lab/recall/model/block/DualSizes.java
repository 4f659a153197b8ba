package lab.recall.model.block;

import lab.recall.math.HeadScan;
import lab.recall.model.Activation;
import lab.recall.model.FreshModel;
import lab.recall.model.HookPoint;
import lab.recall.model.PointSizes;
import lab.recall.model.Weights;

/**
 * Sizes of a {@link StateSpaceDualBlock}.
 *
 * @param width   d, of the residual stream
 * @param scan    heads, channels of a head, states, groups
 * @param taps    K, of the convolution
 * @param epsilon of the norms
 * @param least   what delta is not below
 * @param most    what delta is not above; infinite for no such limit
 */
public record DualSizes(int width, HeadScan.Sizes scan, int taps, float epsilon, float least, float most) implements PointSizes {
    /** E, channels of all heads. */
    public int inner() {
        return scan.inner();
    }

    /** Numbers of B or of C: those of all groups. */
    public int shared() {
        return scan.shared();
    }

    /** Channels of the convolution: x, B and C. */
    public int channels() {
        return inner() + 2 * shared();
    }

    /** Numbers that in_proj puts out: z, x, B, C and a step size for each head. */
    public int projected() {
        return inner() + channels() + scan.heads();
    }

    /** Numbers that a token has at a point of such a layer; of a state, all that it has. */
    @Override
    public int width(HookPoint point) {
        return switch (point.id()) {
            case "in_x", "in_z", "x_act", "y", "gate", "gated" -> inner();
            case "in_B", "in_C", "B", "C" -> shared();
            case "in_dt", "delta" -> scan.heads();
            case "conv" -> channels();
            case "ssm_state", "state", "write" -> scan.size();
            case "conv_state" -> channels() * taps;
            default -> width;
        };
    }

    @Override
    public long[] state(HookPoint point) {
        return new long[] {scan.heads(), scan.width(), scan.states()};
    }

    /** A state as it is given out: [heads, channels of each, states] or [channels, taps]. */
    @Override
    public Activation whole(String name, HookPoint point, float[] values, int tokens) {
        float[] turned = new float[values.length];
        if (!point.equals(ScanPoints.SSM_STATE)) {
            Weights.Layout.transpose(values, taps, channels(), turned);
            return new Activation(name, new long[] {channels(), taps}, turned);
        }
        turn(values, scan.states(), scan.width(), turned);
        return new Activation(name, state(point), turned);
    }

    /** Transposes each head's part of a state, [H, rows, columns]. */
    void turn(float[] state, int rows, int columns, float[] turned) {
        for (int h = 0; h < scan.heads(); h++) {
            int at = h * rows * columns;
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < columns; c++) {
                    turned[at + c * rows + r] = state[at + r * columns + c];
                }
            }
        }
    }

    /** Fills in such a layer that has learned nothing yet: decay rates even from 1 to 16, step sizes log-uniform from 0.001 to 0.1. */
    public void fresh(FreshModel m, String prefix, int layers) {
        String mixer = prefix + "mixer.";
        m.constant(prefix + "norm.weight", 1, width);
        m.matrix(mixer + "in_proj.weight", projected(), width, 1);
        m.uniform(mixer + "conv1d.weight", 1 / Math.sqrt(taps), channels(), 1, taps);
        m.uniform(mixer + "conv1d.bias", 1 / Math.sqrt(taps), channels());
        m.fill(mixer + "dt_bias", i -> ScanSizes.freshStep(m), scan.heads());
        m.fill(mixer + "A_log", i -> Math.log(1 + 15 * m.random().nextDouble()), scan.heads());
        m.constant(mixer + "D", 1, scan.heads());
        m.constant(mixer + "norm.weight", 1, inner());
        m.matrix(mixer + "out_proj.weight", width, inner(), 2 * layers);
    }
}
