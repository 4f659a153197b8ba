package lab.recall.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import lab.recall.base.BadData;
import lab.recall.checkpoint.Checkpoint;
import lab.recall.checkpoint.DType;
import lab.recall.checkpoint.Tensor;
import lab.recall.math.PackedMatrix;
import lab.recall.math.Parallel;

/**
 * Takes a model's weights out of a checkpoint with the shapes that the model needs.
 *
 * <pre>{@code
 * float[] norm = weights.vector(layer + "norm.weight", width);
 * PackedMatrix up = weights.matrix(layer + "mlp.up.weight", hidden, width);
 * float[] conv = weights.vector(layer + "conv1d.weight", Layout.transposed(inner, taps), inner, 1, taps);
 * }</pre>
 *
 * What is taken is a parameter of the model: it can be changed in training and is written when the model is saved. Each is named once;
 * how a block's gradients go back to the stored layout follows from the same line.
 */
public final class Weights {
    /** How numbers lie in the checkpoint and in the array that a block reads. */
    public interface Layout {
        /** From the checkpoint's to the block's. */
        void load(float[] stored, float[] used);

        /** A gradient of the block's numbers to one of the checkpoint's; may write to both. */
        void gradient(float[] used, float[] stored);

        /** [rows, columns] in the checkpoint, [columns, rows] in use. */
        static Layout transposed(int rows, int columns) {
            return new Layout() {
                @Override
                public void load(float[] stored, float[] used) {
                    transpose(stored, rows, columns, used);
                }

                @Override
                public void gradient(float[] used, float[] stored) {
                    transpose(used, columns, rows, stored);
                }
            };
        }

        /** Row r in use is the stored row {@code order[r]}. */
        static Layout ordered(int[] order) {
            return new Layout() {
                @Override
                public void load(float[] stored, float[] used) {
                    int width = stored.length / order.length;
                    for (int r = 0; r < order.length; r++) {
                        System.arraycopy(stored, order[r] * width, used, r * width, width);
                    }
                }

                @Override
                public void gradient(float[] used, float[] stored) {
                    int width = used.length / order.length;
                    for (int r = 0; r < order.length; r++) {
                        System.arraycopy(used, r * width, stored, order[r] * width, width);
                    }
                }
            };
        }

