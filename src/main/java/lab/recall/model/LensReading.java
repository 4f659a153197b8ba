package lab.recall.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import lab.recall.math.Softmax;
import lab.recall.text.Prompt;
import lab.recall.view.HeatMap;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * What states inside a model are read as, at each token of a prompt and each layer; shows itself as a picture.
 *
 * <pre>{@code
 * var lens = mamba.lens("Novux Bridge is located in the city of");
 * lens.words()                                               // a table: the most probable word of each state
 * lens.at(3, 5)                                              // probability of the answer
 * Figures.save("lens", lens.heatmap())
 * }</pre>
 */
public final class LensReading implements Showable {
    private final String title;
    private final List<String> tokens;
    private final List<String> layers;
    private final double[][] p;
    private final List<List<String>> words;

    private LensReading(String title, List<String> tokens, List<String> layers, double[][] p, List<List<String>> words) {
        this.title = title;
        this.tokens = tokens;
        this.layers = layers;
        this.p = p;
        this.words = words;
    }

    /** Logits of the states of one token, a row for each layer that is read. */
    @FunctionalInterface
    public interface Reader {
        float[][] logits(int token);
    }

    /**
     * Reads a prompt for one answer.
     *
     * @param how    what a state is read by, in words for the title
     * @param layers names of the layers that are read
     * @param answer whose probability is shown
     */
    public static LensReading of(LanguageModel model, String how, List<String> layers, Prompt prompt, int answer, Reader reader) {
        double[][] p = new double[prompt.length()][layers.size()];
        List<List<String>> words = new ArrayList<>();
        for (int t = 0; t < prompt.length(); t++) {
            float[][] logits = reader.logits(t);
            for (int i = 0; i < logits.length; i++) {
                p[t][i] = Softmax.probability(logits[i], 0, logits[i].length, answer);
            }
            words.add(Arrays.stream(logits).map(of -> model.token(Softmax.argmax(of, 0, of.length))).toList());
        }
        return new LensReading(model.name() + ": probability that a state is read as '" + model.token(answer).strip() + "'" + how,
                model.marked(prompt), layers, p, words);
    }

    /** The logit lens: each state as if it left the last layer. */
    static LensReading of(LanguageModel model, Prompt prompt, int answer) {
        Pass pass = model.run(prompt.ids(), Recording.points(HookPoint.RESID_POST));
        List<String> layers = IntStream.range(0, model.layers()).mapToObj(String::valueOf).toList();
        return of(model, "", layers, prompt, answer, t -> model.logitLens(IntStream.range(0, model.layers())
                .mapToObj(l -> pass.get(new Site(l, HookPoint.RESID_POST, t))).toArray(float[][]::new)));
    }

    /**
     * Probability of the answer.
     *
     * @param column the layer, by its place among those that were read
     */
    public double at(int token, int column) {
        return p[token][column];
    }

    /** Tokens in rows, the subject's with a star, layers in columns: probability of the answer. */
    public HeatMap heatmap() {
        return HeatMap.of(title, p).rows(tokens).columns("layer", layers).range(0, 1);
    }

    /** The same numbers as a table. */
    public Table table() {
        return table(title, t -> Arrays.stream(p[t]).boxed().toList());
    }

    /** The most probable word that each state is read as. */
    public Table words() {
        return table("what each state is read as", words::get);
    }

    private Table table(String name, IntFunction<List<?>> cells) {
        List<String> columns = new ArrayList<>(List.of("token"));
        layers.forEach(l -> columns.add("layer " + l));
        List<List<Object>> rows = new ArrayList<>();
        for (int t = 0; t < tokens.size(); t++) {
            List<Object> row = new ArrayList<>(List.of(tokens.get(t)));
            row.addAll(cells.apply(t));
            rows.add(row);
        }
        return Tables.of(name, columns, rows);
    }

    @Override
    public Object view() {
        return heatmap();
    }
}
