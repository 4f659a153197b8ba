package lab.recall.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import lab.recall.base.Check;
import lab.recall.base.Json;
import lab.recall.checkpoint.Checkpoint;
import lab.recall.checkpoint.Tensor;

/**
 * A model that has learned nothing yet: seeded random weights in HuggingFace's layout, f32. An architecture fills it.
 *
 * <pre>{@code
 * new MambaSizes(64, 8, 8).fresh(800, seed).write(folder, tokenizer);      // width, layers, states; vocabulary
 * new NeoXSizes(96, 8, 2).fresh(800, seed).write(folder, tokenizer);       // width, layers, heads; vocabulary
 * }</pre>
 *
 * Matrices start with a variance of 1 / inputs, those that write to the residual stream with one that is 2 L times smaller.
 */
public final class FreshModel {
    /** Widest residual stream that is made. */
    public static final int WIDEST = 4096;
    /** Most layers, heads or states that are made. */
    public static final int MOST_PARTS = 256;
    /** Standard deviation of an embedding's numbers. */
    public static final double EMBEDDING = 0.05;

    /** In the names of the first layer's tensors. */
    private static final String FIRST = ".0.";

    /** Gives the numbers of a tensor in order. */
    public interface Draw {
        /** The number at an index. */
        double at(int index);
    }

    private final Random random;
    private final ObjectNode config = Json.MAPPER.createObjectNode();
    private final List<Tensor> tensors = new ArrayList<>();

    /** One without weights, to be filled. */
    public FreshModel(long seed) {
        this.random = new Random(seed);
    }

    /** Its config.json, to be filled. */
    public ObjectNode config() {
        return config;
    }

    /** What all its numbers are drawn from, one after another. */
    public Random random() {
        return random;
    }

    /**
     * Writes the model's folder with a copy of its tokenizer.json, and opens it.
     *
     * @throws java.io.UncheckedIOException when it cannot be written
     */
    public LanguageModel write(Path folder, Path tokenizer) {
        Checkpoint.write(folder, config, tensors, Map.of("tokenizer.json", tokenizer));
        return LanguageModel.open(folder);
    }

    /**
     * Weights of the sizes that a config.json says; all layers share those of the first.
     *
     * @param sizes of one layer
     */
    static Checkpoint alike(FreshSizes sizes, Path folder, JsonNode config) {
        int multiple = config.path("pad_vocab_size_multiple").asInt(1);
        int said = Check.whole("vocab_size", config.path("vocab_size").asInt(), 1, Integer.MAX_VALUE - multiple);
        FreshModel one = sizes.fresh((said + multiple - 1) / multiple * multiple, 1);
        List<Tensor> all = new ArrayList<>(one.tensors);
        for (int l = 1; l < layers(config); l++) {
            for (Tensor t : one.tensors) {
                if (t.name().contains(FIRST)) {
                    all.add(t.named(t.name().replaceFirst("\\.0\\.", "." + l + ".")));
                }
            }
        }
        return Checkpoint.of(folder, config, all);
    }

    private static int layers(JsonNode config) {
        return Stream.of("num_hidden_layers", "n_layer").filter(config::has).mapToInt(n -> config.path(n).asInt()).findFirst().orElse(1);
    }

    /** Weight 1 and bias 0 of a layer norm. */
    public void norm(String name, int width) {
        constant(name + ".weight", 1, width);
        constant(name + ".bias", 0, width);
    }

    /** A matrix and a bias of zeros. */
    public void linear(String name, int outputs, int inputs, double smaller) {
        matrix(name + ".weight", outputs, inputs, smaller);
        constant(name + ".bias", 0, outputs);
    }

    /** A matrix whose variance is so many times smaller than 1 / inputs. */
    public void matrix(String name, int outputs, int inputs, double smaller) {
        normal(name, 1 / Math.sqrt(inputs * smaller), outputs, inputs);
    }

    /** Normal numbers around 0. */
    public void normal(String name, double deviation, long... shape) {
        fill(name, i -> deviation * random.nextGaussian(), shape);
    }

    /** Even numbers around 0. */
    public void uniform(String name, double most, long... shape) {
        fill(name, i -> most * (2 * random.nextDouble() - 1), shape);
    }

    /** One number throughout. */
    public void constant(String name, double value, long... shape) {
        fill(name, i -> value, shape);
    }

    /** Any numbers. */
    public void fill(String name, Draw draw, long... shape) {
        int size = 1;
        for (long s : shape) {
            size = Math.multiplyExact(size, (int) s);
        }
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) draw.at(i);
        }
        tensors.add(Tensor.of(name, values, shape));
    }
}
