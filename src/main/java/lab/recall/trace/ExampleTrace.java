package lab.recall.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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
                model.name(), answer(), grid.pClean(), grid.pCorrupt()), byToken).rows(labels()).columns("layer").range(0, 1);
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
