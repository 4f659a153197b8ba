package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.facts.FactPairs;
import lab.recall.stats.Estimate;
import lab.recall.stats.RelativeDepth;
import lab.recall.stats.Samples;
import lab.recall.view.HeatMap;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * Indirect effects token by token from the subject's last one on, with 95 % intervals over relations: in which layer's memory the subject
 * lives, and until which token.
 *
 * <pre>{@code
 * var life = CausalTrace.of(mamba).component(STATE).over(pairs).afterSubject();
 * life.heatmap()                                             // rows: tokens after the subject's last one
 * life.at(2, 5)                                              // two tokens after it, layer 5: mean, interval, number of pairs
 * life.until(5)                                              // the last token at which that memory holds more than half of the answer
 * }</pre>
 *
 * A row holds the pairs whose prompts have such a token; the prompt's last token is one of them.
 */
public final class AfterSubject implements Showable {
    private static final double HALF = 0.5;

    private final String title;
    private final HeatMap.Colours colours;
    /** By layer: what each pair gives at each token. */
    private final List<Samples> byLayer = new ArrayList<>();

    /** @param effects of each pair's tokens, [pair][layer][token]; of a pair that does not count empty */
    AfterSubject(String title, HeatMap.Colours colours, FactPairs pairs, double[][][] effects, int layers) {
        if (effects.length == 0) {
            throw new BadRequest("", title + ": neither a difference of traces nor one of tokens together has effects token by token;"
                    + " ask a trace of single tokens");
        }
        this.title = title;
        this.colours = colours;
        int longest = IntStream.range(0, effects.length).filter(i -> effects[i].length > 0)
                .map(i -> behind(pairs, i)).max().orElseThrow();
        List<String> relations = pairs.pairs().stream().map(p -> p.clean().relation()).toList();
        for (int l = 0; l < layers; l++) {
            double[][] each = new double[longest + 1][effects.length];
            for (int distance = 0; distance <= longest; distance++) {
                for (int i = 0; i < effects.length; i++) {
                    boolean counts = effects[i].length > 0 && distance <= behind(pairs, i);
                    each[distance][i] = counts ? effects[i][l][pairs.pairs().get(i).cleanPrompt().subjectLast() + distance] : Double.NaN;
                }
            }
            byLayer.add(new Samples(each, relations));
        }
    }

    /** Tokens of a pair's prompt after the subject's last one. */
    private static int behind(FactPairs pairs, int pair) {
        return pairs.pairs().get(pair).cleanPrompt().length() - 1 - pairs.pairs().get(pair).cleanPrompt().subjectLast();
    }

    /** Tokens after the subject's last one in the longest prompt. */
    public int longest() {
        return byLayer.get(0).places() - 1;
    }

    /**
     * Mean indirect effect so many tokens after the subject's last one, with its interval.
     *
     * @throws BadRequest when no prompt is so long, or there is no such layer
     */
    public Estimate at(int tokens, int layer) {
        if (tokens < 0 || tokens > longest()) {
            throw new BadRequest("tokens", tokens + ", expected a whole number from 0 to " + longest());
        }
        if (layer < 0 || layer >= byLayer.size()) {
            throw new BadRequest("layer", layer + ", expected a whole number from 0 to " + (byLayer.size() - 1));
        }
        return byLayer.get(layer).at(tokens);
    }

    /** The last token, counted from the subject's last one, at which a layer surely holds more than half: its interval lies above. */
    public OptionalInt until(int layer) {
        return IntStream.rangeClosed(0, longest()).filter(t -> at(t, layer).low() > HALF).max();
    }

    /** Mean effect by token (row) and layer. */
    public HeatMap heatmap() {
        double[][] means = IntStream.rangeClosed(0, longest())
                .mapToObj(t -> byLayer.stream().mapToDouble(layer -> layer.at(t).mean()).toArray()).toArray(double[][]::new);
        return HeatMap.of(title + ", after the subject", means).rows(IntStream.rangeClosed(0, longest()).mapToObj(this::label).toList())
                .rowAxis("token (pairs)").columns("layer").range(0, 1)
                .measure("mean indirect effect").colours(colours);
    }

    private String label(int tokens) {
        return (tokens == 0 ? Position.SUBJECT_LAST.label() : "+" + tokens) + " (" + at(tokens, 0).n() + ")";
    }

    /** For each layer until which token it holds more than half, where it holds most, and how much there. */
    public Table byLayer() {
        List<List<Object>> rows = new ArrayList<>();
        for (int l = 0; l < byLayer.size(); l++) {
            Samples layer = byLayer.get(l);
            OptionalInt until = until(l);
            rows.add(List.of(l, "+" + RelativeDepth.peak(layer.means()), layer.highest().toString(),
                    until.isPresent() ? "+" + until.getAsInt() : "–"));
        }
        return Tables.of(title + ": tokens counted from the subject's last one",
                List.of("layer", "most at", "mean there with its 95 % interval (token chosen on other pairs)",
                        "more than half until"), rows);
    }

    /** One row for each token and layer: mean, interval, number of pairs. For programs. */
    public Table table() {
        List<List<Object>> rows = new ArrayList<>();
        for (int t = 0; t <= longest(); t++) {
            for (int l = 0; l < byLayer.size(); l++) {
                Estimate e = at(t, l);
                rows.add(List.of(t, l, e.mean(), e.low(), e.high(), e.n()));
            }
        }
        return Tables.of(title, List.of("tokens_after_subject", "layer", "mean", "low", "high", "pairs"), rows);
    }

    @Override
    public Object view() {
        return heatmap();
    }
}
