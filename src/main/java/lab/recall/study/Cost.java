package lab.recall.study;

import java.util.LinkedHashMap;
import java.util.Map;
import lab.recall.model.BlockWork;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;

/**
 * What work costs, told before it is done: token rows of forward passes, operations by their kinds, and bytes that go to and from memory.
 *
 * <pre>{@code
 * Cost.of(mamba).run(12, 1).fork(4, 12, 3, 1)                // a prompt of 12 tokens, and a fork that differs from token 4, layer 3 on
 * cost.rows(), cost.operations(), cost.bytes()
 * }</pre>
 *
 * A row is one token through one layer. Bytes: the weights, as f32, once for {@value #TOGETHER} rows, each value at a hook point written
 * and read once. Not for use by several threads.
 */
public final class Cost {
    /** Rows that go through a layer's weights together. */
    private static final int TOGETHER = 256;
    private static final int HEAD_TOGETHER = 32;

    private final LanguageModel model;
    private final BlockWork block;
    private final int layers;
    private final double rowBytes;
    private final Map<Operation, Double> operations = new LinkedHashMap<>();
    private long rows;
    private double bytes;

    private Cost(LanguageModel model) {
        this.model = model;
        this.block = model.block(0).work();
        this.layers = model.layers();
        this.rowBytes = 2.0 * Float.BYTES * model.points().stream().filter(p -> !p.isGlobal() && p.kind() == HookPoint.Kind.TOKEN)
                .mapToLong(model::width).sum();
    }

    /** Of nothing yet. */
    public static Cost of(LanguageModel model) {
        return new Cost(model);
    }

    /** And a whole run, with the logits of so many of its tokens. */
    public Cost run(int tokens, int reads) {
        return rows(Speed.RUNS, 0, tokens, layers, true).head(reads);
    }

    /**
     * And a fork.
     *
     * @param from  the first token that differs
     * @param entry the first layer that is computed; the number of layers where only the head is
     * @param reads of how many last tokens the logits are read
     */
    public Cost fork(int from, int tokens, int entry, int reads) {
        return rows(Speed.FORKS, from, tokens, layers - entry, true).head(reads);
    }

    /**
     * And edges that are left out of a fork's layers: what the sources would have passed on is found anew from the first of them on.
     *
     * @param source the first of them
     * @param in     in how many layers
     */
    public Cost cuts(int source, int tokens, int in) {
        return more(Speed.CUTS, in * (block.of(source, tokens) - (double) (tokens - source) * block.products()));
    }

    /**
     * And a fork that is kept and read, as a step of a search is.
     *
     * @param reads of how many last tokens the logits are read
     */
    public Cost step(int from, int tokens, int entry, int reads) {
        return rows(Speed.STEPS, from, tokens, layers - entry, true).head(reads);
    }

    /** And the way back of such a fork, from the logits that were read. */
    public Cost stepBack(int from, int tokens, int entry, int reads) {
        return rows(Speed.STEPS, from, tokens, layers - entry, false).head(reads);
    }

    /**
     * And all rows of Jacobians of one run: gradients of each number of the last token's stream.
     *
     * @param entry the lowest layer that they go through
     */
    public Cost jacobian(int from, int tokens, int entry) {
        return rows(Speed.JACOBIANS, from, tokens, (long) model.width() * (layers - entry), false);
    }

    private Cost rows(Operation kind, int from, int tokens, long in, boolean isForward) {
        double count = (double) (tokens - from) * in;
        rows += isForward ? (long) count : 0;
        bytes += count * (rowBytes + block.products() / 2.0 * Float.BYTES / TOGETHER);
        return more(kind, block.of(from, tokens) * in);
    }

    private Cost head(int reads) {
        double numbers = (double) model.width() * model.vocabulary();
        bytes += reads * (numbers * Float.BYTES / HEAD_TOGETHER + 2.0 * model.vocabulary() * Float.BYTES);
        return more(Speed.HEAD, 2 * reads * numbers);
    }

    /** And operations of another kind. */
    public Cost more(Operation kind, double count) {
        if (count > 0) {
            operations.merge(kind, count, Double::sum);
        }
        return this;
    }

    /** And all of another cost. */
    public Cost and(Cost other) {
        other.operations.forEach(this::more);
        rows += other.rows;
        bytes += other.bytes;
        return this;
    }

    /** And so much of another cost. */
    public Cost times(int count, Cost other) {
        other.operations.forEach((kind, n) -> more(kind, count * n));
        rows += count * other.rows;
        bytes += count * other.bytes;
        return this;
    }

    /** Token rows of forward passes. */
    public long rows() {
        return rows;
    }

    /** Operations of all kinds. */
    public double operations() {
        return operations.values().stream().mapToDouble(n -> n).sum();
    }

    /** Operations of each kind. */
    public Map<Operation, Double> byKind() {
        return Map.copyOf(operations);
    }

    /** Bytes to and from memory. */
    public double bytes() {
        return bytes;
    }

    /** Seconds on a machine. */
    public double seconds(Map<Operation, Double> aSecond) {
        return operations.entrySet().stream().mapToDouble(e -> e.getValue() / aSecond.get(e.getKey())).sum();
    }
}
