package lab.recall.model;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import lab.recall.math.Softmax;
import lab.recall.text.Prompt;
import lab.recall.text.Tokenizer;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * What a model says after a prompt.
 *
 * <pre>{@code
 * mamba.next("Novux Bridge is located in the city of").top(5)
 * }</pre>
 */
public final class NextToken implements Showable {
    private final Tokenizer tokenizer;
    private final Prompt prompt;
    private final float[] logits;
    private final int[] order;

    NextToken(Tokenizer tokenizer, Prompt prompt, float[] logits) {
        this.tokenizer = tokenizer;
        this.prompt = prompt;
        this.logits = logits;
        this.order = IntStream.range(0, logits.length).boxed().sorted((a, b) -> Float.compare(logits[b], logits[a])).mapToInt(i -> i).toArray();
    }

    /** The id of rank 0, 1, .. */
    public int id(int rank) {
        return order[rank];
    }

    /** The token of rank 0, 1, .. as text; its id where the model has no tokenizer. */
    public String token(int rank) {
        return tokenizer == null ? "#" + order[rank] : tokenizer.token(order[rank]);
    }

    /** Probability of the token of rank 0, 1, .. */
    public double probability(int rank) {
        return Softmax.probability(logits, 0, logits.length, order[rank]);
    }

    /** The k most probable tokens. */
    public Table top(int k) {
        if (k < 1 || k > order.length) {
            throw new IllegalArgumentException("top " + k + ": expected a number from 1 to " + order.length);
        }
        List<List<Object>> rows = new ArrayList<>();
        for (int i = 0; i < k; i++) {
            rows.add(List.of(i + 1, token(i), order[i], probability(i)));
        }
        return Tables.of(prompt.text() == null ? "" : prompt.text() + " …", List.of("rank", "token", "id", "probability"), rows);
    }

    @Override
    public Object view() {
        return top(Math.min(10, order.length));
    }
}
