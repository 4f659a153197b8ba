package lab.recall.model.retention;

import lab.recall.model.Activation;
import lab.recall.model.Block;
import lab.recall.model.Body;
import lab.recall.model.HookPoint;
import lab.recall.model.Opening;
import lab.recall.model.PointSizes;
import lab.recall.model.Settings;
import lab.recall.model.Weights;

/**
 * Sizes, read from the tensors where they tell.
 *
 * @param layers     L
 * @param width      d, of the residual stream
 * @param heads      H
 * @param keys       N, width of a head's query and key
 * @param values     P, width of a head's value
 * @param vocabulary rows of the embedding
 * @param epsilon    of the norms
 */
record RetentionConfig(int layers, int width, int heads, int keys, int values, int vocabulary, float epsilon) implements Body, PointSizes {
    static final String TABLE = "table";

    static RetentionConfig of(Opening from) {
        Settings set = from.settings();
        Weights weights = from.weights();
        long[] table = weights.shape(TABLE, 2);
        int heads = (int) weights.shape("stack.0.fade", 1)[0];
        int values = (int) weights.shape("stack.0.out.kernel", 2)[0] / heads;
        int all = (int) weights.shape("stack.0.in.kernel", 2)[1] / heads;
        return new RetentionConfig(set.positive("depth"), (int) table[1], heads, (all - 2 * values) / 2, values, (int) table[0],
                (float) set.number("epsilon", 1e-5));
    }

    @Override
    public Block block(int layer, Weights weights) {
        return new RetentionBlock(this, weights, "stack." + layer + ".");
    }

    @Override
    public PointSizes sizes() {
        return this;
    }

    @Override
    public int width(HookPoint point) {
        return switch (point.id()) {
            case "query", "key" -> heads * keys;
            case "value", "valve_in", "mix", "valve", "carried" -> heads * values;
            case "memory" -> heads * keys * values;
            default -> width;
        };
    }

    @Override
    public int heads(HookPoint point) {
        return switch (point.id()) {
            case "query", "key", "value", "mix" -> heads;
            default -> 0;
        };
    }

    @Override
    public Activation whole(String name, HookPoint point, float[] numbers, int tokens) {
        return new Activation(name, new long[] {heads, keys, values}, numbers.clone());
    }
}
