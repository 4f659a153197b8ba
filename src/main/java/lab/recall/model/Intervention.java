package lab.recall.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import lab.recall.base.BadRequest;

/**
 * One change of a run at a {@link Site}; everything computed later follows from it.
 *
 * <pre>{@code
 * Intervention.patch(new Site(4, RESID_POST, 3), clean)     // the value that another pass had there
 * Intervention.add(site, vector)                            // steering
 * Intervention.zero(site)                                   // ablation
 * Intervention.mean(site, pass)                             // ablation by the mean over a pass's tokens
 * Intervention.cut(mamba, 3, 5, Edges.between(subject, last)) // knock-out: what edges carry is left out of their targets
 * }</pre>
 *
 * Interventions apply in the order of computation, those of one point in the order in which they are given.
 */
public sealed interface Intervention {
    /** Where it applies. */
    Site site();

    /** Adds a vector to the value. */
    record Add(Site site, float[] vector) implements Intervention {
    }

    /** Puts a vector in the value's place; the vector stands in {@code source} from index {@code at}. */
    record Replace(Site site, float[] source, int at) implements Intervention {
    }

    /**
     * Leaves what edges carry out of their targets' values; no other token notices. The site is that of the first target, and its point
     * says through what: {@code conv}, {@code y} (the scan) or {@code attn_ctx} (the attention).
     *
     * @param heads of the attention; null for all
     * @param delta of the scan: the step size that a source has where another edge passes over it, [E]; null for its own
     */
    record Cut(Site site, Edges edges, int[] heads, float[] delta) implements Intervention {
        public Cut {
            HookPoint p = site.point();
            if (p != HookPoint.CONV && p != HookPoint.Y && p != HookPoint.ATTN_CTX) {
                throw new BadRequest("", site + ": edges are cut at conv, y or attn_ctx");
            }
        }

        boolean cuts(int head) {
            return heads == null || Arrays.stream(heads).anyMatch(h -> h == head);
        }

        private void fits(LanguageModel model, int tokens) {
            if (edges.lastTarget() >= tokens) {
                throw new BadRequest("", site + ": an edge leads to token " + edges.lastTarget() + ", the tokens are 0 to " + (tokens - 1));
            }
            if (heads != null) {
                int most = ((GptNeoX) model).heads() - 1;
                for (int h : heads) {
                    if (h < 0 || h > most) {
                        throw new BadRequest("", site + ": head " + h + ", expected a whole number from 0 to " + most);
                    }
                }
            }
            if (delta != null) {
                checkVector(site, delta, 0, delta.length, model.width(HookPoint.DELTA));
                if (edges.hasSelf()) {
                    throw new BadRequest("", site + ": an edge from a token to itself passes over no other token: no delta to hold");
                }
            }
        }
    }

    /** Leaves the convolution's term w[K-1-(t-s)] in_x[s] of each edge out of conv[t] in a layer of Mamba; longer edges do nothing. */
    static Intervention cutConv(int layer, Edges edges) {
        return new Cut(new Site(layer, HookPoint.CONV, edges.firstTarget()), edges, null, null);
    }

    /**
     * Leaves the scan's term C_t (Π exp(delta_r A)) delta_s B_s x_s of each edge, r from s + 1 to t, out of y[t] in a layer of Mamba. The
     * state keeps it for later tokens.
     */
    static Intervention cutScan(int layer, Edges edges) {
        return new Cut(new Site(layer, HookPoint.Y, edges.firstTarget()), edges, null, null);
    }

    /**
     * The same, and an edge's source has the step size {@code delta} [E] in the factors of all that passes over it to the edge's target:
     * nothing of the source reaches the target then, not even how much it lets others decay.
     */
    static Intervention cutScan(int layer, Edges edges, float[] delta) {
        return new Cut(new Site(layer, HookPoint.Y, edges.firstTarget()), edges, null, delta.clone());
    }

    /** Sets the score of each edge to minus infinity in a layer of GPT-NeoX, in all heads or in some; every target keeps a source. */
    static Intervention cutAttention(int layer, Edges edges, int... heads) {
        return new Cut(new Site(layer, HookPoint.ATTN_CTX, edges.firstTarget()), edges, heads.length == 0 ? null : heads.clone(), null);
    }

