package lab.recall.edit;

import java.util.ArrayList;
import java.util.List;
import lab.recall.facts.EditRequest;
import lab.recall.model.LanguageModel;
import lab.recall.model.NextToken;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.TargetScore;
import lab.recall.text.Tokenizer;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * What a model says before and after an edit.
 *
 * <pre>{@code
 * var told = BeforeAfter.of(mamba, edited);
 * told.next("Novux Bridge is located in the city of", 5)     // the most probable tokens side by side
 * told.tests(request)                                        // the prompt, its paraphrases and neighbours
 * told.continuation("Novux Bridge", 12)
 * }</pre>
 *
 * @param before the model as it was
 * @param after  the edited one
 */
public record BeforeAfter(LanguageModel before, LanguageModel after) {
    private static final List<String> KINDS = List.of("prompt", "paraphrase", "neighbour");

    /** Of two models with one tokenizer. */
    public static BeforeAfter of(LanguageModel before, LanguageModel after) {
        return new BeforeAfter(before, after);
    }

    /** The most probable next tokens. */
    public Table next(String text, int count) {
        NextToken was = before.next(text);
        NextToken is = after.next(text);
        was.top(count);                                 // refuses a bad number
        List<List<Object>> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            rows.add(List.of(i + 1, was.token(i), was.probability(i), is.token(i), is.probability(i)));
        }
        return Tables.of(text + " …", List.of("rank", "before", "p", "after", "p after"), rows);
    }

    /** A request's prompts: what each model says first, and the probabilities of the two targets. */
    public Table tests(EditRequest request) {
        EditTests tests = EditTests.of(before, List.of(request));
        List<EditTests.Prompt> prompts = tests.prompts();
        List<List<Object>> rows = new ArrayList<>();
        prompts.forEach(p -> rows.add(new ArrayList<>(List.of(KINDS.get(p.kind()), p.text()))));
        for (LanguageModel m : List.of(before, after)) {
            Tokenizer tokenizer = m.requireTokenizer();
            List<Pass> passes = m.runAll(prompts.stream().map(p -> m.prompt(p.text()).ids()).toList(), Recording.nothing());
            TargetScore[][] scores = tests.byPrompt(m);
            for (int i = 0; i < rows.size(); i++) {
                rows.get(i).add(tokenizer.token(passes.get(i).argmax()));
                rows.get(i).add(scores[i][0].probability());
                rows.get(i).add(scores[i][1] == null ? Double.NaN : scores[i][1].probability());
            }
        }
        return Tables.of(request.template().with(request.subject()) + " → " + request.targetNew(), List.of("", "text", "says before", "p(new)", "p(true)",
                "says after", "p(new) after", "p(true) after"), rows);
    }

    /** The most probable tokens one after another, up to the end of the text. */
    public Table continuation(String text, int tokens) {
        return Tables.of(text + " …", List.of("", "goes on"), List.of(List.of("before", greedy(before, text, tokens)),
                List.of("after", greedy(after, text, tokens))));
    }

    private static String greedy(LanguageModel m, String text, int tokens) {
        Tokenizer tokenizer = m.requireTokenizer();
        int end = tokenizer.endOfText();
        List<Integer> said = new ArrayList<>();
        Pass pass = m.run(m.prompt(text).ids());
        while (said.size() < tokens && pass.argmax() != end) {
            said.add(pass.argmax());
            pass = pass.then(said.get(said.size() - 1));
        }
        return tokenizer.decode(said.stream().mapToInt(i -> i).toArray());
    }
}
