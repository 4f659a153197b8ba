package lab.recall.model.block;

import lab.recall.math.Elementwise;
import lab.recall.math.MatMul;
import lab.recall.math.PackedMatrix;
import lab.recall.model.BackBatch;
import lab.recall.model.HookPoint;
import lab.recall.model.Weights;

/**
 * A linear map of a layer, forward and backward: y = W x + bias.
 *
 * @param name   of its weights in the checkpoint: {@code name.weight} and {@code name.bias}
 * @param bias   null for none
 */
public record Linear(String name, PackedMatrix weight, float[] bias) {
    /** Reads one, with its bias or without. */
    public static Linear read(Weights weights, String name, int outputs, int inputs, boolean hasBias) {
        return new Linear(name, weights.matrix(name + ".weight", outputs, inputs),
                hasBias ? weights.vector(name + ".bias", outputs) : null);
    }

    /** Reads one whose row r is the stored row {@code order[r]}. */
    public static Linear read(Weights weights, String name, int outputs, int inputs, boolean hasBias, int[] order) {
        return new Linear(name, weights.matrix(name + ".weight", outputs, inputs, order),
                hasBias ? weights.vector(name + ".bias", Weights.Layout.ordered(order), outputs) : null);
    }

    /** Numbers in a row of x. */
    public int inputs() {
        return weight.inputs();
    }

    /** Numbers in a row of y. */
    public int outputs() {
        return weight.outputs();
    }

    /** y of rows without gaps. */
    public void forward(float[] x, int xAt, int rows, float[] y, int yAt) {
        weight.multiply(x, xAt, inputs(), rows, bias, y, yAt, outputs());
    }

    /** Adds y to rows without gaps. */
    public void add(float[] x, int xAt, int rows, float[] y, int yAt) {
        weight.addProduct(x, xAt, inputs(), rows, bias, y, yAt, outputs());
    }

    /** dX of rows without gaps. */
    public void backward(float[] dY, int rows, float[] dX) {
        weight.transposed().multiply(dY, 0, outputs(), rows, dX, 0, inputs());
    }

    /** Adds the gradients of its weights: sums over all rows, segment by segment since x lies in each pass's own arrays. */
    public void parameters(BackBatch b, float[] dY, HookPoint x) {
        float[] dWeight = b.parameter(name + ".weight", outputs() * inputs());
        for (BackBatch.Segment s : b.segments()) {
            MatMul.addOuter(dY, s.row() * outputs(), outputs(), s.values(b.layer(), x), s.first() * inputs(), inputs(),
                    s.tokens(), outputs(), inputs(), dWeight);
        }
        if (bias != null) {
            Elementwise.addRows(dY, 0, outputs(), b.rows(), outputs(), b.parameter(name + ".bias", outputs()));
        }
    }
}
