package lab.recall.model;

import lab.recall.base.BadRequest;

/**
 * One place of a run: a hook point, in a layer, at a token.
 *
 * <pre>{@code
 * new Site(12, ScanPoints.Y, 5)                  // layers.12.y at token 5
 * Site.everywhere(12, ScanPoints.Y)              // at all tokens
 * }</pre>
 *
 * Layers and tokens count from 0. Global points (embed, final_norm, logits) belong to no layer: their layer is written as 0.
 *
 * @param layer 0..L-1
 * @param point what is read or replaced there
 * @param token 0..T-1, or {@link #ALL}
 */
public record Site(int layer, HookPoint point, int token) {
    /** Every token of the run. */
    public static final int ALL = -1;

    public Site {
        if (token < ALL) {
            throw new BadRequest("", "token " + token + ": tokens count from 0");
        }
        if (layer < 0) {
            throw new BadRequest("", "layer " + layer + ": layers count from 0");
        }
    }

    /** The point at every token. */
    public static Site everywhere(int layer, HookPoint point) {
        return new Site(layer, point, ALL);
    }

    /** The point's full name, {@code layers.12.y}. */
    public String name() {
        return point.name(layer);
    }

    @Override
    public String toString() {
        return name() + "@" + (token == ALL ? "all" : String.valueOf(token));
    }
}
