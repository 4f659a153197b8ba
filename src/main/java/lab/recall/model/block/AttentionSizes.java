package lab.recall.model.block;

import lab.recall.math.Attention;
import lab.recall.model.Activation;
import lab.recall.model.HookPoint;
import lab.recall.model.PointSizes;

/**
 * Sizes of a layer of attention and MLP.
 *
 * @param width  d, of the residual stream
 * @param heads  of the attention
 * @param hidden F, width of the MLP
 */
public record AttentionSizes(int width, Attention.Heads heads, int hidden) implements PointSizes {
    /** Numbers of all query heads. */
    public int queries() {
        return heads.count() * heads.width();
    }

    /** Numbers of all heads of keys, and of values. */
    public int keys() {
        return heads.keys() * heads.width();
    }

    /** Numbers that a token has at a point. */
    @Override
    public int width(HookPoint point) {
        return switch (point.id()) {
            case "q", "attn_ctx" -> queries();
            case "k", "v" -> keys();
            case "mlp_pre", "mlp_gate", "mlp_up", "mlp_act" -> hidden;
            default -> width;
        };
    }

    /** Heads that they belong to; 0 where they are one vector. */
    @Override
    public int heads(HookPoint point) {
        return switch (point.id()) {
            case "q" -> heads.count();
            case "k", "v" -> heads.keys();
            default -> 0;
        };
    }

    /** Attention weights in their shape, [heads, target, source]. */
    @Override
    public Activation whole(String name, HookPoint point, float[] values, int tokens) {
        return new Activation(name, new long[] {heads.count(), tokens, values.length / heads.count() / tokens}, values.clone());
    }
}
