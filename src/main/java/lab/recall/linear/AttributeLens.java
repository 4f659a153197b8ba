package lab.recall.linear;

import java.util.List;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.LensReading;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.text.Prompt;

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
    public LensReading on(Prompt prompt, int answer) {
        Pass pass = model.run(prompt.ids(), Recording.points(HookPoint.EMBED, HookPoint.RESID_POST));
        List<String> layers = operators.stream().map(op -> LinearRelation.label(op.layer())).toList();
        return LensReading.of(model, ", by a relation's operators", layers, prompt, answer, t -> model.logitLens(
                IntStream.range(0, operators.size()).mapToObj(i -> operators.get(i)
                        .apply(pass.get(LinearOperator.site(operators.get(i).layer(), t)), betas[i])).toArray(float[][]::new)));
    }
}
