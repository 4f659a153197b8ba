package lab.recall.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Nearest;

/**
 * A named place in a forward pass where a value can be read or replaced.
 *
 * <pre>{@code
 * HookPoint.of("y")             // the scan's output, "s" in the paper
 * HookPoint.Y.name(12)          // layers.12.y
 * HookPoint.of("residual")      // an alias of resid_post
 * }</pre>
 *
 * Names are one vocabulary for code, request files, tables and checked values. Letters are those of the paper (arXiv 2404.03646):
 * a = {@link #IN_X}, s = {@link #Y}, g = {@link #GATE}, o = {@link #OUT}, h = {@link #RESID_POST}.
 */
public enum HookPoint {
    /** Embedding of the token: the residual stream before layer 0. */
    EMBED("embed", "token embedding"),
    /** Residual stream that enters a layer. */
    RESID_PRE("resid_pre", "residual stream before the layer"),

    /** Mamba: RMS norm of the residual stream. */
    NORMED("normed", "RMS norm of the residual stream"),
    /** Mamba: first half of in_proj, a in the paper. */
    IN_X("in_x", "a: input of the convolution"),
    /** Mamba: second half of in_proj, before its SiLU. */
    IN_Z("in_z", "gate before its SiLU"),
    /** Mamba: output of the causal convolution, bias included. */
    CONV("conv", "output of the causal convolution"),
    /** Mamba: SiLU of the convolution, input of the scan. */
    X_ACT("x_act", "SiLU of the convolution, input of the scan"),
    /** Mamba: step size of the scan, after softplus. */
    DELTA("delta", "step size of the scan"),
    /** Mamba: input vector of the scan. */
    B("B", "input vector of the scan"),
    /** Mamba: read-out vector of the scan. */
    C("C", "read-out vector of the scan"),
    /** Mamba: output of the scan with its skip term, s in the paper. */
    Y("y", "s: output of the scan"),
    /** Mamba: SiLU of in_z, g in the paper. */
    GATE("gate", "g: the gate"),
    /** Mamba: y times gate. */
    GATED("gated", "scan output times gate"),
    /** Mamba: output of the block, o in the paper. */
    OUT("out", "o: output of the block"),
    /** Mamba: state of the scan after the last token. */
    SSM_STATE("ssm_state", "state of the scan after the last token"),
    /** Mamba: the last inputs of the convolution, oldest first. */
    CONV_STATE("conv_state", "last inputs of the convolution"),

    /** GPT-NeoX: layer norm before the attention. */
    LN1("ln1", "layer norm before the attention"),
    /** GPT-NeoX: queries after the rotary embedding, one head after another. */
    Q("q", "queries, after the rotary embedding"),
    /** GPT-NeoX: keys after the rotary embedding. */
    K("k", "keys, after the rotary embedding"),
    /** GPT-NeoX: values. */
    V("v", "values"),
    /** GPT-NeoX: attention weights, [head, target, source]. */
    ATTN_PROBS("attn_probs", "attention weights"),
    /** GPT-NeoX: concatenated heads before the output projection. */
    ATTN_CTX("attn_ctx", "concatenated heads"),
    /** GPT-NeoX: output of the attention. */
    ATTN_OUT("attn_out", "output of the attention"),
    /** GPT-NeoX: layer norm before the MLP. */
    LN2("ln2", "layer norm before the MLP"),
    /** GPT-NeoX: first MLP product. */
    MLP_PRE("mlp_pre", "MLP before its GELU"),
    /** GPT-NeoX: GELU of mlp_pre. */
    MLP_ACT("mlp_act", "GELU of the MLP"),
    /** GPT-NeoX: output of the MLP. */
    MLP_OUT("mlp_out", "output of the MLP"),

    /** Residual stream that leaves a layer, h in the paper. */
    RESID_POST("resid_post", "h: residual stream after the layer"),
    /** Final norm, input of the head. */
    FINAL_NORM("final_norm", "norm before the head"),
    /** Logits over the vocabulary. */
    LOGITS("logits", "logits over the vocabulary");

    private final String id;
    private final String meaning;

    HookPoint(String id, String meaning) {
        this.id = id;
        this.meaning = meaning;
    }

    /** Its name in requests and tables, without the layer. */
    @JsonValue
    public String id() {
        return id;
    }

    /** What it holds, in a few words. */
    public String meaning() {
        return meaning;
    }

    /** Whether it belongs to the model and not to a layer. */
    public boolean isGlobal() {
        return this == EMBED || this == FINAL_NORM || this == LOGITS;
    }

    /** Whether it holds one vector for each token, so that it can be replaced at a token. */
    public boolean isPerToken() {
        return this != ATTN_PROBS && this != SSM_STATE && this != CONV_STATE;
    }

    /**
     * Where a vector may be added to the same effect, with less to compute: what a block puts out goes into the residual stream as it is.
     */
    public HookPoint addedAt() {
        return this == OUT || this == MLP_OUT ? RESID_POST : this;
    }

    /** Full name: {@code layers.12.y}, or the bare name of a global point. */
    public String name(int layer) {
        return isGlobal() ? id : "layers." + layer + "." + id;
    }

    /**
     * The point of this name; {@code residual} is an alias of {@code resid_post}. An unknown name suggests the nearest one.
     *
     * @throws BadRequest when there is no such point
     */
    @JsonCreator
    public static HookPoint of(String id) {
        if (id.equals("residual")) {
            return RESID_POST;
        }
        for (HookPoint p : values()) {
            if (p.id.equals(id)) {
                return p;
            }
        }
        List<String> all = Arrays.stream(values()).map(HookPoint::id).toList();
        String meant = Nearest.question(id, all);
        throw new BadRequest("", "'" + id + "' is not a hook point" + meant + (meant.isEmpty() ? "; hook" : " Hook")
                + " points are " + String.join(", ", all));
    }
}
