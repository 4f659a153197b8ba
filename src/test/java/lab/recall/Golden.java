package lab.recall;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import lab.recall.base.Json;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;
import lab.recall.math.PackedMatrixTest;

/** Expected values and their tolerances; see golden/README.md. */
public final class Golden {
    public static final List<String> CASES = List.of("mamba-a-f32", "mamba-b-bf16-untied", "mamba-c-f16-sharded", "mamba-d-orig-zip",
            "mamba-e-orig-legacy", "neox-a-f32", "neox-b-seq-f16-sharded", "neox-c-bf16", "neox-d-bin",
            "falcon-a-f32", "mamba2-a-f32", "mamba2-b-bf16", "llama-a-f32", "llama-b-bf16", "gpt2-a-f32", "gpt2-b-hub");
    public static final List<String> WITH_INTERVENTIONS = List.of("mamba-a-f32", "mamba-b-bf16-untied", "neox-a-f32",
            "neox-b-seq-f16-sharded", "falcon-a-f32", "mamba2-a-f32", "mamba2-b-bf16", "llama-a-f32", "gpt2-a-f32");

    private Golden() {
    }

    /** Whether the tokens of a case's model read each other through a scan. */
    public static boolean scans(String name) {
        return name.startsWith("mamba") || name.startsWith("falcon");
    }

    /** Folder of a case. */
    public static Path folder(String name) {
        try {
            return Path.of(Golden.class.getResource("/golden/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A file of gguf/README.md. */
    public static Path gguf(String name) {
        try {
            return Path.of(Golden.class.getResource("/gguf/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A file of expected values. */
    public static Map<String, Tensor> values(String name, String file) {
        return SafeTensors.read(folder(name).resolve(file + ".safetensors"));
    }

    /** Writes a model's folder. */
    public static Path write(Path to, ObjectNode config, Collection<Tensor> tensors) throws IOException {
        Files.write(to.resolve("config.json"), Json.python(config));
        SafeTensors.write(to.resolve("model.safetensors"), tensors, Map.of());
        return to;
    }

    /** Writes a copy of a model's folder with another configuration and these weights. */
    public static Path copy(Path from, Path to, Consumer<ObjectNode> config, Collection<Tensor> tensors) throws IOException {
        ObjectNode json = Json.object(from.resolve("config.json"));
        config.accept(json);
        return write(to, json, tensors);
    }

    /** Ids of a tensor, or of one of its rows. */
    public static int[] ids(Tensor t, int row) {
        int width = (int) t.shape()[t.shape().length - 1];
        return Arrays.stream(t.longs()).skip((long) row * width).limit(width).mapToInt(Math::toIntExact).toArray();
    }

    /** One slice of the leading dimension. */
    public static double[] slice(Tensor t, int index) {
        double[] all = t.doubles();
        int size = all.length / (int) t.shape()[0];
        return Arrays.copyOfRange(all, index * size, (index + 1) * size);
    }

    /** |x - golden| at most 1e-4 max(1, max|golden tensor|). */
    public static void close(String what, float[] x, double[] golden, double scale) {
        if (x.length != golden.length) {
            fail(what + ": " + x.length + " numbers, expected " + golden.length);
        }
        double allowed = 1e-4 * Math.max(1, scale);
        for (int i = 0; i < x.length; i++) {
            if (!(Math.abs(x[i] - golden[i]) <= allowed)) {
                fail(what + "[" + i + "] is " + x[i] + ", expected " + golden[i] + " within " + allowed);
            }
        }
    }

    public static void close(String what, float[] x, double[] golden) {
        close(what, x, golden, largest(golden));
    }

    /** The same numbers bit for bit; up to f32 noise where the BLAS stands in for our own products. */
    public static void same(String what, float[] expected, float[] actual) {
        assertArrayEquals(expected, actual, PackedMatrixTest.exact() ? 0f : 1e-4f, what);
    }

    /** Probabilities: 1e-4 absolute. */
    public static void probability(String what, double p, double golden) {
        if (!(Math.abs(p - golden) <= 1e-4)) {
            fail(what + " is " + p + ", expected " + golden);
        }
    }

    /** Gradients: 1e-4 of the vector's norm; an exact zero nearly zero. */
    public static void gradient(String what, float[] x, double[] golden) {
        double norm = 0;
        double error = 0;
        for (int i = 0; i < golden.length; i++) {
            norm += golden[i] * golden[i];
            error += (x[i] - golden[i]) * (x[i] - golden[i]);
        }
        if (x.length != golden.length || !(Math.sqrt(error) <= Math.max(1e-9, 1e-4 * Math.sqrt(norm)))) {
            fail(what + ": off by " + Math.sqrt(error) + " of " + Math.sqrt(norm));
        }
    }

    public static double largest(double[] values) {
        return Arrays.stream(values).map(Math::abs).max().orElse(0);
    }
}
