package lab.recall.model.block;

import static lab.recall.model.HookPoint.EMBED;
import static lab.recall.model.HookPoint.FINAL_NORM;
import static lab.recall.model.HookPoint.LOGITS;
import static lab.recall.model.HookPoint.RESID_POST;
import static lab.recall.model.HookPoint.RESID_PRE;

import java.util.List;
import lab.recall.model.HookPoint;

/** The points of a {@link StateSpaceDualBlock}: those of {@link ScanPoints}, and what B, C and delta are made from. */
public final class DualPoints {
    /** Input of the convolution that becomes B. */
    public static final HookPoint IN_B = HookPoint.token("in_B", "input vector of the scan before the convolution");
    /** Input of the convolution that becomes C. */
    public static final HookPoint IN_C = HookPoint.token("in_C", "read-out vector of the scan before the convolution");
    /** Step size of each head before its bias and softplus. */
    public static final HookPoint IN_DT = HookPoint.token("in_dt", "step size of each head before its bias and softplus");

    /** All points of a model of such blocks, in the order of computation. */
    public static final List<HookPoint> ALL = List.of(EMBED, RESID_PRE, ScanPoints.NORMED, ScanPoints.IN_Z, ScanPoints.IN_X, IN_B, IN_C,
            IN_DT, ScanPoints.CONV, ScanPoints.X_ACT, ScanPoints.B, ScanPoints.C, ScanPoints.DELTA, ScanPoints.WRITE,
            ScanPoints.STATE, ScanPoints.Y, ScanPoints.GATE, ScanPoints.GATED, ScanPoints.OUT, RESID_POST, ScanPoints.SSM_STATE,
            ScanPoints.CONV_STATE, FINAL_NORM, LOGITS);

    private DualPoints() {
    }
}
