package lab.recall.knockout;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Json;
import lab.recall.model.Activation;
import lab.recall.model.Edges;
import lab.recall.model.Forks;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Mixer;
import lab.recall.model.Mixing;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.model.Terms;
import lab.recall.study.ModelCard;
import lab.recall.text.Prompt;
import lab.recall.view.HeatMap;
import lab.recall.view.Showable;
import lab.recall.view.Slider;

/**
 * How much each token reads of each earlier one in a layer; shows itself as a picture, targets in rows and sources in columns.
 *
 * <pre>{@code
 * HiddenAttention.of(mamba, prompt, 4)                      // the scan's terms, as shares of y
 * HiddenAttention.of(neox, prompt, 4)                       // attention weights, the mean over heads
 * HiddenAttention.heads(neox, prompt, 4)                    // each head's
 * HiddenAttention.of(neox, prompt, 4).summary()             // what the last token reads, in a sentence
 * HiddenAttention.of(mamba, prompt, 4).norms("scan")        // [target][source]
 * HiddenAttention.slider(mamba, prompt)                     // the pictures of all layers, one at a time
 * }</pre>
 *
 * In a scan, y[t] is a sum of one term for each source and of the skip term. A term's share is its projection on y, so that a row and its
 * skip share add up to 1 exactly as attention weights do; a share may be negative. Source: Ali et al., arXiv 2403.01590, section 3.
 */
public final class HiddenAttention implements Showable {
    private static final String STAR = " *";

    private final ModelCard model;
    private final int layer;
    private final List<String> tokens;
    private final double[][] share;
    private final double[] skip;
    /** Null for a model that has attention weights. */
    private final Parts terms;

    /**
     * What terms tell beside their shares, [target][source].
     *
     * @param sum     the point whose value they add up to
     * @param norms   2-norms of each mixer's terms, by the mixer
     * @param whole   change of the sum by the whole cut, relative to it
     * @param residue what the terms' sum misses
     */
    private record Parts(HookPoint sum, Map<String, double[][]> norms, double[][] whole, double residue) {
    }

    @JsonCreator
    private HiddenAttention(@JsonProperty("model") ModelCard model, @JsonProperty("layer") int layer,
            @JsonProperty("tokens") List<String> tokens, @JsonProperty("share") double[][] share,
            @JsonProperty("skip") double[] skip, @JsonProperty("terms") Parts terms) {
        this.model = model;
        this.layer = layer;
        this.tokens = List.copyOf(tokens);
        this.share = share;
        this.skip = skip;
        this.terms = terms;
    }

    /**
     * Of a prompt in a layer.
     *
     * @throws BadRequest if the model has no such layer
     */
    public static HiddenAttention of(LanguageModel model, Prompt prompt, int layer) {
        Check.whole("layer", layer, 0, model.layers() - 1);
        Mixing mixing = model.mixing();
        if (mixing.weighing().isPresent()) {
            return weights(model, mixing.weighing().get().weights().orElseThrow(), prompt, layer);
        }
        return terms(model, mixing.summing().orElseThrow(() -> new BadRequest("model", model.name() + "'s " + mixing.title()
                + " neither weighs its tokens nor sums up one term for each")), prompt, layer);
    }

    /**
     * The pictures of all layers, one at a time.
     *
     * @throws BadRequest if the model neither weighs its tokens nor sums up one term for each
     */
    public static Slider slider(LanguageModel model, Prompt prompt) {
        List<HiddenAttention> layers = IntStream.range(0, model.layers()).mapToObj(l -> of(model, prompt, l)).toList();
        return Slider.over(model.name() + ": " + layers.get(0).what(), "layer", layers.stream().map(HiddenAttention::heatmap).toList());
    }

    /** The model. */
    public ModelCard model() {
        return model;
    }

    /** Each source's share of what the target reads, [target][source]; NaN for sources after the target. */
    public double[][] share() {
        return share;
    }

    /** The share of each token's sum that comes from no source; zeros for attention weights. */
    public double[] skip() {
        return skip;
    }

    /**
     * 2-norm over channels of a mixer's term of each edge, [target][source]: {@code norms("scan")}.
     *
     * @throws BadRequest if the model has attention weights instead, or no such mixer
     */
    public double[][] norms(String mixer) {
        double[][] norms = terms().norms.get(mixer);
        if (norms == null) {
            throw new BadRequest("mixer", "'" + mixer + "', expected " + String.join(" or ", terms.norms.keySet()));
        }
        return norms;
    }

    /**
     * By how much the sum at the target changes when the edge is cut wholly, relative to its norm, [target][source].
     *
     * @throws BadRequest if the model has attention weights instead
     */
    public double[][] wholeEffect() {
        return terms().whole;
    }

    /**
     * The largest difference between the sum and its terms added up, relative to the largest number in it: rounding.
     *
     * @throws BadRequest if the model has attention weights instead
     */
    public double residue() {
        return terms().residue;
    }

