package lab.recall.edit;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import lab.recall.base.Unsolvable;
import lab.recall.facts.EditRequest;
import lab.recall.model.LanguageModel;
import lab.recall.text.Template;
import lab.recall.view.Showable;
import lab.recall.view.Tables;

/**
 * How much text a second moment needs: the directions u that it gives, against those that the most text gives; shows itself as a table.
 *
 * <pre>{@code
 * MomentConvergence.of(editor, requests.all(), List.of(25, 50, 100, 200, 400, 800), seed)
 * }</pre>
 *
 * @param rows one for each amount of text
 */
public record MomentConvergence(String title, List<Row> rows) implements Showable {
    /**
     * Some amount of text.
     *
     * @param distance |C - C of the most text|, in its norm
     * @param cosine   mean cosine of u with that of the most text; NaN where C is singular
     */
    public record Row(long documents, long tokens, double distance, double cosine) {
    }

    /** Of an editor's layer and matrix, over texts that belong to its model and the keys of requests. */
    public static MomentConvergence of(RankOneEditor editor, List<EditRequest> requests, List<Integer> documents, long seed) {
        LanguageModel model = editor.model();
        List<Template> contexts = editor.sampleContexts();
        List<EditCase> cases = requests.stream().map(r -> EditCase.of(model, r, contexts)).toList();
        List<double[]> keys = CasePasses.run(model, cases, List.of(editor.layer()), List.of(editor.matrix())).stream()
                .map(p -> p.mean(editor.layer(), editor.matrix().key())).toList();
        List<Integer> order = documents.stream().distinct().sorted().toList();
        SecondMoments all = SecondMoments.of(model, List.of(editor.layer()), List.of(editor.matrix()));
        List<SecondMoment> found = new ArrayList<>();
        for (int n : order) {
            all = all.read(SecondMoments.texts(model, order.get(order.size() - 1), seed).first(n), read -> { });
            found.add(all.of(editor.layer(), editor.matrix()));
        }
        double[] most = found.get(found.size() - 1).matrix();
        List<double[]> directions = directions(found.get(found.size() - 1), keys, editor.settings().ridge());
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < found.size(); i++) {
            double[] c = found.get(i).matrix();
            double[] gap = IntStream.range(0, c.length).mapToDouble(j -> c[j] - most[j]).toArray();
            List<double[]> mine = directions(found.get(i), keys, editor.settings().ridge());
            double cosine = 0;
            for (int k = 0; k < keys.size(); k++) {
                cosine += mine == null || directions == null ? Double.NaN : RankOneEdit.dot(mine.get(k), directions.get(k)) / keys.size();
            }
            rows.add(new Row(order.get(i), found.get(i).tokens(), ValueSearch.norm(gap) / ValueSearch.norm(most), cosine));
        }
        return new MomentConvergence(model.name() + ", keys of " + editor.matrix().label() + " in layer " + editor.layer() + ", width "
                + found.get(0).size() + ": how much text C needs", List.copyOf(rows));
    }

    /** Unit vectors along C^-1 k; null where C is singular. */
    private static List<double[]> directions(SecondMoment c, List<double[]> keys, double ridge) {
        List<double[]> all = new ArrayList<>();
        for (double[] k : keys) {
            double[] u;
            try {
                u = c.solve(k, ridge);
            } catch (Unsolvable e) {
                return null;
            }
            double norm = ValueSearch.norm(u);
            for (int i = 0; i < u.length; i++) {
                u[i] /= norm;
            }
            all.add(u);
        }
        return all;
    }

    @Override
    public Object view() {
        return Tables.of(title, List.of("texts", "tokens", "distance of C from the last", "cosine of u with the last"),
                rows.stream().map(r -> List.of(r.documents, r.tokens, r.distance, r.cosine)).toList());
    }
}
