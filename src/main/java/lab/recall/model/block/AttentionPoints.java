package lab.recall.model.block;

import static lab.recall.model.HookPoint.EMBED;
import static lab.recall.model.HookPoint.FINAL_NORM;
import static lab.recall.model.HookPoint.LOGITS;
import static lab.recall.model.HookPoint.RESID_POST;
import static lab.recall.model.HookPoint.RESID_PRE;

import java.util.List;
import java.util.stream.Stream;
import lab.recall.model.HookPoint;
import lab.recall.view.HeatMap;

/** The points of a layer of attention and MLP. */
public final class AttentionPoints {
    /** Norm before the attention. */
    public static final HookPoint LN1 = HookPoint.token("ln1", "norm before the attention");
    /** Queries, after the rotary embedding where there is one, one head after another. */
    public static final HookPoint Q = HookPoint.token("q", "queries, after any rotary embedding");
    /** Keys, after the rotary embedding where there is one. */
    public static final HookPoint K = HookPoint.token("k", "keys, after any rotary embedding");
    /** Values. */
    public static final HookPoint V = HookPoint.token("v", "values");
    /** Attention weights, [head, target, source]. */
    public static final HookPoint ATTN_PROBS = HookPoint.whole("attn_probs", "attention weights");
    /** Concatenated heads before the output projection. */
    public static final HookPoint ATTN_CTX = HookPoint.token("attn_ctx", "concatenated heads");
    /** Output of the attention. */
    public static final HookPoint ATTN_OUT = HookPoint.token("attn_out", "output of the attention").called("attention")
            .as(HookPoint.Role.COMPONENT).in(HeatMap.Colours.REDS);
    /** Norm before the MLP. */
    public static final HookPoint LN2 = HookPoint.token("ln2", "norm before the MLP");
    /** First MLP product. */
    public static final HookPoint MLP_PRE = HookPoint.token("mlp_pre", "MLP before its function");
    /** Gate of a gated MLP, before its function. */
    public static final HookPoint MLP_GATE = HookPoint.token("mlp_gate", "gate of the MLP, before its function");
    /** What is gated in a gated MLP. */
    public static final HookPoint MLP_UP = HookPoint.token("mlp_up", "what the MLP's gate is multiplied with");
    /** Hidden activations of the MLP. */
    public static final HookPoint MLP_ACT = HookPoint.token("mlp_act", "hidden activations of the MLP");
    /** Output of the MLP. */
    public static final HookPoint MLP_OUT = HookPoint.token("mlp_out", "output of the MLP").called("MLP").as(HookPoint.Role.COMPONENT)
            .in(HeatMap.Colours.GREENS).toStream();

    /** All points of a model of such layers with an MLP of two maps, in the order of computation. */
    public static final List<HookPoint> PLAIN = all(MLP_PRE);
    /** All points of one with a gated MLP. */
    public static final List<HookPoint> GATED = all(MLP_GATE, MLP_UP);

    private AttentionPoints() {
    }

    private static List<HookPoint> all(HookPoint... inMlp) {
        return Stream.of(List.of(EMBED, RESID_PRE, LN1, Q, K, V, ATTN_PROBS, ATTN_CTX, ATTN_OUT, LN2), List.of(inMlp),
                List.of(MLP_ACT, MLP_OUT, RESID_POST, FINAL_NORM, LOGITS)).flatMap(List::stream).toList();
    }
}
