package lab.recall.trace;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import lab.recall.facts.FactPair;
import lab.recall.model.Gradients;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.LayerWindow;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;
import lab.recall.study.Cost;
import lab.recall.study.Runner;
import lab.recall.study.Study;

/** First-order estimates for many pairs, [pair][layer][cell]; none where the two runs hardly differ. */
final class AttributionStudy extends Study<AttributionStudy.Asked, AttributionStudy.Piece, double[][][], double[][][]> {
    /** What is put back, over how many layers. */
    record Settings(HookPoint point, int window) {
    }

    /** Settings and pairs. */
    record Asked(Settings settings, List<FactPair> pairs) {
    }

    /** Some of the pairs. */
    record Piece(List<FactPair> pairs) {
    }

    AttributionStudy() {
        super("attribution", "pairs", double[][][].class);
    }

    @Override
    public Object settings(Asked asked) {
        return asked.settings;
    }

    @Override
    public String title(LanguageModel model, Asked asked) {
        return "attribution patching of " + asked.settings.point.id() + LayerWindow.of(model, asked.settings.window).label();
    }

    @Override
    public long size(LanguageModel model, Asked asked, Piece piece) {
        return piece.pairs.size();
    }

    @Override
    public List<Piece> plan(LanguageModel model, Asked asked, Runner runner) {
        return Study.parts(asked.pairs).stream().map(Piece::new).toList();
    }

    @Override
    public double[][][] compute(LanguageModel model, Asked asked, Piece piece, LongConsumer done) {
        double[][][] effects = new double[piece.pairs.size()][][];
        for (int i = 0; i < effects.length; i++) {
            effects[i] = effect(model, asked.settings, piece.pairs.get(i));
            done.accept(i + 1);
        }
        return effects;
    }

    @Override
    public Cost cost(LanguageModel model, Asked asked, Piece piece) {
        Cost cost = Cost.of(model);
        for (FactPair p : piece.pairs) {
            cost.run(p.cleanPrompt().length(), 1).run(p.corruptPrompt().length(), 1).stepBack(0, p.corruptPrompt().length(), 0, 1);
        }
        return cost;
    }

    @Override
    public double[][][] supposed(LanguageModel model, Asked asked, List<Piece> pieces, List<double[][][]> found) {
        return combine(model, asked, pieces, filled(found, i -> pieces.get(i).pairs.stream()
                .map(p -> new double[model.layers()][p.cleanPrompt().length() + 1]).toArray(double[][][]::new)));
    }

    @Override
    public Optional<Asked> sent(Asked asked, Piece piece) {
        return Optional.of(new Asked(asked.settings, List.of()));
    }

    @Override
    public boolean fits(LanguageModel model, Asked asked, Piece piece, double[][][] found) {
        return found.length == piece.pairs.size() && IntStream.range(0, found.length).allMatch(i -> found[i].length == 0
                || (found[i].length == model.layers()
                        && Arrays.stream(found[i]).allMatch(row -> row.length == piece.pairs.get(i).cleanPrompt().length() + 1)));
    }

    @Override
    public double[][][] combine(LanguageModel model, Asked asked, List<Piece> pieces, List<double[][][]> found) {
        return found.stream().flatMap(Arrays::stream).toArray(double[][][]::new);
    }

    /** Estimates for each token and, summed, the whole subject, [layer][cell]. */
    private static double[][] effect(LanguageModel model, Settings settings, FactPair pair) {
        HookPoint point = settings.point;
        LayerWindow window = LayerWindow.of(model, settings.window);
        Pass clean = model.run(pair.cleanPrompt().ids(), Recording.points(point));
        Pass corrupt = model.run(pair.corruptPrompt().ids(), Recording.gradients().and(Recording.points(point)));
        double pClean = clean.probability(pair.answer());
        if (pClean - corrupt.probability(pair.answer()) < Averaging.LEAST_SPAN) {
            return new double[0][];
        }
        Gradients g = Gradients.of(corrupt, pair.answer(), Recording.points(point));
        double span = g.loss() + Math.log(pClean);
        List<int[]> cells = Cells.TOKENS.of(pair.cleanPrompt());
        double[][] effect = new double[model.layers()][cells.size()];
        for (int l = 0; l < effect.length; l++) {
            for (int k = window.first(l); k < window.end(l); k++) {
                for (int c = 0; c < cells.size(); c++) {
                    for (int token : cells.get(c)) {
                        effect[l][c] += gain(g, clean, corrupt, new Site(k, point, token)) / span;
                    }
                }
            }
        }
        return effect;
    }

    private static double gain(Gradients g, Pass clean, Pass corrupt, Site site) {
        float[] gradient = g.get(site);
        float[] to = clean.get(site);
        float[] from = corrupt.get(site);
        double sum = 0;
        for (int i = 0; i < gradient.length; i++) {
            sum -= (double) gradient[i] * (to[i] - from[i]);
        }
        return sum;
    }
}
