package lab.recall.trace;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.base.Interruption;
import lab.recall.facts.FactPair;
import lab.recall.facts.FactPairs;
import lab.recall.model.Forks;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Mixer;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.stats.Estimate;
import lab.recall.stats.Samples;
import lab.recall.view.HeatMap;
import lab.recall.view.Showable;

/**
 * Interchange head by head: how much of the clean answer returns when what one attention head has gathered at the prompt's last token is
 * put back; shows itself as a picture, heads in rows and layers in columns.
 *
 * <pre>{@code
 * HeadTrace.of(neox, known.pairs(60, seed))
 * HeadTrace.of(neox, pairs).at(2, 1)                         // layer 2, head 1: mean, interval, number of pairs
 * }</pre>
 *
 * Effects are those of {@link Averaging#CORRECTED}. For attention heads: Wang et al., arXiv 2211.00593, section 3.
 */
public final class HeadTrace implements Showable {
    private final String model;
    private final int pairs;
    /** By head: what each pair gives at each layer. */
    private final List<Samples> heads;

    private HeadTrace(String model, int pairs, List<Samples> heads) {
        this.model = model;
        this.pairs = pairs;
        this.heads = heads;
    }

    /**
     * Over pairs of facts; those whose two runs hardly differ are left out.
     *
     * @throws BadRequest if the model has no attention heads
     */
    public static HeadTrace of(LanguageModel model, FactPairs pairs) {
        Mixer attention = model.mixing().weighing().filter(m -> m.heads().isPresent() && m.weights().isPresent())
                .orElseThrow(() -> new BadRequest("model", model.name() + " has no attention heads"));
        HookPoint gathered = attention.heads().orElseThrow();
        HookPoint weights = attention.weights().orElseThrow();
        int count = (int) model.run(pairs.get(0).cleanPrompt().ids(), Recording.of(weights.name(0))).activation(0, weights).shape()[0];
        int layers = model.layers();
        double[][][] effects = new double[count][layers][pairs.size()];
        for (int i = 0; i < pairs.size(); i++) {
            Interruption.check();
            double[] found = one(model, gathered, count, pairs.get(i));
            for (int h = 0; h < count; h++) {
                for (int l = 0; l < layers; l++) {
                    effects[h][l][i] = found[h * layers + l];
                }
            }
        }
        List<String> relations = pairs.pairs().stream().map(p -> p.clean().relation()).toList();
        return new HeadTrace(model.name(), pairs.size(), Arrays.stream(effects).map(e -> new Samples(e, relations)).toList());
    }

    /** Effects of each head in each layer, [head * layers + layer]. */
    private static double[] one(LanguageModel model, HookPoint gathered, int heads, FactPair pair) {
        Pass clean = model.run(pair.cleanPrompt().ids(), Recording.points(gathered));
        Pass corrupt = model.run(pair.corruptPrompt().ids(), Recording.states().and(Recording.points(gathered)));
        int last = pair.cleanPrompt().length() - 1;
        int width = model.width(gathered) / heads;
        Forks forks = model.forks();
        for (int h = 0; h < heads; h++) {
            for (int l = 0; l < model.layers(); l++) {
                Site site = new Site(l, gathered, last);
                float[] mixed = corrupt.get(site).clone();
                System.arraycopy(clean.get(site), h * width, mixed, h * width, width);
                forks.add(corrupt, Intervention.set(site, mixed));
            }
        }
        double pClean = clean.probability(pair.answer());
        double pCorrupt = corrupt.probability(pair.answer());
        double span = pClean - pCorrupt;
        return Arrays.stream(forks.probabilities(pair.answer()))
                .map(p -> span < Averaging.LEAST_SPAN ? Double.NaN : (p - pCorrupt) / span).toArray();
    }

    /** How many heads a layer has. */
    public int heads() {
        return heads.size();
    }

    /** Mean effect of a head of a layer. */
    public Estimate at(int layer, int head) {
        return heads.get(head).at(layer);
    }

    /** Mean effect by head (row) and layer. */
    public HeatMap heatmap() {
        return HeatMap.of(model + ", heads at the prompt's last token, " + heads.get(0).at(0).n() + " of " + pairs + " pairs",
                heads.stream().map(Samples::means).toArray(double[][]::new))
                .rows(IntStream.range(0, heads.size()).mapToObj(h -> "head " + h).toList()).columns("layer").range(0, 1)
                .measure("mean indirect effect").colours(HeatMap.Colours.REDS).hover((head, layer) -> at(layer, head).toString());
    }

    @Override
    public Object view() {
        return heatmap();
    }
}
