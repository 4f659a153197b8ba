package lab.recall.edit;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import lab.recall.facts.EditRequest;
import lab.recall.model.LanguageModel;
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
        return nextFound(text, count).table();
    }

    /** A request's prompts: what each model says first, and the probabilities of the two targets. */
    public Table tests(EditRequest request) {
        return testsFound(request).table();
    }

    /** The most probable tokens one after another, up to the end of the text. */
    public Table continuation(String text, int tokens) {
        return continuationFound(text, tokens).table();
    }

    /** The most probable next tokens of both models, by rank. */
    record Next(String text, List<Row> rows) {
        record Row(String before, double p, String after, double pAfter) {
        }

        Table table() {
            List<List<Object>> cells = new ArrayList<>();
            rows.forEach(r -> cells.add(List.of(cells.size() + 1, r.before, r.p, r.after, r.pAfter)));
            return Tables.of(text + " …", List.of("rank", "before", "p", "after", "p after"), cells);
        }
    }

    Next nextFound(String text, int count) {
        return new Next(text, before.compare(after, text).ranks(count).stream()
                .map(r -> new Next.Row(r.token(), r.p(), r.other(), r.pOther())).toList());
    }

    /** What is said at each of a request's prompts. */
    record Tests(String asked, List<Row> rows) {
        record Row(String kind, String text, Said before, Said after) {
        }

        /** The first token, and the probabilities of the new and the true target; NaN where that is not known. */
        record Said(String token, double pNew, double pTrue) {
        }

        Table table() {
            return Tables.of(asked, List.of("", "text", "says before", "p(new)", "p(true)", "says after", "p(new) after", "p(true) after"),
                    rows.stream().map(r -> List.<Object>of(r.kind, r.text, r.before.token, r.before.pNew, r.before.pTrue,
                            r.after.token, r.after.pNew, r.after.pTrue)).toList());
        }
    }

    Tests testsFound(EditRequest request) {
        EditTests tests = EditTests.of(before, List.of(request));
        List<EditTests.Prompt> prompts = tests.prompts();
        List<Tests.Said> was = said(before, tests);
        List<Tests.Said> is = said(after, tests);
        return new Tests(request.template().with(request.subject()) + " → " + request.targetNew(), IntStream.range(0, prompts.size())
                .mapToObj(i -> new Tests.Row(KINDS.get(prompts.get(i).kind()), prompts.get(i).text(), was.get(i), is.get(i))).toList());
    }

    private static List<Tests.Said> said(LanguageModel m, EditTests tests) {
        Tokenizer tokenizer = m.requireTokenizer();
        List<Pass> passes = m.runAll(tests.prompts().stream().map(p -> m.prompt(p.text()).ids()).toList(), Recording.nothing());
        TargetScore[][] scores = tests.byPrompt(m);
        return IntStream.range(0, scores.length).mapToObj(i -> new Tests.Said(tokenizer.token(passes.get(i).argmax()),
                scores[i][0].probability(), scores[i][1] == null ? Double.NaN : scores[i][1].probability())).toList();
    }

    /** How both models go on. */
    record Continuation(String text, String before, String after) {
        Table table() {
            return Tables.of(text + " …", List.of("", "goes on"), List.of(List.of("before", before), List.of("after", after)));
        }
    }

    Continuation continuationFound(String text, int tokens) {
        return new Continuation(text, before.generate(text, tokens).text(), after.generate(text, tokens).text());
    }
}
