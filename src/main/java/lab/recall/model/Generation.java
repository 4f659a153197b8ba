package lab.recall.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.IntConsumer;
import lab.recall.base.Check;
import lab.recall.base.Interruption;
import lab.recall.text.Prompt;
import lab.recall.view.Showable;
import lab.recall.view.Tables;

/**
 * How a model goes on after a prompt.
 *
 * <pre>{@code
 * Generation said = model.generate("The capital city of France is", 20);
 * said.text()
 * }</pre>
 *
 * @param prompt        its text; null when it was given as ids
 * @param text          what follows it; ids in brackets where the model has no tokenizer
 * @param tokens        the tokens one by one, as people read them
 * @param ids           their ids; an end-of-sequence token is not among them
 * @param probabilities of each, under the model's own distribution (temperature 1, all tokens)
 * @param ended         whether it stopped at an end-of-sequence token
 */
public record Generation(String prompt, String text, List<String> tokens, int[] ids, double[] probabilities, boolean ended)
        implements Showable {
    /** Tokens at most. */
    public static final int MOST = 1 << 20;
    public static final List<String> COLUMNS = List.of("index", "token", "id", "probability");

    static Generation of(LanguageModel model, Prompt prompt, int tokens, Sampling how, List<Intervention> changes, IntConsumer done) {
        Check.whole("tokens", tokens, 1, MOST);
        model.requireLength(prompt.length() + tokens - 1);
        Set<Integer> ends = model.endIds();
        Random random = new Random(how.seed());
        List<Intervention> ongoing = changes.stream().filter(c -> c.site().token() == Site.ALL).toList();
        Pass pass = model.run(prompt.ids(), Recording.states(), changes);
        int[] ids = new int[tokens];
        double[] probabilities = new double[tokens];
        for (int n = 0; n < tokens; n++) {
            float[] logits = pass.logits();
            model.requireFinite(logits, 0);
            int id = how.choose(logits, random);
            if (ends.contains(id)) {
                return of(model, prompt.text(), Arrays.copyOf(ids, n), Arrays.copyOf(probabilities, n), true);
            }
            ids[n] = id;
            probabilities[n] = pass.probability(id);
            done.accept(n + 1);
            Interruption.betweenPieces();
            if (n + 1 < tokens) {
                int[] longer = Arrays.copyOf(pass.ids(), pass.length() + 1);
                longer[pass.length()] = id;
                pass = model.resume(pass, longer, ongoing, prompt.length() + tokens - 1);
            }
        }
        return of(model, prompt.text(), ids, probabilities, false);
    }

    private static Generation of(LanguageModel model, String prompt, int[] ids, double[] probabilities, boolean ended) {
        List<String> tokens = Arrays.stream(ids).mapToObj(id -> model.tokenizer().map(t -> t.token(id)).orElse("#" + id)).toList();
        String text = model.tokenizer().map(t -> t.decode(ids)).orElse(String.join(" ", tokens));
        return new Generation(prompt, text, tokens, ids, probabilities, ended);
    }

    /** The tokens as rows of {@link #COLUMNS}. */
    public List<List<Object>> rows() {
        List<List<Object>> rows = new ArrayList<>();
        for (int i = 0; i < ids.length; i++) {
            rows.add(List.of(i, tokens.get(i), ids[i], probabilities[i]));
        }
        return rows;
    }

    @Override
    public Object view() {
        return Tables.of((prompt == null ? "" : prompt) + text, COLUMNS, rows());
    }

    @Override
    public String toString() {
        return (prompt == null ? "" : prompt) + text;
    }
}
