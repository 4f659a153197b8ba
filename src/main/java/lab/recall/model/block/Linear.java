package lab.recall.model.block;

import lab.recall.math.Elementwise;
import lab.recall.math.MatMul;
import lab.recall.math.PackedMatrix;
import lab.recall.model.BackBatch;
import lab.recall.model.Batch;
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

    /** Reads one whose weight is stored [inputs, outputs]. */
    public static Linear readTransposed(Weights weights, String name, int outputs, int inputs) {
        return new Linear(name, weights.transposedMatrix(name + ".weight", outputs, inputs), weights.vector(name + ".bias", outputs));
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

    /** Numbers of the matrix. */
    long numbers() {
        return (long) inputs() * outputs();
    }

    /** y of rows without gaps. */
    public void forward(float[] x, int xAt, int rows, float[] y, int yAt) {
        forward(x, xAt, rows, y, yAt, outputs());
    }

    /** The same where y has a row stride. */
    void forward(float[] x, int xAt, int rows, float[] y, int yAt, int yStride) {
        weight.multiply(x, xAt, inputs(), rows, bias, y, yAt, yStride);
    }

    /** Adds y to rows without gaps. */
    public void add(float[] x, int xAt, int rows, float[] y, int yAt) {
        weight.addProduct(x, xAt, inputs(), rows, bias, y, yAt, outputs());
    }

    /** Adds y to a batch's residual stream; {@code scratch} is overwritten where the point that y has is asked for. */
    void toStream(Batch b, HookPoint point, float[] x, float[] scratch) {
        if (!b.asks(point)) {
            add(x, 0, b.rows(), b.resid(), b.at());
            return;
        }
        forward(x, 0, b.rows(), scratch, 0);
        b.hook(point, scratch, 0, outputs(), outputs());
        Elementwise.add(scratch, 0, b.resid(), b.at(), b.rows() * outputs());
    }

    /** dX of rows without gaps. */
    public void backward(float[] dY, int rows, float[] dX) {
        backward(dY, 0, outputs(), rows, dX);
    }

    /** The same where dY has a row stride. */
    void backward(float[] dY, int at, int stride, int rows, float[] dX) {
        weight.transposed().multiply(dY, at, stride, rows, dX, 0, inputs());
    }

    /** Adds dX to rows without gaps. */
    void addBackward(float[] dY, int at, int stride, int rows, float[] dX) {
        weight.transposed().addProduct(dY, at, stride, rows, null, dX, 0, inputs());
    }

    /** Adds the gradients of its weights: sums over all rows, segment by segment since x lies in each pass's own arrays. */
    public void parameters(BackBatch b, float[] dY, HookPoint x) {
        parameters(b, dY, 0, outputs(), x);
    }

    /** The same where dY has a row stride. */
    void parameters(BackBatch b, float[] dY, int at, int stride, HookPoint x) {
        float[] dWeight = b.parameter(name + ".weight", outputs() * inputs());
        for (BackBatch.Segment s : b.segments()) {
            MatMul.addOuter(dY, at + s.row() * stride, stride, s.values(b.layer(), x), s.first() * inputs(), inputs(),
                    s.tokens(), outputs(), inputs(), dWeight);
        }
        if (bias != null) {
            Elementwise.addRows(dY, at, stride, b.rows(), outputs(), b.parameter(name + ".bias", outputs()));
        }
    }
}
