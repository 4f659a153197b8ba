package lab.recall.linear;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
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

    /** With the beta of each layer that was best for the relation. */
    public static AttributeLens of(LanguageModel model, List<LinearOperator> operators, LinearRelation found) {
        return of(model, operators, operators.stream().mapToDouble(op -> found.beta(op.layer())).toArray());
    }

    /** With a beta for each operator. */
    public static AttributeLens of(LanguageModel model, List<LinearOperator> operators, double... betas) {
        if (betas.length != operators.size()) {
            throw new IllegalArgumentException("betas: " + betas.length + " numbers, expected one for each of " + operators.size() + " operators");
        }
        return new AttributeLens(model, List.copyOf(operators), betas.clone());
    }

    /** A prompt, read for one answer. */
    public Reading on(Prompt prompt, int answer) {
        Pass pass = model.run(prompt.ids(), Recording.points(HookPoint.EMBED, HookPoint.RESID_POST));
        double[][] p = new double[prompt.length()][operators.size()];
        int[][] top = new int[prompt.length()][operators.size()];
        for (int t = 0; t < prompt.length(); t++) {
            float[][] z = new float[operators.size()][];
            for (int i = 0; i < z.length; i++) {
                LinearOperator op = operators.get(i);
                z[i] = op.apply(pass.get(LinearOperator.site(op.layer(), t)), betas[i]);
            }
            float[][] logits = model.logitLens(z);
            for (int i = 0; i < z.length; i++) {
                p[t][i] = Softmax.probability(logits[i], 0, logits[i].length, answer);
                top[t][i] = Softmax.argmax(logits[i], 0, logits[i].length);
            }
        }
        return new Reading(prompt, answer, p, top);
    }

    /** What was read at each token and layer; shows itself as a picture. */
    public final class Reading implements Showable {
        private final Prompt prompt;
        private final int answer;
        private final double[][] p;
        private final int[][] top;

        private Reading(Prompt prompt, int answer, double[][] p, int[][] top) {
            this.prompt = prompt;
            this.answer = answer;
            this.p = p;
            this.top = top;
        }

        /** Probability of the answer at a token, read by an operator. */
        public double at(int token, int operator) {
            return p[token][operator];
        }

        /** Tokens in rows, layers in columns: probability of the answer. */
        public HeatMap heatmap() {
            return HeatMap.of(model.name() + ": probability that a state is read as" + text(answer), p).rows(labels())
                    .columns("layer", operators.stream().map(op -> LinearRelation.label(op.layer())).toList()).range(0, 1);
        }

        /** The most probable word that each state is read as. */
        public Table words() {
            List<String> columns = new ArrayList<>(List.of("token"));
            operators.forEach(op -> columns.add(op.layer() == Jacobian.EMBED ? "embed" : "layer " + op.layer()));
            List<String> labels = labels();
            List<List<Object>> rows = new ArrayList<>();
            for (int t = 0; t < top.length; t++) {
                List<Object> row = new ArrayList<>(List.of(labels.get(t)));
                for (int id : top[t]) {
                    row.add(text(id));
                }
                rows.add(row);
            }
            return Tables.of(model.name() + ": what each state is read as", columns, rows);
        }

        private List<String> labels() {
            return IntStream.range(0, prompt.length()).mapToObj(t -> text(prompt.ids()[t])
                    + (prompt.hasSubject() && t >= prompt.subjectStart() && t < prompt.subjectEnd() ? " *" : "")).toList();
        }

        private String text(int id) {
            return model.requireTokenizer().token(id);
        }

        @Override
        public Object view() {
            return heatmap();
        }
    }
}
