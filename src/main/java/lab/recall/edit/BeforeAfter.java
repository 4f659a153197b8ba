package lab.recall.edit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import lab.recall.facts.EditRequest;
import lab.recall.model.LanguageModel;
import lab.recall.model.NextToken;
import lab.recall.model.Pass;
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
        List<String> texts = new ArrayList<>(List.of(request.template().with(request.subject())));
        List<String> kinds = new ArrayList<>(List.of("prompt"));
        for (String p : request.paraphrases()) {
            texts.add(p);
            kinds.add("paraphrase");
        }
        for (String n : request.neighbours()) {
            texts.add(n);
            kinds.add("neighbour");
        }
        List<List<Object>> rows = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            List<Object> row = new ArrayList<>(List.of(kinds.get(i), texts.get(i)));
            for (LanguageModel m : List.of(before, after)) {
                row.add(m.next(texts.get(i)).token(0));
                row.add(probability(m, texts.get(i), request.targetNew()));
                row.add(request.targetTrue().isBlank() ? Double.NaN : probability(m, texts.get(i), request.targetTrue()));
            }
            rows.add(row);
        }
        return Tables.of(request.template().with(request.subject()) + " → " + request.targetNew(), List.of("", "text", "says before", "p(new)", "p(true)",
                "says after", "p(new) after", "p(true) after"), rows);
    }

    private static double probability(LanguageModel m, String text, String target) {
        int[] ids = EditCase.target(m.requireTokenizer(), target);
        int[] prompt = m.prompt(text).ids();
        return TargetScore.of(m, List.of(EditCase.joined(prompt, Arrays.copyOf(ids, ids.length - 1))), List.of(List.of(ids)))[0][0].probability();
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
