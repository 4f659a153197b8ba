package lab.recall.model;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import lab.recall.math.Softmax;
import lab.recall.text.Prompt;
import lab.recall.view.HeatMap;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import lab.recall.view.TokenColours;
import tech.tablesaw.api.Table;

/**
 * How much each token of a prompt surprised a model after those before it: -log2 p, in bits; shows itself as coloured tokens.
 *
 * <pre>{@code
 * var s = mamba.surprisal("Novux Bridge is located in the city of Malpolis");
 * s.bits()                                                   // of each token; NaN of the first, which nothing stands before
 * s.total()                                                  // of the text
 * Figures.save("surprisal", s.table())
 * }</pre>
 */
public final class Surprisal implements Showable {
    /** Rows of logits are as long as the vocabulary: few at a time. */
    private static final int AT_ONCE = 32;

    private final String title;
    private final List<String> tokens;
    private final double[] bits;

    private Surprisal(String title, List<String> tokens, double[] bits) {
        this.title = title;
        this.tokens = tokens;
        this.bits = bits;
    }

    static Surprisal of(LanguageModel model, Prompt prompt) {
        int last = model.layers() - 1;
        int[] ids = prompt.ids();
        Pass pass = model.run(ids, Recording.of(HookPoint.RESID_POST.name(last))).requireFinite();
        double[] bits = new double[ids.length];
        bits[0] = Double.NaN;
        for (int from = 1; from < ids.length; from += AT_ONCE) {
            float[][] logits = model.logitLens(IntStream.range(from, Math.min(ids.length, from + AT_ONCE))
                    .mapToObj(t -> pass.get(new Site(last, HookPoint.RESID_POST, t - 1))).toArray(float[][]::new));
            for (int i = 0; i < logits.length; i++) {
                model.requireFinite(logits[i], 0);
                bits[from + i] = (Softmax.logSumExp(logits[i], 0, logits[i].length) - logits[i][ids[from + i]]) / Math.log(2);
            }
        }
        return new Surprisal(model.name() + ": surprisal of each token, in bits", model.marked(prompt), bits);
    }

    /** Of each token, in bits; NaN of the first. */
    public double[] bits() {
        return bits.clone();
    }

    /** Of all tokens but the first together, in bits. */
    public double total() {
        return Arrays.stream(bits).skip(1).sum();
    }

    /** The tokens on grounds from white at 0 to red. */
    public TokenColours colours() {
        double most = Arrays.stream(bits).filter(Double::isFinite).max().orElse(1);
        return TokenColours.of(tokens, bits).title(title).colours(HeatMap.Colours.REDS).range(0, Math.max(1, most));
    }

    /** The same numbers as a table. */
    public Table table() {
        return Tables.of(title, List.of("index", "token", "bits"),
                IntStream.range(0, bits.length).mapToObj(i -> List.<Object>of(i, tokens.get(i), bits[i])).toList());
    }

    @Override
    public Object view() {
        return colours();
    }
}
