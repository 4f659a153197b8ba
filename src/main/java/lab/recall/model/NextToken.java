package lab.recall.model;

import java.util.ArrayList;
import java.util.List;
import lab.recall.base.BadRequest;
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
    /** What {@link #rows} tell. */
    public static final List<String> COLUMNS = List.of("rank", "token", "id", "probability");

    private final Tokenizer tokenizer;
    private final Prompt prompt;
    private final float[] logits;
    private final double logSum;
    private int[] order = new int[0];

    NextToken(Tokenizer tokenizer, Prompt prompt, float[] logits) {
        this.tokenizer = tokenizer;
        this.prompt = prompt;
        this.logits = logits;
        this.logSum = Softmax.logSumExp(logits, 0, logits.length);
    }

    /**
     * The id of rank 0, 1, ..
     *
     * @throws BadRequest when there is no such rank
     */
    public synchronized int id(int rank) {
        if (rank < 0 || rank >= logits.length) {
            throw new BadRequest("rank", rank + ", expected a whole number from 0 to " + (logits.length - 1));
        }
        if (rank >= order.length) {                             // the first alone is what most callers want
            order = Softmax.largest(logits, Math.min(logits.length, Math.max(rank + 1, 2 * order.length)));
        }
        return order[rank];
    }

    /**
     * The token of rank 0, 1, .. as text; its id where the model has no tokenizer.
     *
     * @throws BadRequest when there is no such rank
     */
    public String token(int rank) {
        return tokenizer == null ? "#" + id(rank) : tokenizer.token(id(rank));
    }

    /**
     * Probability of the token of rank 0, 1, ..
     *
     * @throws BadRequest when there is no such rank
     */
    public double probability(int rank) {
        return Math.exp(logits[id(rank)] - logSum);
    }

    /**
     * The k most probable tokens.
     *
     * @throws BadRequest when there are not so many
     */
    public Table top(int k) {
        return Tables.of(prompt.text() == null ? "" : prompt.text() + " …", COLUMNS, rows(k));
    }

    /**
     * The same as rows of {@link #COLUMNS}.
     *
     * @throws BadRequest when there are not so many
     */
    public List<List<Object>> rows(int k) {
        if (k < 1 || k > logits.length) {
            throw new BadRequest("", "top " + k + ": expected a number from 1 to " + logits.length);
        }
        id(k - 1);                                              // all of them at once
        List<List<Object>> rows = new ArrayList<>();
        for (int i = 0; i < k; i++) {
            rows.add(List.of(i + 1, token(i), id(i), probability(i)));
        }
        return rows;
    }

    @Override
    public Object view() {
        return top(Math.min(10, logits.length));
    }
}
