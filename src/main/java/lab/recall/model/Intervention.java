package lab.recall.model;

import java.util.ArrayList;
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
 * Intervention.zero(new Site(4, WRITE, 3), mamba.width(WRITE)) // token 3 puts nothing into the memory of layer 4
 * Intervention.readOnly(change)                             // the token's own read-out sees it, later tokens do not
 * Intervention.cut(mamba, 3, 5, Edges.between(subject, last)) // knock-out: what edges carry is left out of their targets
 * }</pre>
 *
 * Interventions apply in the order of computation, those of one point in the order in which they are given.
 */
public sealed interface Intervention {
    /** Where it applies. */
    Site site();

    /**
     * Refuses what does not fit a run of so many tokens.
     *
     * @throws BadRequest when the model has no such place, or the change does not fit it
     */
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
    }

    /** Changes one row of a point's values in place. */
    void apply(float[] values, int at, int width);

    /** The same change at another token, for spreading one over all tokens. */
    Intervention at(int token);

    /** Whether nobody sees it but the read-out of its own token. */
    default boolean isReadOnly() {
        return false;
    }

    /** Adds a vector to the value. */
    record Add(Site site, float[] vector) implements Intervention {
        @Override
        public void check(LanguageModel model, int tokens) {
            Intervention.super.check(model, tokens);
            checkVector(site, vector, 0, vector.length, model.width(site.point()));
        }

        @Override
        public void apply(float[] values, int at, int width) {
            for (int i = 0; i < width; i++) {
                values[at + i] += vector[i];
            }
        }

        @Override
        public Add at(int token) {
            return new Add(new Site(site.layer(), site.point(), token), vector);
        }
    }

    /** Puts a vector in the value's place; the vector stands in {@code source} from index {@code at}. */
    record Replace(Site site, float[] source, int at) implements Intervention {
        @Override
        public void check(LanguageModel model, int tokens) {
            Intervention.super.check(model, tokens);
            int width = model.width(site.point());
            checkVector(site, source, at, Math.min(width, source.length - at), width);
        }

        @Override
        public void apply(float[] values, int to, int width) {
            System.arraycopy(source, at, values, to, width);
        }

        @Override
        public Replace at(int token) {
            return new Replace(new Site(site.layer(), site.point(), token), source, at);
        }
    }

    /** A change of a layer's memory that only the token's own read-out sees: the memory goes on as if nothing were changed. */
    record ReadOnly(Intervention change) implements Intervention {
        @Override
        public Site site() {
            return change.site();
        }

        @Override
        public void check(LanguageModel model, int tokens) {
            change.check(model, tokens);
            if (!site().point().isState()) {
                throw new BadRequest("", site() + ": only a layer's memory is read apart from what goes on; " + site().point().id()
                        + " is changed as a whole");
            }
        }

        @Override
        public boolean isReadOnly() {
            return true;
        }

        @Override
        public void apply(float[] values, int at, int width) {
            change.apply(values, at, width);
        }

        @Override
        public ReadOnly at(int token) {
            return new ReadOnly(change.at(token));
        }
    }

    /**
     * Leaves what edges carry through a {@link Mixer} out of their targets' values; no other token notices. The site is that of the first
     * target, and its point says through what. Mixers have records of their own for it.
     */
    non-sealed interface Cut extends Intervention {
        /** What is left out. */
        Edges edges();

        @Override
        default void check(LanguageModel model, int tokens) {
            Intervention.super.check(model, tokens);
            if (edges().lastTarget() >= tokens) {
                throw new BadRequest("", site() + ": an edge leads to token " + edges().lastTarget() + ", the tokens are 0 to "
                        + (tokens - 1));
            }
        }

        /** The block has left the edges out while it computed the row. */
        @Override
        default void apply(float[] values, int at, int width) {
        }

        @Override
        default Cut at(int token) {
            return this;
        }
    }

    /** Cuts edges wholly in layers {@code first} to {@code last}: through all that mixes tokens there. */
    static List<Intervention> cut(LanguageModel model, int first, int last, Edges edges) {
        List<Intervention> cuts = new ArrayList<>();
        for (int l = first; l <= last; l++) {
            cuts.addAll(model.mixing().cut(l, edges));
        }
        return cuts;
    }

    /** A change of a layer's memory, or of what a token puts into it, that only the token's own read-out sees. */
    static Intervention readOnly(Intervention change) {
        return new ReadOnly(change);
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

    /**
     * Refuses a vector of another width, or with a number that is not finite.
     *
     * @throws BadRequest when it is one
     */
    static void checkVector(Site site, float[] v, int at, int length, int width) {
        if (length != width) {
            throw new BadRequest("", site + ": the vector has " + length + " numbers, " + site.point().id() + " has " + width);
        }
        for (int i = at; i < at + width; i++) {
            if (!Float.isFinite(v[i])) {
                throw new BadRequest("", site + ": the vector holds " + v[i] + ", expected finite numbers");
            }
        }
    }
}
