package lab.recall.linear;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.math.Softmax;
import lab.recall.model.HookPoint;
import lab.recall.model.Jacobian;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.text.Prompt;
import lab.recall.view.HeatMap;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * What a relation's operators read from every state of a prompt: each layer's operator applied at each token, whatever the prompt asks for.
 *
 * <pre>{@code
 * AttributeLens lens = AttributeLens.of(mamba, sweep.operators(relation), found.get(relation.name()));
 * lens.on(prompt, answer)                                    // a picture: probability of the answer
 * lens.on(prompt, answer).words()                            // a table: what each state is read as
 * }</pre>
 *
 * Source: arXiv 2308.09124, section 6.
 */
public final class AttributeLens {
    private final LanguageModel model;
    private final List<LinearOperator> operators;
    private final double[] betas;

    private AttributeLens(LanguageModel model, List<LinearOperator> operators, double[] betas) {
        this.model = model;
        this.operators = operators;
        this.betas = betas;
    }

    /**
     * With the beta of each layer that was best for the relation.
     *
     * @throws lab.recall.base.Unsolvable if too few of its facts are known
     */
    public static AttributeLens of(LanguageModel model, List<LinearOperator> operators, LinearRelation found) {
        return of(model, operators, operators.stream().mapToDouble(op -> found.beta(op.layer())).toArray());
    }

    /**
     * With a beta for each operator.
     *
     * @throws BadRequest if their numbers differ
     */
    public static AttributeLens of(LanguageModel model, List<LinearOperator> operators, double... betas) {
        if (betas.length != operators.size()) {
            throw new BadRequest("betas", betas.length + " numbers, expected one for each of " + operators.size() + " operators");
        }
        return new AttributeLens(model, List.copyOf(operators), betas.clone());
    }

    /** A prompt, read for one answer. */
    public Reading on(Prompt prompt, int answer) {
        Pass pass = model.run(prompt.ids(), Recording.points(HookPoint.EMBED, HookPoint.RESID_POST));
        double[][] p = new double[prompt.length()][operators.size()];
        List<List<String>> words = new ArrayList<>();
        for (int t = 0; t < prompt.length(); t++) {
            float[][] z = new float[operators.size()][];
            for (int i = 0; i < z.length; i++) {
                LinearOperator op = operators.get(i);
                z[i] = op.apply(pass.get(LinearOperator.site(op.layer(), t)), betas[i]);
            }
            float[][] logits = model.logitLens(z);
            for (int i = 0; i < z.length; i++) {
                p[t][i] = Softmax.probability(logits[i], 0, logits[i].length, answer);
            }
            words.add(Arrays.stream(logits).map(of -> text(Softmax.argmax(of, 0, of.length))).toList());
        }
        List<String> tokens = IntStream.range(0, prompt.length()).mapToObj(t -> text(prompt.ids()[t])
                + (prompt.hasSubject() && t >= prompt.subjectStart() && t < prompt.subjectEnd() ? " *" : "")).toList();
        return new Reading(model.name(), tokens, operators.stream().map(LinearOperator::layer).toList(), text(answer), p, words);
    }

    private String text(int id) {
        return model.requireTokenizer().token(id);
    }

    /** What was read at each token and layer; shows itself as a picture. */
    public static final class Reading implements Showable {
        private final String model;
        private final List<String> tokens;
        private final List<Integer> layers;
        private final String answer;
        private final double[][] p;
        private final List<List<String>> words;

        private Reading(String model, List<String> tokens, List<Integer> layers, String answer, double[][] p, List<List<String>> words) {
            this.model = model;
            this.tokens = tokens;
            this.layers = layers;
            this.answer = answer;
            this.p = p;
            this.words = words;
        }

        /** Probability of the answer at a token, read by an operator. */
        public double at(int token, int operator) {
            return p[token][operator];
        }

        /** Tokens in rows, layers in columns: probability of the answer. */
        public HeatMap heatmap() {
            return HeatMap.of(model + ": probability that a state is read as" + answer, p).rows(tokens)
                    .columns("layer", layers.stream().map(LinearRelation::label).toList()).range(0, 1);
        }

        /** The most probable word that each state is read as. */
        public Table words() {
            List<String> columns = new ArrayList<>(List.of("token"));
            layers.forEach(l -> columns.add(l == Jacobian.EMBED ? "embed" : "layer " + l));
            List<List<Object>> rows = new ArrayList<>();
            for (int t = 0; t < words.size(); t++) {
                List<Object> row = new ArrayList<>(List.of(tokens.get(t)));
                row.addAll(words.get(t));
                rows.add(row);
            }
            return Tables.of(model + ": what each state is read as", columns, rows);
        }

        @Override
        public Object view() {
            return heatmap();
        }
    }
}
