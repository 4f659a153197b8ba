package lab.recall.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;
import lab.recall.base.InputFiles;
import lab.recall.base.Json;
import lab.recall.base.Said;

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
    private static final List<String> WEIGHTS = List.of("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
            "pytorch_model.bin.index.json");

    private final Path folder;
    private final JsonNode config;
    private final Map<String, Tensor> tensors;
    private final Map<String, Tensor> replaced;
    private final List<String> warnings;

    Checkpoint(Path folder, JsonNode config, Map<String, Tensor> tensors, Map<String, Tensor> replaced, List<String> warnings) {
        this.folder = folder;
        this.config = config;
        this.tensors = tensors;
        this.replaced = replaced;
        this.warnings = List.copyOf(warnings);
    }

    /**
     * Opens a folder; what is wrong with a file is said in one sentence that names it.
     *
     * @throws BadData when a file is missing or not what it should be
     */
    public static Checkpoint open(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new BadData(folder, "no such folder");
        }
        JsonNode config = config(folder);
        Map<String, Tensor> tensors;
        Path weights = WEIGHTS.stream().map(folder::resolve).filter(Files::exists).findFirst()
                .orElseThrow(() -> new BadData(folder, "no weights; expected "
                        + String.join(", ", WEIGHTS) + " or one GGUF file"));
        Reader reader = weights.getFileName().toString().contains(".safetensors") ? SafeTensors::read : TorchArchive::read;
        tensors = weights.toString().endsWith(".index.json") ? shards(folder, weights, reader) : reader.read(weights);
        return new Checkpoint(folder, config, tensors, Map.of(), List.of());
    }

    /** One that lies in memory; of a folder where its config.json stands. */
    public static Checkpoint of(Path folder, JsonNode config, Collection<Tensor> tensors) {
        Map<String, Tensor> named = new LinkedHashMap<>();
        tensors.forEach(t -> named.put(t.name(), t));
        return new Checkpoint(folder, config, named, Map.of(), List.of());
    }

    /**
     * What config.json says of a folder's model.
     *
     * @throws BadData when it is missing or no JSON object
     */
    public static JsonNode config(Path folder) {
        return Json.pythonObject(folder.resolve("config.json"));
    }

    /**
     * The same tensors under a family's own names: without what wrapped the model when it was saved, and with the name of its trunk.
     *
     * @param trunk what the names begin with, but for the head's: {@code backbone.}; empty leaves all names
     * @throws BadData when two tensors would have the same name
     */
    public Checkpoint below(String trunk) {
        if (trunk.isEmpty()) {
            return this;
        }
        Map<String, Tensor> named = new LinkedHashMap<>();
        TensorNames.own(tensors.keySet(), trunk, folder).forEach((stored, own) -> named.put(own, tensors.get(stored).named(own)));
        return new Checkpoint(folder, config, named, replaced, warnings);
    }

    private interface Reader {
        Map<String, Tensor> read(Path file);
    }

    private static Map<String, Tensor> shards(Path folder, Path index, Reader reader) {
        JsonNode where = Json.object(index).path("weight_map");
        if (!where.isObject()) {
            throw new BadData(index, "no weight_map of tensor names to file names");
        }
        Map<String, Map<String, Tensor>> files = new HashMap<>();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        where.properties().forEach(e -> {
            String shard = e.getValue().asText("");
            if (!e.getValue().isTextual() || !isName(shard)) {
                throw new BadData(index, "the shard " + Said.of(e.getValue()) + " lies outside the folder");
            }
            Tensor t = files.computeIfAbsent(shard, s -> reader.read(folder.resolve(s))).get(e.getKey());
            if (t == null) {
                throw new BadData(index, "'" + Said.of(e.getKey()) + "' is not in " + Said.of(shard));
            }
            tensors.put(e.getKey(), t);
        });
        return tensors;
    }

    /** Whether a shard's name stays in the folder. */
    private static boolean isName(String shard) {
        return !shard.isEmpty() && !shard.equals(".") && !shard.equals("..") && !shard.contains("/") && !shard.contains("\\")
                && shard.indexOf('\0') < 0;
    }

    /**
     * Writes a folder in HuggingFace's layout: model.safetensors, what stands in {@code others} under its file name, and config.json, the
     * last of them: a folder that has it is whole.
     *
     * @throws BadData                      when one of the others is no file
     * @throws java.io.UncheckedIOException when a file cannot be written
     */
    public static void write(Path folder, JsonNode config, Collection<Tensor> tensors, Map<String, Path> others) {
        AtomicFiles.folder(folder);
        SafeTensors.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        others.forEach((name, file) -> AtomicFiles.write(folder.resolve(name), out -> Files.copy(InputFiles.plain(file), out)));
        AtomicFiles.write(folder.resolve("config.json"), Json.python(config));
    }

    /** This checkpoint with some tensors in the place of those of the same name. */
    public Checkpoint with(Map<String, Tensor> changed) {
        Map<String, Tensor> all = new LinkedHashMap<>(tensors);
        all.putAll(changed);
        Map<String, Tensor> changes = new TreeMap<>(replaced);
        changes.putAll(changed);
        return new Checkpoint(folder, config, all, changes, warnings);
    }

    /** Tensors that stand in the place of those of the files, by name. */
    public Map<String, Tensor> replaced() {
        return replaced;
    }

    /**
     * The files that opening a folder reads, config.json first.
     *
     * @throws BadData when the list of shards is no JSON
     */
    public static List<Path> files(Path folder) {
        List<Path> files = new ArrayList<>(List.of(folder.resolve("config.json")));
        for (String weights : WEIGHTS) {
            Path file = folder.resolve(weights);
            if (Files.exists(file)) {
                files.add(file);
                if (weights.endsWith(".index.json")) {
                    Set<String> shards = new TreeSet<>();
                    Json.object(file).path("weight_map").forEach(shard -> shards.add(shard.asText()));
                    shards.stream().filter(Checkpoint::isName).forEach(shard -> files.add(folder.resolve(shard)));
                }
                return files;
            }
        }
        return files;
    }

    /** What is doubtful about its files; each one sentence. */
    public List<String> warnings() {
        return warnings;
    }

    /** The folder, or the GGUF file. */
    public Path folder() {
        return folder;
    }

    /** config.json, or what it would say of a GGUF file. */
    public JsonNode config() {
        return config;
    }

    /** All tensors by name. */
    public Map<String, Tensor> tensors() {
        return tensors;
    }

    /**
     * A tensor that must be there.
     *
     * @throws BadData when it is not there
     */
    public Tensor tensor(String name) {
        return find(name).orElseThrow(() -> new BadData(folder, "the tensor '" + Said.of(name) + "' is missing"));
    }

    /** A tensor that may be there. */
    public Optional<Tensor> find(String name) {
        return Optional.ofNullable(tensors.get(name));
    }
}
