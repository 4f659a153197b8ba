package lab.recall.model;

import java.util.Arrays;
import lab.recall.base.BadData;
import lab.recall.checkpoint.Checkpoint;
import lab.recall.checkpoint.DType;
import lab.recall.checkpoint.Tensor;
import lab.recall.math.PackedMatrix;

/** Takes a model's weights out of a checkpoint with the shapes that the model needs. */
final class Weights {
    private final Checkpoint checkpoint;

    Weights(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    /** The tensor's shape, which must have so many dimensions. */
    long[] shape(String name, int dimensions) {
        long[] shape = floating(name).shape();
        if (shape.length != dimensions) {
            throw new BadData(checkpoint.folder(), "the tensor '" + name + "' has the shape " + Arrays.toString(shape)
                    + ", expected " + dimensions + " dimensions");
        }
        for (long n : shape) {
            if (n < 1 || n > Integer.MAX_VALUE - 16) {
                throw new BadData(checkpoint.folder(), "the tensor '" + name + "' has the shape " + Arrays.toString(shape)
                        + ", expected sizes from 1 to " + (Integer.MAX_VALUE - 16));
            }
        }
        return shape;
    }

    /** A floating tensor of exactly this shape. */
    Tensor tensor(String name, long... shape) {
        Tensor t = floating(name);
        if (!Arrays.equals(t.shape(), shape)) {
            throw new BadData(checkpoint.folder(), "the tensor '" + name + "' has the shape " + Arrays.toString(t.shape())
                    + ", expected " + Arrays.toString(shape));
        }
        return t;
    }

    /** Its numbers as f32. */
    float[] vector(String name, long... shape) {
        return tensor(name, shape).floats();
    }

    /** The same, or null where the checkpoint has no such tensor. */
    float[] optional(String name, long... shape) {
        return checkpoint.find(name).isPresent() ? vector(name, shape) : null;
    }

    /** A matrix [outputs, inputs], packed in the precision in which it is stored. */
    PackedMatrix matrix(String name, int outputs, int inputs) {
        return matrix(name, outputs, inputs, null);
    }

    /** The same with its rows in another order: row r is the stored row {@code order[r]}. */
    PackedMatrix matrix(String name, int outputs, int inputs, int[] order) {
        Tensor t = tensor(name, outputs, inputs);
        if (t.dtype() == DType.BF16 || t.dtype() == DType.F16) {
            PackedMatrix.Storage storage = t.dtype() == DType.BF16 ? PackedMatrix.Storage.BF16 : PackedMatrix.Storage.F16;
            return PackedMatrix.packHalf(storage, outputs, inputs, (r, to, at) -> t.readHalf(from(order, r, inputs), to, at, inputs));
        }
        return PackedMatrix.pack(outputs, inputs, (r, to, at) -> t.read(from(order, r, inputs), to, at, inputs));
    }

    private static long from(int[] order, int row, int inputs) {
        return (long) (order == null ? row : order[row]) * inputs;
    }

    private Tensor floating(String name) {
        Tensor t = checkpoint.tensor(name);
        if (!t.dtype().isFloating()) {
            throw new BadData(checkpoint.folder(), "the tensor '" + name + "' is " + t.format()
                    + ", not a floating type that is read here");
        }
        return t;
    }
}
