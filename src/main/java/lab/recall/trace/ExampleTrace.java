package lab.recall.trace;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import lab.recall.facts.FactPair;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.text.Prompt;
import lab.recall.text.Tokenizer;
import lab.recall.view.HeatMap;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * The trace of one pair of facts; shows itself as a picture of its indirect effects.
 *
 * <pre>{@code
 * var one = CausalTrace.of(mamba).residual().of(pairs.get(trace.typical()));
 * one.summary()                                              // what it shows, in a sentence
 * }</pre>
 *
 * @param model    that was traced
 * @param point    that was put back
 * @param pair     the two facts
 * @param grid     what was found
 * @param noise    whether noise corrupted the clean prompt, instead of the other subject
 * @param together whether all tokens of a row were put back at once
 */
public record ExampleTrace(LanguageModel model, HookPoint point, FactPair pair, InterchangeGrid grid, boolean noise, boolean together)
        implements Showable {
    /** Indirect effect at each token (row, the subject's with a star) and of the whole subject, or of tokens together, by layer. */
    public HeatMap heatmap() {
        double[][] effect = grid.effect();
        double[][] byToken = new double[effect[0].length][effect.length];
        for (int l = 0; l < effect.length; l++) {
            for (int t = 0; t < effect[l].length; t++) {
                byToken[t][l] = effect[l][t];
            }
        }
        return HeatMap.of(String.format(Locale.ROOT, "%s: p(%s) %.2f clean, %.2f corrupt",
                model.name(), answer(), grid.pClean(), grid.pCorrupt()), byToken).rows(labels()).columns("layer").apart(1).range(0, 1)
                .measure("indirect effect").colours(point.colours());
    }

    /** In a sentence: where the answer is carried before it is handed over, and from which layer on the prompt's last token carries it. */
    public String summary() {
        double[][] effect = grid.effect();
        int subject = labels().size() - 1;
        int last = together ? subject - 1 : pair.cleanPrompt().length() - 1;
        if (grid.pClean() == grid.pCorrupt()) {
            return model.name() + ": both prompts give '" + answer() + "' the same probability, so there is no effect to trace";
        }
        int handOver = effect.length;           // from here on, to the last layer
        while (handOver > 0 && effect[handOver - 1][last] > effect[handOver - 1][subject]) {
            handOver--;
        }
        if (handOver == 0) {
            return model.name() + ": the prompt's last token carries more of the answer '" + answer()
                    + "' than the whole subject from the first layer on, " + share(effect[0][last]);
        }
        int before = handOver - 1;
        int most = IntStream.range(0, subject).filter(c -> c != last).boxed()
                .max(Comparator.comparingDouble(c -> effect[before][c])).orElse(last);
        return model.name() + ": after layer " + before + " '" + labels().get(most).replace(" *", "") + "' carries "
                + share(effect[before][most]) + " of the answer '" + answer() + "', the whole subject " + share(effect[before][subject])
                + (handOver == effect.length ? "; the prompt's last token carries no more in the end"
                : "; from layer " + handOver + " on the prompt's last token carries more, " + share(effect[handOver][last]));
    }

    private static String share(double effect) {
        return String.format(Locale.ROOT, "%.2f", effect).replace("-0.00", "0.00");
    }

    /** The same numbers, a row for each token or place and layer. */
    public Table table() {
        List<String> labels = labels();
        List<List<Object>> rows = new ArrayList<>();
        for (int t = 0; t < labels.size(); t++) {
            for (int l = 0; l < model.layers(); l++) {
                rows.add(List.of(labels.get(t), l, grid.p()[l][t], grid.effect()[l][t]));
            }
        }
        return Tables.of(heatmap().title(), List.of(together ? "place" : "token", "layer", "p(" + answer() + ")", "indirect effect"), rows);
    }

    /** The token that is traced. */
    public String answer() {
        return model.requireTokenizer().token(grid.answer()).strip();
    }

    private List<String> labels() {
        Prompt clean = pair.cleanPrompt();
        if (together) {
            return Cells.TOGETHER.rows(clean).stream().map(Position::label).toList();
        }
        Tokenizer t = model.requireTokenizer();
        List<String> labels = new ArrayList<>();
        for (int i = 0; i < clean.length(); i++) {
            String a = t.token(clean.ids()[i]).strip();
            String b = t.token(pair.corruptPrompt().ids()[i]).strip();
            boolean subject = i >= clean.subjectStart() && i < clean.subjectEnd();
            labels.add((a.equals(b) || noise ? a : a + " / " + b) + (subject ? " *" : ""));
        }
        labels.add(Position.SUBJECT.label());
        return labels;
    }

    @Override
    public Object view() {
        return heatmap();
    }
}
