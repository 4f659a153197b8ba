package lab.recall.model.block;

import java.util.Arrays;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.model.Edges;
import lab.recall.model.Intervention;
import lab.recall.model.Site;

/**
 * Cuts of edges through one mixer.
 *
 * <pre>{@code
 * Cuts.scan(4, Edges.of(2, 11))                              // the scan's term of token 2 is left out of y of token 11
 * Cuts.attention(4, Edges.of(2, 11), 0, 3)                   // in heads 0 and 3
 * }</pre>
 */
public final class Cuts {
    private Cuts() {
    }

    /** Through the convolution. */
    record Conv(Site site, Edges edges) implements Intervention.Cut {
    }

    /**
     * Through the scan.
     *
     * @param delta the step size that a source has where another edge passes over it, all that a token has of delta; null for its own
     */
    record Scan(Site site, Edges edges, float[] delta) implements Intervention.Cut {
    }

    /**
     * Through the attention.
     *
     * @param heads null for all
     */
    record Attention(Site site, Edges edges, int[] heads) implements Intervention.Cut {
        boolean cuts(int head) {
            return heads == null || Arrays.stream(heads).anyMatch(h -> h == head);
        }
    }

    /** Leaves the convolution's term w[K-1-(t-s)] in_x[s] of each edge out of conv[t] in a layer; longer edges do nothing. */
    public static Intervention.Cut conv(int layer, Edges edges) {
        return new Conv(new Site(layer, ScanPoints.CONV, edges.firstTarget()), edges);
    }

    /**
     * Leaves the scan's term C_t (Π exp(delta_r A)) delta_s B_s x_s of each edge, r from s + 1 to t, out of y[t] in a layer. The state
     * keeps it for later tokens.
     */
    public static Intervention.Cut scan(int layer, Edges edges) {
        return new Scan(new Site(layer, ScanPoints.Y, edges.firstTarget()), edges, null);
    }

    /**
     * The same, and an edge's source has the step size {@code delta}, [width of that point], in the factors of all that passes over it to
     * the edge's target: nothing of the source reaches the target then, not even how much it lets others decay.
     */
    public static Intervention.Cut scan(int layer, Edges edges, float[] delta) {
        return new Scan(new Site(layer, ScanPoints.Y, edges.firstTarget()), edges, delta.clone());
    }

    /** Sets the score of each edge to minus infinity in a layer's attention, in all heads or in some; every target keeps a source. */
    public static Intervention.Cut attention(int layer, Edges edges, int... heads) {
        return new Attention(new Site(layer, AttentionPoints.ATTN_CTX, edges.firstTarget()), edges,
                heads.length == 0 ? null : heads.clone());
    }

    /** What a layer without such a mixer answers. */
    static BadRequest unknown(Intervention.Cut cut, String... points) {
        return new BadRequest("", cut.site() + ": edges are cut at " + String.join(" or ", List.of(points)));
    }

    static Edges join(Edges a, Edges b) {
        return a == null ? b : a.and(b);
    }
}