        /** [rows, columns] to [columns, rows]. */
        static void transpose(float[] m, int rows, int columns, float[] t) {
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < columns; c++) {
                    t[c * rows + r] = m[r * columns + c];
                }
            }
        }
    }

    /** Takes on other numbers. */
    private interface Setter {
        void set(float[] stored);
    }

    /**
     * A parameter of the model.
     *
     * @param setter takes on numbers in the checkpoint's layout; null where a tensor is read where it lies
     * @param layout of gradients; null where they lie as stored
     * @param layer  that reads it; none for both ends of the model
     * @param matrix whether it is read as a linear map
     */
    private record Parameter(Setter setter, Layout layout, OptionalInt layer, boolean matrix) {
    }

    /** What has been taken, by name: what is left of the weights when the checkpoint has been let go. */
    static final class Parameters {
        private final Map<String, Parameter> all = new LinkedHashMap<>();
        private OptionalInt reading = OptionalInt.empty();

        /** What is taken from now on belongs to a layer. */
        void reading(int layer) {
            reading = OptionalInt.of(layer);
        }

        /** The layer that reads a weight. */
        OptionalInt layerOf(String name) {
            return has(name) ? all.get(name).layer : OptionalInt.empty();
        }

        boolean has(String name) {
            return all.containsKey(name);
        }

        /** The linear maps of all layers. */
        Set<String> layerMatrices() {
            return all.entrySet().stream().filter(e -> e.getValue().matrix && e.getValue().layer.isPresent()).map(Map.Entry::getKey)
                    .collect(Collectors.toUnmodifiableSet());
        }

        private void add(String name, Setter setter, Layout layout, boolean matrix) {
            all.merge(name, new Parameter(setter, layout, reading, matrix), (before, now) -> before.setter == null ? now : before);
        }

        /** Takes on other weights in place: only for a model in f32 that nobody else has. */
        void take(Map<String, float[]> weights) {
            List<Map.Entry<String, Parameter>> changed = all.entrySet().stream().filter(e -> e.getValue().setter != null).toList();
            Parallel.forEach(changed.size(), i -> changed.get(i).getValue().setter.set(weights.get(changed.get(i).getKey())));
        }

        /**
         * Writes gradients in the checkpoint's layout to {@code stored}, whose arrays are used again; those that lie as stored are shared
         * with {@code raw}.
         */
        void asStored(Map<String, float[]> raw, Map<String, float[]> stored) {
            raw.forEach((name, g) -> {
                Layout layout = all.get(name).layout;
                if (layout == null) {
                    stored.put(name, g);
                } else {
                    layout.gradient(g, stored.computeIfAbsent(name, n -> new float[g.length]));
                }
            });
        }
    }

    private final Checkpoint checkpoint;
    private final Parameters parameters = new Parameters();
    private final List<String> passedOver = new ArrayList<>();

    Weights(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    Parameters parameters() {
        return parameters;
    }

    /** Tensors whose names end so may be there and are not read: buffers that files of old hold, copies. */
    public void passOver(String... endings) {
        passedOver.addAll(List.of(endings));
    }

    /** Names of tensors that have neither been taken nor passed over. */
    List<String> unread() {
        return checkpoint.tensors().keySet().stream().filter(n -> !parameters.has(n) && passedOver.stream().noneMatch(n::endsWith))
                .toList();
    }

    /** Whether the checkpoint has such a tensor. */
    public boolean has(String name) {
        return checkpoint.find(name).isPresent();
    }

    /**
     * The tensor's shape, which must have so many dimensions.
     *
     * @throws BadData when it is missing, not of a floating type, or has others
     */
    public long[] shape(String name, int dimensions) {
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

    /**
     * A floating tensor of exactly this shape, read where it lies.
     *
     * @throws BadData when it is missing, not of a floating type, or has another shape
     */
    public Tensor tensor(String name, long... shape) {
        Tensor t = shaped(name, shape);
        parameters.add(name, null, null, false);
        return t;
    }

    private Tensor shaped(String name, long... shape) {
        Tensor t = floating(name);
        if (!Arrays.equals(t.shape(), shape)) {
            throw new BadData(checkpoint.folder(), "the tensor '" + name + "' has the shape " + Arrays.toString(t.shape())
                    + ", expected " + Arrays.toString(shape));
        }
        return t;
    }

    /**
     * Its numbers as f32.
     *
     * @throws BadData when it is missing, not of a floating type, or has another shape
     */
    public float[] vector(String name, long... shape) {
        float[] used = shaped(name, shape).floats();
        parameters.add(name, stored -> System.arraycopy(stored, 0, used, 0, used.length), null, false);
        return used;
    }

    /**
     * Its numbers as f32 in another layout.
     *
     * @throws BadData when it is missing, not of a floating type, or has another shape
     */
    public float[] vector(String name, Layout layout, long... shape) {
        float[] stored = shaped(name, shape).floats();
        float[] used = new float[stored.length];
        layout.load(stored, used);
        parameters.add(name, now -> layout.load(now, used), layout, false);
        return used;
    }

    /** The same, or null where the checkpoint has no such tensor. */
    public float[] optional(String name, long... shape) {
        return has(name) ? vector(name, shape) : null;
    }

    /**
     * A matrix [outputs, inputs], packed in the precision in which it is stored.
     *
     * @throws BadData when it is missing, not of a floating type, or has another shape
     */
    public PackedMatrix matrix(String name, int outputs, int inputs) {
        return matrix(name, outputs, inputs, null);
    }

    /**
     * The same with its rows in another order: row r is the stored row {@code order[r]}.
     *
     * @throws BadData when it is missing, not of a floating type, or has another shape
     */
    public PackedMatrix matrix(String name, int outputs, int inputs, int[] order) {
        Tensor t = shaped(name, outputs, inputs);
        PackedMatrix packed = isHalf(t)
                ? PackedMatrix.packHalf(half(t), outputs, inputs, (r, to, at) -> t.readHalf(from(order, r, inputs), to, at, inputs))
                : PackedMatrix.pack(outputs, inputs, (r, to, at) -> t.read(from(order, r, inputs), to, at, inputs));
        parameters.add(name, stored -> packed.set(stored, order), order == null ? null : Layout.ordered(order), true);
        return packed;
    }

    /**
     * A matrix that is stored [inputs, outputs]; it is read at once, while it is packed.
     *
     * @throws BadData when it is missing, not of a floating type, or has another shape
     */
    public PackedMatrix transposedMatrix(String name, int outputs, int inputs) {
        Tensor t = shaped(name, inputs, outputs);
        PackedMatrix packed;
        if (isHalf(t)) {
            short[] stored = new short[Math.multiplyExact(outputs, inputs)];
            t.readHalf(0, stored, 0, stored.length);
            packed = PackedMatrix.packHalf(half(t), outputs, inputs, (r, to, at) -> {
                for (int i = 0; i < inputs; i++) {
                    to[at + i] = stored[i * outputs + r];
                }
            });
        } else {
            float[] stored = t.floats();
            packed = PackedMatrix.pack(outputs, inputs, (r, to, at) -> {
                for (int i = 0; i < inputs; i++) {
                    to[at + i] = stored[i * outputs + r];
                }
            });
        }
        Layout layout = Layout.transposed(inputs, outputs);
        parameters.add(name, stored -> {
            float[] used = new float[stored.length];
            layout.load(stored, used);
            packed.set(used, null);
        }, layout, true);
        return packed;
    }

    private static boolean isHalf(Tensor t) {
        return t.dtype() == DType.BF16 || t.dtype() == DType.F16;
    }

    private static PackedMatrix.Storage half(Tensor t) {
        return t.dtype() == DType.BF16 ? PackedMatrix.Storage.BF16 : PackedMatrix.Storage.F16;
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
