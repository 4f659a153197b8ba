package lab.recall.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A folder with a model's configuration and weights, in any of the public layouts.
 *
 * <pre>{@code
 * Checkpoint c = Checkpoint.open(Path.of("mamba-130m-hf"));
 * c.tensor("backbone.norm_f.weight").floats()
 * }</pre>
 *
 * Weights are model.safetensors, its shards by model.safetensors.index.json, pytorch_model.bin, or its shards, in that order. They are
 * mapped into memory and read where they are used.
 */
public final class Checkpoint {
    private final Path folder;
    private final JsonNode config;
    private final Map<String, Tensor> tensors;

    private Checkpoint(Path folder, JsonNode config, Map<String, Tensor> tensors) {
        this.folder = folder;
        this.config = config;
        this.tensors = tensors;
    }

    /** Opens a folder; what is wrong with a file is said in one sentence that names it. */
    public static Checkpoint open(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new IllegalArgumentException(folder + ": no such folder");
        }
        JsonNode config = Json.object(folder.resolve("config.json"));
        Map<String, Tensor> tensors;
        if (Files.exists(folder.resolve("model.safetensors"))) {
            tensors = SafeTensors.read(folder.resolve("model.safetensors"));
        } else if (Files.exists(folder.resolve("model.safetensors.index.json"))) {
            tensors = shards(folder, folder.resolve("model.safetensors.index.json"), SafeTensors::read);
        } else if (Files.exists(folder.resolve("pytorch_model.bin"))) {
            tensors = TorchArchive.read(folder.resolve("pytorch_model.bin"));
        } else if (Files.exists(folder.resolve("pytorch_model.bin.index.json"))) {
            tensors = shards(folder, folder.resolve("pytorch_model.bin.index.json"), TorchArchive::read);
        } else {
            throw new IllegalArgumentException(folder
                    + ": no weights; expected model.safetensors, model.safetensors.index.json, pytorch_model.bin or pytorch_model.bin.index.json");
        }
        return new Checkpoint(folder, config, tensors);
    }

    private interface Reader {
        Map<String, Tensor> read(Path file);
    }

    private static Map<String, Tensor> shards(Path folder, Path index, Reader reader) {
        JsonNode where = Json.object(index).path("weight_map");
        if (!where.isObject()) {
            throw new IllegalArgumentException(index + ": no weight_map of tensor names to file names");
        }
        Map<String, Map<String, Tensor>> files = new HashMap<>();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        where.fields().forEachRemaining(e -> {
            String shard = e.getValue().asText("");
            if (!e.getValue().isTextual() || shard.isEmpty() || shard.equals(".") || shard.equals("..") || shard.contains("/")
                    || shard.contains("\\") || shard.indexOf('\0') >= 0) {
                throw new IllegalArgumentException(index + ": the shard " + e.getValue() + " lies outside the folder");
            }
            Tensor t = files.computeIfAbsent(shard, s -> reader.read(folder.resolve(s))).get(e.getKey());
            if (t == null) {
                throw new IllegalArgumentException(index + ": '" + e.getKey() + "' is not in " + shard);
            }
            tensors.put(e.getKey(), t);
        });
        return tensors;
    }

    /**
     * Writes a folder in HuggingFace's layout: model.safetensors, what stands in {@code others} under its file name, and config.json, the
     * last of them: a folder that has it is whole.
     */
    public static void write(Path folder, JsonNode config, Collection<Tensor> tensors, Map<String, Path> others) {
        try {
            Files.createDirectories(folder);
            SafeTensors.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
            for (Map.Entry<String, Path> other : others.entrySet()) {
                move(folder, other.getKey(), Files.readAllBytes(other.getValue()));
            }
            move(folder, "config.json", Json.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(config));
        } catch (IOException e) {
            throw new IllegalArgumentException(folder + ": cannot be written (" + e.getMessage() + ")", e);
        }
    }

    private static void move(Path folder, String name, byte[] bytes) throws IOException {
        Path part = folder.resolve("." + name + ".part-" + ProcessHandle.current().pid());
        Files.write(part, bytes);
        Files.move(part, folder.resolve(name), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** This checkpoint with some tensors in the place of those of the same name. */
    public Checkpoint with(Map<String, Tensor> changed) {
        Map<String, Tensor> all = new LinkedHashMap<>(tensors);
        all.putAll(changed);
        return new Checkpoint(folder, config, all);
    }

    /** The folder. */
    public Path folder() {
        return folder;
    }

    /** config.json. */
    public JsonNode config() {
        return config;
    }

    /** All tensors by name. */
    public Map<String, Tensor> tensors() {
        return tensors;
    }

    /** A tensor that must be there. */
    public Tensor tensor(String name) {
        return find(name).orElseThrow(() -> new IllegalArgumentException(folder + ": the tensor '" + name + "' is missing"));
    }

    /** A tensor that may be there. */
    public Optional<Tensor> find(String name) {
        return Optional.ofNullable(tensors.get(name));
    }
}
