package lab.recall.model.block;

import static lab.recall.model.HookPoint.EMBED;
import static lab.recall.model.HookPoint.FINAL_NORM;
import static lab.recall.model.HookPoint.LOGITS;
import static lab.recall.model.HookPoint.RESID_POST;
import static lab.recall.model.HookPoint.RESID_PRE;

import java.util.List;
import lab.recall.model.HookPoint;
import lab.recall.view.HeatMap;

/** The points of a {@link SelectiveScanBlock}; letters are those of the paper (arXiv 2404.03646). */
public final class ScanPoints {
    /** RMS norm of the residual stream. */
    public static final HookPoint NORMED = HookPoint.token("normed", "RMS norm of the residual stream");
    /** First half of in_proj, a in the paper. */
    public static final HookPoint IN_X = HookPoint.token("in_x", "input of the convolution").letter("a").as(HookPoint.Role.MIXER_INPUT);
    /** Second half of in_proj, before its SiLU. */
    public static final HookPoint IN_Z = HookPoint.token("in_z", "gate before its SiLU");
    /** Output of the causal convolution, bias included. */
    public static final HookPoint CONV = HookPoint.token("conv", "output of the causal convolution");
    /** SiLU of the convolution, input of the scan. */
    public static final HookPoint X_ACT = HookPoint.token("x_act", "SiLU of the convolution, input of the scan");
    /** Step size of the scan, after softplus. */
    public static final HookPoint DELTA = HookPoint.token("delta", "step size of the scan");
    /** Input vector of the scan. */
    public static final HookPoint B = HookPoint.token("B", "input vector of the scan");
    /** Read-out vector of the scan. */
    public static final HookPoint C = HookPoint.token("C", "read-out vector of the scan");
    /** The term delta B x that a token puts into the state. */
    public static final HookPoint WRITE = HookPoint.state("write", "what the token puts into the state of the scan");
    /** State of the scan behind a token: its own read-out and all later tokens see it. */
    public static final HookPoint STATE = HookPoint.state("state", "state of the scan behind the token").in(HeatMap.Colours.PURPLES);
    /** Output of the scan with its skip term, s in the paper. */
    public static final HookPoint Y = HookPoint.token("y", "output of the scan").letter("s").as(HookPoint.Role.COMPONENT)
            .in(HeatMap.Colours.REDS);
    /** SiLU of in_z, g in the paper. */
    public static final HookPoint GATE = HookPoint.token("gate", "the gate").letter("g").as(HookPoint.Role.COMPONENT)
            .in(HeatMap.Colours.GREENS);
    /** y times gate. */
    public static final HookPoint GATED = HookPoint.token("gated", "scan output times gate");
    /** Output of the block, o in the paper. */
    public static final HookPoint OUT = HookPoint.token("out", "output of the block").letter("o").as(HookPoint.Role.COMPONENT)
            .in(HeatMap.Colours.BLUES).toStream();
    /** State of the scan after the last token. */
    public static final HookPoint SSM_STATE = HookPoint.whole("ssm_state", "state of the scan after the last token");
    /** The last inputs of the convolution, oldest first. */
    public static final HookPoint CONV_STATE = HookPoint.whole("conv_state", "last inputs of the convolution");

    /** All points of a model of such blocks, in the order of computation. */
    public static final List<HookPoint> ALL = List.of(EMBED, RESID_PRE, NORMED, IN_X, IN_Z, CONV, X_ACT, DELTA, B, C, WRITE, STATE, Y,
            GATE, GATED, OUT, RESID_POST, SSM_STATE, CONV_STATE, FINAL_NORM, LOGITS);

    private ScanPoints() {
    }
}
