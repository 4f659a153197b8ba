package lab.recall.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.math.Softmax;
import lab.recall.view.HeatMap;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * One forward run and what was kept of it.
 *
 * <pre>{@code
 * Pass clean = model.run(prompt.ids());                    // logits of the last token, and the states to go on from
 * clean.probability(answer)
 * clean.get(new Site(4, RESID_POST, 3))                    // one vector
 * clean.array(4, Y)                                        // INDArray [tokens, width]
 * clean.heatmap(4, Y)                                      // the same as a picture with its tokens
 * Pass longer = clean.then(42);                            // one more token, from the kept states
 * }</pre>
 *
 * A pass that was forked or continued from another one holds the tokens from {@link #from} on; what is left of them is asked of its base.
 * Immutable; the arrays it gives are copies, but for those of {@link #values}.
 */
public final class Pass {
    private final LanguageModel model;
    private final int[] ids;
    private final Pass base;
    private final int from;
    private final List<Intervention> changes;
    private final float[][][] kept;
    private final float[] lastLogits;
    private int notedToken;
    private Object[] noted;
    private int earlierToken = Integer.MAX_VALUE;
    private Object[] earlier;
    /** Whether it is a continuation, and whether it has one. */
    private boolean isJoined;
    private boolean isContinued;

    Pass(LanguageModel model, Run run, float[] lastLogits) {
        this(model, run.ids, run.base, run.from, run.changes, run.kept, lastLogits);
    }

    private Pass(LanguageModel model, int[] ids, Pass base, int from, List<Intervention> changes, float[][][] kept, float[] lastLogits) {
        this.model = model;
        this.ids = ids;
        this.base = base;
        this.from = from;
        this.changes = changes;
        this.kept = kept;
        this.lastLogits = lastLogits;
    }

    /**
     * The pass of a continued run, joined with its base: the states of all tokens from 0 on. There is room behind them for some of what
     * follows, so that they are not copied for each token.
     *
     * @param most how many tokens there will be at the most
     */
    static Pass joined(LanguageModel model, Run run, float[] lastLogits, int most) {
        float[][][] all = new float[model.layers() + 1][HookPoint.count()][];
        boolean own = run.base.isFirstContinued();
        int room = (int) Math.max(run.ids.length, Math.min(most, run.ids.length * 3L / 2));
        for (HookPoint p : model.statePoints()) {
            int had = run.base.length() * model.width(p);
            int size = Math.multiplyExact(run.ids.length, model.width(p));
            for (int l = 0; l < model.layers(); l++) {
                float[] states = run.base.values(l, p);
                if (!own || states.length < size) {
                    states = Arrays.copyOf(states, Math.multiplyExact(room, model.width(p)));
                }
                System.arraycopy(run.kept[l][p.number()], 0, states, had, size - had);
                all[l][p.number()] = states;
            }
        }
        List<Intervention> changes = new ArrayList<>(run.base.changes);
        changes.addAll(run.changes);
        Pass joined = new Pass(model, run.ids, null, 0, changes, all, lastLogits);
        joined.isJoined = true;
        joined.remember(run.base);
        return joined;
    }

    /** Whether nobody has written behind this pass's states yet; the caller may. */
    private synchronized boolean isFirstContinued() {
        boolean first = !isContinued;
        isContinued = true;
        return first;
    }

    /** The model that ran. */
    public LanguageModel model() {
        return model;
    }

    /** The token ids. */
    public int[] ids() {
        return ids.clone();
    }

    /** Number of tokens. */
    public int length() {
        return ids.length;
    }

    /** First token that this pass computed itself. */
    public int from() {
        return from;
    }

    /** The pass that this one was forked from, or null. */
    public Pass base() {
        return base;
    }

    /** The interventions in force, one for each token. */
    List<Intervention> changes() {
        return changes;
    }

    /** What was changed of a layer's memory, for all that came after it, at tokens before one; in the order of tokens. */
    public List<Intervention> memoryChanges(int layer, int before) {
        return changes.stream().filter(i -> i.site().point().isState() && i.site().layer() == layer && i.site().token() < before
                && !i.isReadOnly()).sorted(Comparator.comparingInt(i -> i.site().token())).toList();
    }

    /**
     * Refuses a pass in which a layer's memory was changed, for what is told from the terms that it is made of.
     *
     * @param what is refused, such as gradients
     */
    public void requireOwnMemory(String what) {
        changes.stream().filter(i -> i.site().point().isState()).findFirst().ifPresent(i -> {
            throw new BadRequest("", i.site() + ": " + what + " do not go through a changed " + i.site().point().id()
                    + "; take them of a pass without");
        });
    }

    /** Logits of the last token, [V]. */
    public float[] logits() {
        return last().clone();
    }

    /**
     * Probability of a token after the last one.
     *
     * @throws BadRequest for an id outside the vocabulary
     * @throws lab.recall.base.Unsolvable when logits are not finite
     */
    public double probability(int id) {
        model.requireId(id);
        double p = Softmax.probability(last(), 0, last().length, id);
        if (Double.isNaN(p)) {
            throw model.notFinite();
        }
        return p;
    }

    /**
     * This pass, if the logits after its last token are numbers: what else it kept may not be, where they are not.
     *
     * @throws lab.recall.base.Unsolvable when logits are not finite
     */
    public Pass requireFinite() {
        model.requireFinite(last(), 0);
        return this;
    }

    /**
     * The most probable next token.
     *
     * @throws lab.recall.base.Unsolvable when logits are not finite
     */
    public int argmax() {
        requireFinite();
        return Softmax.argmax(last(), 0, last().length);
    }

    /**
     * The value at a site, [width].
     *
     * @throws BadRequest when it is outside the prompt, or was not kept
     */
    public float[] get(Site site) {
        if (site.token() < 0 || site.token() >= length()) {
            throw new BadRequest("", site + ": the token must be from 0 to " + (length() - 1));
        }
        int width = model.width(site.point());
        Pass owner = ownerOf(site.layer(), site.point(), site.token());
        int at = (site.token() - owner.from) * width;
        return Arrays.copyOfRange(owner.values(site.layer(), site.point()), at, at + width);
    }

    /** Whether this pass itself kept the point in the layer. */
    public boolean has(int layer, HookPoint point) {
        float[][] all = kept == null ? null : kept[point.isGlobal() ? model.layers() : layer];
        return all != null && point.number() < all.length && all[point.number()] != null;
    }

    /**
     * A point in a layer in its natural shape: [tokens, width], or [heads, tokens, head width] where heads stand one after another; one
     * that holds all of a layer's tokens together has the shape that its family gives it. A global point ignores the layer.
     *
     * @throws BadRequest when it was not kept
     */
    public INDArray array(int layer, HookPoint point) {
        Activation a = activation(layer, point);
        return Nd4j.create(a.values(), a.shape(), 'c');
    }

    /**
     * The same as plain numbers.
     *
     * @throws BadRequest when it was not kept
     */
    public Activation activation(int layer, HookPoint point) {
        if (!point.isGlobal() && (layer < 0 || layer >= model.layers())) {
            throw new BadRequest("", "layer " + layer + " of " + point.id() + ", expected one from 0 to " + (model.layers() - 1));
        }
        if (point.isPerToken() && from > 0) {
            int width = model.width(point);
            float[] whole = new float[length() * width];
            for (int t = 0; t < length(); t++) {
                System.arraycopy(get(new Site(layer, point, t)), 0, whole, t * width, width);
            }
            return model.shaped(layer, point, whole, length());
        }
        return model.shaped(layer, point, values(layer, point), length() - from);
    }

    /**
     * A point in a layer as a picture, tokens in rows and channels in columns.
     *
     * @throws BadRequest when it was not kept, or is no vector for each token: {@link #array} gives it
     */
    public HeatMap heatmap(int layer, HookPoint point) {
        Activation a = activation(layer, point);
        if (a.shape().length != 2 || a.shape()[0] != length()) {
            throw new BadRequest("", a.name() + " has the shape " + Arrays.toString(a.shape())
                    + ", expected a vector for each token; array gives the numbers");
        }
        int width = (int) a.shape()[1];
        double[][] rows = new double[length()][width];
        for (int t = 0; t < rows.length; t++) {
            for (int c = 0; c < width; c++) {
                rows[t][c] = a.values()[t * width + c];
            }
        }
        return HeatMap.signed(model.name() + ": " + a.name() + ", " + point.meaning(), rows)
                .rows(IntStream.of(ids).mapToObj(model::token).toList()).columns("channel");
    }

    @Override
    public String toString() {
        return "Pass of " + length() + " tokens through " + model.name() + ", " + kept().size() + " points kept";
    }

    /** Every point that this pass kept, in the order of computation. */
    public List<Activation> activations() {
        return kept().stream().map(s -> activation(s.layer(), s.point())).toList();
    }

    /** Where this pass kept values, in the order of computation; tokens are left open. */
    public List<Site> kept() {
        return model.sites().stream().filter(s -> has(s.layer(), s.point())).toList();
    }

    /**
     * The same run with more tokens after it, computed from the states that this pass kept.
     *
     * @throws BadRequest when there is no id, one outside the vocabulary, or no state was kept; and for a fork, which has not all states
     */
    public Pass then(int... more) {
        if (base != null) {
            throw new BadRequest("", "a fork does not go on; run the whole prompt with its changes, run(ids, Recording.states(), changes), "
                    + "and go on from there");
        }
        int[] longer = Arrays.copyOf(ids, ids.length + more.length);
        for (int i = 0; i < more.length; i++) {
            model.requireId(more[i]);
            longer[ids.length + i] = more[i];
        }
        if (more.length == 0) {
            throw new BadRequest("", "no token to go on with");
        }
        return model.resume(this, longer, List.of(), isJoined ? Integer.MAX_VALUE : longer.length);
    }

    /**
     * What was kept of a point, the pass's own array: [tokens from {@link #from} on, width], heads one after another; a pass that goes on
     * has room behind them. Do not write to it.
     *
     * @throws BadRequest when it was not kept
     */
    public float[] values(int layer, HookPoint point) {
        if (!has(layer, point)) {
            throw new BadRequest("", point.name(layer)
                    + " was not kept in this pass; run it with Recording.of(\"" + point.name(layer) + "\")");
        }
        return kept[point.isGlobal() ? model.layers() : layer][point.number()];
    }

    /**
     * What a layer's block computes of this pass for runs that go on at a token; remembered for the first token that is asked for, since
     * the steps of a search ask for it again and again.
     *
     * @param compute is given the same of an earlier token, which this pass or the one that it continues has remembered; null for none
     */
    @SuppressWarnings("unchecked")
    public synchronized <T> T noted(int layer, int token, UnaryOperator<T> compute) {
        if (noted == null) {
            noted = new Object[model.layers()];
            notedToken = token;
        }
        if (token == notedToken && noted[layer] != null) {
            return (T) noted[layer];
        }
        boolean own = notedToken < token && noted[layer] != null;
        T found = compute.apply((T) (own ? noted[layer] : earlierToken <= token ? earlier[layer] : null));
        if (token == notedToken) {
            noted[layer] = found;
        }
        return found;
    }

    /** Takes over what another pass has remembered, of which this one is the continuation. */
    private void remember(Pass of) {
        synchronized (of) {
            earlier = of.noted == null ? of.earlier : of.noted.clone();
            earlierToken = of.noted == null ? of.earlierToken : of.notedToken;
        }
    }

    /** This pass, or the base that computed the token. */
    Pass ownerOf(int layer, HookPoint point, int token) {
        Pass p = this;
        while (p.base != null && (token < p.from || !p.has(layer, point))) {
            p = p.base;
        }
        return p;
    }

    private float[] last() {
        if (lastLogits == null) {
            throw new BadRequest("", "this pass was run without logits");
        }
        return lastLogits;
    }
}