    private Parts terms() {
        if (terms == null) {
            throw new BadRequest("model", model.name() + " has attention weights, no terms");
        }
        return terms;
    }

    private static HiddenAttention terms(LanguageModel model, Mixer mixer, Prompt prompt, int layer) {
        int tokens = prompt.length();
        Terms terms = mixer.terms().orElseThrow();
        HookPoint sum = terms.sum();
        Recording keep = Recording.states().and(Recording.points(sum));
        for (Mixer m : model.mixing().mixers()) {
            keep = m.terms().isPresent() ? keep.and(m.terms().get().recording()) : keep;
        }
        Pass pass = model.run(prompt.ids(), keep);
        int width = model.width(sum);
        double[][] share = nans(tokens);
        double[] skip = new double[tokens];
        double[][] left = new double[tokens][width];
        double[] square = new double[tokens];
        double largest = 0;
        for (int t = 0; t < tokens; t++) {
            float[] y = pass.get(new Site(layer, sum, t));
            float[] term = terms.rest(pass, layer, t);
            square[t] = dot(y, 0, y, 0, width);
            skip[t] = dot(term, 0, y, 0, width) / square[t];
            for (int e = 0; e < width; e++) {
                left[t][e] = y[e] - (double) term[e];
                largest = Math.max(largest, Math.abs(y[e]));
            }
        }
        for (int s = 0; s < tokens; s++) {
            float[] all = terms.of(pass, layer, s);
            for (int t = s; t < tokens; t++) {
                int at = (t - s) * width;
                float[] y = pass.get(new Site(layer, sum, t));
                share[t][s] = dot(all, at, y, 0, width) / square[t];
                for (int e = 0; e < width; e++) {
                    left[t][e] -= all[at + e];
                }
            }
        }
        double residue = Arrays.stream(left).flatMapToDouble(Arrays::stream).map(Math::abs).max().orElse(0) / largest;
        return new HiddenAttention(ModelCard.of(model), layer, names(model, prompt), share, skip,
                new Parts(sum, norms(model, pass, layer), cutEach(model, sum, layer, pass, square), residue));
    }

    /** Of the terms of each mixer that is a sum of them. */
    private static Map<String, double[][]> norms(LanguageModel model, Pass pass, int layer) {
        Map<String, double[][]> all = new LinkedHashMap<>();
        for (Mixer m : model.mixing().mixers()) {
            m.terms().ifPresent(terms -> {
                double[][] norms = nans(pass.length());
                for (int s = 0; s < norms.length; s++) {
                    float[] each = terms.of(pass, layer, s);
                    int width = each.length / (norms.length - s);
                    for (int t = s; t < norms.length; t++) {
                        norms[t][s] = norm(each, (t - s) * width, width);
                    }
                }
                all.put(m.id(), norms);
            });
        }
        return all;
    }

    private static double[][] cutEach(LanguageModel model, HookPoint sum, int layer, Pass pass, double[] square) {
        int tokens = square.length;
        double[][] whole = nans(tokens);
        Forks forks = model.forks();
        for (int t = 0; t < tokens; t++) {
            for (int s = 0; s <= t; s++) {
                forks.add(pass, Intervention.cut(model, layer, layer, Edges.of(s, t)));
            }
        }
        int at = 0;
        List<Pass> cut = forks.passes(Recording.of(sum.name(layer)));
        for (int t = 0; t < tokens; t++) {
            float[] y = pass.get(new Site(layer, sum, t));
            for (int s = 0; s <= t; s++) {
                float[] without = cut.get(at++).get(new Site(layer, sum, t));
                for (int e = 0; e < y.length; e++) {
                    without[e] -= y[e];
                }
                whole[t][s] = norm(without, 0, y.length) / Math.sqrt(square[t]);
            }
        }
        return whole;
    }

    private static HiddenAttention weights(LanguageModel model, HookPoint point, Prompt prompt, int layer) {
        List<double[][]> heads = heads(model, point, prompt, layer);
        int tokens = prompt.length();
        double[][] share = nans(tokens);
        for (int t = 0; t < tokens; t++) {
            for (int s = 0; s <= t; s++) {
                double sum = 0;
                for (double[][] head : heads) {
                    sum += head[t][s];
                }
                share[t][s] = sum / heads.size();
            }
        }
        return new HiddenAttention(ModelCard.of(model), layer, names(model, prompt), share, new double[tokens], null);
    }

    /** Each head's weights, [target][source]. */
    private static List<double[][]> heads(LanguageModel model, HookPoint point, Prompt prompt, int layer) {
        int tokens = prompt.length();
        Activation weights = model.run(prompt.ids(), Recording.of(point.name(layer))).activation(layer, point);
        List<double[][]> heads = new ArrayList<>();
        for (int h = 0; h < (int) weights.shape()[0]; h++) {
            double[][] share = nans(tokens);
            for (int t = 0; t < tokens; t++) {
                for (int s = 0; s <= t; s++) {
                    share[t][s] = weights.values()[(h * tokens + t) * tokens + s];
                }
            }
            heads.add(share);
        }
        return heads;
    }

