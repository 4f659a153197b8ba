package lab.recall.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import lab.recall.base.AtomicFiles;
import lab.recall.checkpoint.Checkpoint;
import lab.recall.checkpoint.DType;
import lab.recall.checkpoint.Tensor;
import lab.recall.checkpoint.TokenizerFiles;

/** A model's weights as they are stored: in files, with some that stand in the place of theirs. */
final class StoredWeights {
    private final Supplier<Checkpoint> files;
    private final Map<String, Tensor> changed;
    private final Weights.Parameters parameters;

    /** @param files opens the checkpoint anew, so that no mapped file stays in memory beside the packed weights */
    StoredWeights(Supplier<Checkpoint> files, Map<String, Tensor> changed, Weights.Parameters parameters) {
        this.files = files;
        this.changed = changed;
        this.parameters = parameters;
    }

    /** The same with another one in a weight's place. */
    StoredWeights with(String weight, float[] values) {
        Map<String, Tensor> all = new LinkedHashMap<>(changed);
        all.put(weight, Tensor.of(weight, values, open().tensor(weight).shape()));
        return new StoredWeights(files, Map.copyOf(all), parameters);
    }

    /** All tensors of now. */
    Checkpoint open() {
        return changed.isEmpty() ? files.get() : files.get().with(changed);
    }

    /** The weights of the model, in the order of the checkpoint. */
    List<Tensor> all() {
        return parameters(open());
    }

    private List<Tensor> parameters(Checkpoint of) {
        return of.tensors().values().stream().filter(t -> parameters.has(t.name())).toList();
    }

    /** How the files store a weight. */
    DType dtype(String weight) {
        return files.get().tensor(weight).dtype();
    }

    /**
     * Writes a folder in HuggingFace's layout, one tensor after another; config.json comes last.
     *
     * @param asStored in the formats of the files, changed weights rounded to them; otherwise in F32
     */
    void save(Path folder, Body body, ModelFolder source, boolean asStored) {
        Checkpoint before = files.get();
        Checkpoint now = before.with(changed);
        List<Tensor> tensors = new ArrayList<>();
        for (Tensor t : parameters(now)) {
            DType dtype = before.tensor(t.name()).dtype();
            Tensor kept = changed.containsKey(t.name()) ? Tensor.of(t.name(), dtype, t.floats(), t.shape()) : t;
            Tensor written = asStored ? kept : t.widened();
            tensors.add(written.named(body.publicName(t.name())));
        }
        Map<String, Path> others = new LinkedHashMap<>();
        Optional<byte[]> carried = source.carriedTokenizer();
        carried.ifPresent(json -> {
            AtomicFiles.folder(folder);
            AtomicFiles.write(folder.resolve("tokenizer.json"), json);
        });
        if (carried.isEmpty()) {
            TokenizerFiles.files(source.folder()).forEach(file -> others.put(file.getFileName().toString(), file));
        }
        source.writeFacts(folder);
        ObjectNode config = body.publicConfig(now.config());
        String word = word(asStored ? tensors.get(0).dtype() : DType.F32);
        if (config.has("torch_dtype") || !config.has("dtype")) {
            config.put("torch_dtype", word);
        }
        if (config.has("dtype")) {              // its name in later versions of transformers
            config.put("dtype", word);
        }
        Checkpoint.write(folder, config, tensors, others);
    }

    private static String word(DType dtype) {
        return switch (dtype) {
            case BF16 -> "bfloat16";
            case F16 -> "float16";
            case F64 -> "float64";
            default -> "float32";
        };
    }
}
