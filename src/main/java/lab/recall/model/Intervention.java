package lab.recall.model;

/**
 * One change of a run at a {@link Site}; everything computed later follows from it.
 *
 * <pre>{@code
 * Intervention.patch(new Site(4, RESID_POST, 3), clean)     // the value that another pass had there
 * Intervention.add(site, vector)                            // steering
 * Intervention.zero(site)                                   // ablation
 * Intervention.mean(site, pass)                             // ablation by the mean over a pass's tokens
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
            throw new IllegalArgumentException(site + ": the other pass has tokens 0.." + (from.length() - 1) + ", not " + fromToken);
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

    /** Width of the vector that it brings. */
    default void check(LanguageModel model, int tokens) {
        Site s = site();
        model.requirePoint(s.point());
        if (!s.point().isPerToken()) {
            throw new IllegalArgumentException(s + ": " + s.point().id() + " has no value per token and cannot be replaced");
        }
        if (!s.point().isGlobal() && s.layer() >= model.layers()) {
            throw new IllegalArgumentException(s + ": the layer must be from 0 to " + (model.layers() - 1));
        }
        if (s.token() >= tokens) {
            throw new IllegalArgumentException(s + ": the token must be from 0 to " + (tokens - 1));
        }
        int width = model.width(s.point());
        float[] v = this instanceof Add a ? a.vector() : ((Replace) this).source();
        int at = this instanceof Replace r ? r.at() : 0;
        if (v.length - at < width || (this instanceof Add && v.length != width)) {
            throw new IllegalArgumentException(s + ": the vector has " + (v.length - at) + " numbers, " + s.point().id() + " has " + width);
        }
        for (int i = at; i < at + width; i++) {
            if (!Float.isFinite(v[i])) {
                throw new IllegalArgumentException(s + ": the vector holds " + v[i] + ", expected finite numbers");
            }
        }
    }

    /** Changes one row of a point's values in place. */
    default void apply(float[] values, int at, int width) {
        if (this instanceof Add a) {
            for (int i = 0; i < width; i++) {
                values[at + i] += a.vector()[i];
            }
        } else {
            Replace r = (Replace) this;
            System.arraycopy(r.source(), r.at(), values, at, width);
        }
    }

    /** The same change at another token, for spreading one over all tokens. */
    default Intervention at(int token) {
        Site s = new Site(site().layer(), site().point(), token);
        return this instanceof Add a ? new Add(s, a.vector()) : new Replace(s, ((Replace) this).source(), ((Replace) this).at());
    }
}