    /**
     * The attention weights of each head of a layer, side by side.
     *
     * @throws BadRequest if the model has no attention weights, or no such layer
     */
    public static HeatMap heads(LanguageModel model, Prompt prompt, int layer) {
        Check.whole("layer", layer, 0, model.layers() - 1);
        HookPoint point = model.mixing().weighing().orElseThrow(() -> new BadRequest("model", model.name()
                + " has no attention weights, and so no heads")).weights().orElseThrow();
        List<double[][]> heads = heads(model, point, prompt, layer);
        List<String> names = names(model, prompt);
        HeatMap[] maps = new HeatMap[heads.size()];
        for (int h = 0; h < maps.length; h++) {
            HeatMap map = HeatMap.of((h == 0 ? model.name() + ", layer " + layer + ": " : "") + "head " + h, heads.get(h))
                    .columns("is read", names).range(0, 1).measure("attention");
            maps[h] = h == 0 ? map.rows(names).rowAxis("reads") : map;
        }
        return HeatMap.beside(maps);
    }

    /**
     * What the prompt's last token reads, in a sentence: which token's share is largest, and the subject's; where there are terms, also
     * what the whole cut of its edges to the subject changes.
     */
    public String summary() {
        int last = tokens.size() - 1;
        int[] subject = IntStream.range(0, last).filter(t -> tokens.get(t).endsWith(STAR)).toArray();
        int most = IntStream.rangeClosed(0, last).boxed().max(Comparator.comparingDouble(s -> Math.abs(share[last][s]))).orElseThrow();
        String sentence = String.format(Locale.ROOT, "%s, layer %d: the prompt's last token '%s' reads most of '%s' (%.2f of its sum); "
                + "of the subject's tokens %.2f", model.name(), layer, tokens.get(last), tokens.get(most).replace(STAR, ""),
                share[last][most], IntStream.of(subject).mapToDouble(s -> share[last][s]).sum()).replace("-0.00", "0.00");
        return terms == null || subject.length == 0 ? sentence : sentence + String.format(Locale.ROOT,
                ". Cutting one of its edges to them changes its sum by %.2f of its length at most; any edge, by %.2f at most ('%s')",
                IntStream.of(subject).mapToDouble(s -> terms.whole[last][s]).max().orElseThrow(),
                Arrays.stream(terms.whole[last]).max().orElseThrow(), tokens.get(IntStream.rangeClosed(0, last).boxed()
                        .max(Comparator.comparingDouble(s -> terms.whole[last][s])).orElseThrow()).replace(STAR, ""));
    }

    /** The tokens' texts, those of the subject with a star. */
    private static List<String> names(LanguageModel model, Prompt prompt) {
        List<String> names = new ArrayList<>();
        for (int t = 0; t < prompt.length(); t++) {
            int id = prompt.ids()[t];
            String text = model.tokenizer().map(x -> x.token(id)).orElse(String.valueOf(id)).strip();
            names.add(text + (t >= prompt.subjectStart() && t < prompt.subjectEnd() ? STAR : ""));
        }
        return names;
    }

    private String what() {
        return terms != null ? "share of " + terms.sum.id() : "attention, mean of heads";
    }

    /** The shares, [target][source]. */
    public HeatMap heatmap() {
        return picture(String.format(Locale.ROOT, "%s, layer %d: %s", model.name(), layer, what()), share)
                .colours(HeatMap.Colours.DIVERGING).range(-1, 1).measure("share");
    }

    /**
     * What a whole cut of each edge changes, [target][source].
     *
     * @throws BadRequest if the model has attention weights instead
     */
    public HeatMap wholeHeatmap() {
        return picture(model.name() + ", layer " + layer + ": change of " + terms().sum.id() + " by the whole cut", terms.whole)
                .range(0, 1).measure("|change| / |sum|");
    }

    private HeatMap picture(String title, double[][] values) {
        return HeatMap.of(title, values).rows(tokens).rowAxis("reads").columns("is read", tokens);
    }

    @Override
    public Object view() {
        return heatmap();
    }

    private static double[][] nans(int tokens) {
        double[][] m = new double[tokens][tokens];
        for (double[] row : m) {
            Arrays.fill(row, Double.NaN);
        }
        return m;
    }

    static double norm(float[] v, int at, int width) {
        return Math.sqrt(dot(v, at, v, at, width));
    }

    private static double dot(float[] a, int aAt, float[] b, int bAt, int width) {
        double sum = 0;
        for (int i = 0; i < width; i++) {
            sum += (double) a[aAt + i] * b[bAt + i];
        }
        return sum;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HiddenAttention h && model.equals(h.model) && layer == h.layer && tokens.equals(h.tokens)
                && Json.tree(this).equals(Json.tree(h));
    }

    @Override
    public int hashCode() {
        return Objects.hash(model, layer, tokens);
    }
}