    /** Cuts edges wholly in layers {@code first} to {@code last}: convolution and scan of a Mamba, all heads of a GPT-NeoX. */
    static List<Intervention> cut(LanguageModel model, int first, int last, Edges edges) {
        List<Intervention> cuts = new ArrayList<>();
        for (int l = first; l <= last && !edges.isEmpty(); l++) {
            if (model instanceof Mamba) {
                cuts.add(cutConv(l, edges));
                cuts.add(cutScan(l, edges));
            } else {
                cuts.add(cutAttention(l, edges));
            }
        }
        return cuts;
    }

    /** Adds a vector at the site. */
    static Intervention add(Site site, float... vector) {
        return new Add(site, vector.clone());
    }

    /** Replaces the value at the site. */
    static Intervention set(Site site, float... vector) {
        return new Replace(site, vector.clone(), 0);
    }

    /** Replaces the value by zeros. */
    static Intervention zero(Site site, int width) {
        return new Replace(site, new float[width], 0);
    }

    /** Replaces the value at a token by the one that another pass had at the same site; the pass must have recorded the point. */
    static Intervention patch(Site site, Pass from) {
        return patch(site, from, site.token());
    }

    /** Replaces the value at a token by the one that another pass had at its own token {@code fromToken}. */
    static Intervention patch(Site site, Pass from, int fromToken) {
        if (fromToken < 0 || fromToken >= from.length()) {
            throw new BadRequest("", site + ": the other pass has tokens 0.." + (from.length() - 1) + ", not " + fromToken);
        }
        int width = from.model().width(site.point());
        Pass owner = from.ownerOf(site.layer(), site.point(), fromToken);
        return new Replace(site, owner.values(site.layer(), site.point()), (fromToken - owner.from()) * width);
    }

    /** Replaces the value by its mean over the tokens of a pass that recorded the point. */
    static Intervention mean(Site site, Pass pass) {
        int width = pass.model().width(site.point());
        double[] sum = new double[width];
        for (int t = 0; t < pass.length(); t++) {
            float[] v = pass.get(new Site(site.layer(), site.point(), t));
            for (int i = 0; i < width; i++) {
                sum[i] += v[i];
            }
        }
        float[] mean = new float[width];
        for (int i = 0; i < width; i++) {
            mean[i] = (float) (sum[i] / pass.length());
        }
        return new Replace(site, mean, 0);
    }

    /** Refuses what does not fit a run of so many tokens. */
    default void check(LanguageModel model, int tokens) {
        Site s = site();
        model.requirePoint(s.point());
        if (!s.point().isPerToken()) {
            throw new BadRequest("", s + ": " + s.point().id() + " has no value per token and cannot be replaced");
        }
        if (!s.point().isGlobal() && s.layer() >= model.layers()) {
            throw new BadRequest("", s + ": the layer must be from 0 to " + (model.layers() - 1));
        }
        if (s.token() >= tokens) {
            throw new BadRequest("", s + ": the token must be from 0 to " + (tokens - 1));
        }
        if (this instanceof Add a) {
            checkVector(s, a.vector(), 0, a.vector().length, model.width(s.point()));
        } else if (this instanceof Replace r) {
            int width = model.width(s.point());
            checkVector(s, r.source(), r.at(), Math.min(width, r.source().length - r.at()), width);
        } else {
            ((Cut) this).fits(model, tokens);
        }
    }

    private static void checkVector(Site site, float[] v, int at, int length, int width) {
        if (length != width) {
            throw new BadRequest("", site + ": the vector has " + length + " numbers, " + site.point().id() + " has " + width);
        }
        for (int i = at; i < at + width; i++) {
            if (!Float.isFinite(v[i])) {
                throw new BadRequest("", site + ": the vector holds " + v[i] + ", expected finite numbers");
            }
        }
    }

    /** Changes one row of a point's values in place; a cut has done so while the row was computed. */
    default void apply(float[] values, int at, int width) {
        if (this instanceof Add a) {
            for (int i = 0; i < width; i++) {
                values[at + i] += a.vector()[i];
            }
        } else if (this instanceof Replace r) {
            System.arraycopy(r.source(), r.at(), values, at, width);
        }
    }

    /** The same change of a value at another token, for spreading one over all tokens. */
    default Intervention at(int token) {
        Site s = new Site(site().layer(), site().point(), token);
        return this instanceof Add a ? new Add(s, a.vector()) : new Replace(s, ((Replace) this).source(), ((Replace) this).at());
    }
}
