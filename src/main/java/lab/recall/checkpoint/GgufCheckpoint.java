package lab.recall.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import lab.recall.base.BadData;

/**
 * A GGUF file as a checkpoint in HuggingFace's layout.
 *
 * <pre>{@code
 * Checkpoint c = GgufCheckpoint.open(Path.of("mamba-130m-q8_0.gguf"), families);
 * c.tensor("backbone.layers.0.mixer.A_log").floats()
 * }</pre>
 *
 * Names and metadata are those of llama.cpp; what its converter changed is undone by the family ({@link GgufFamily}) where tensors
 * are read.
 */
public final class GgufCheckpoint {
    private static final Pattern LAYER = Pattern.compile("blk\\.(0|[1-9]\\d{0,8})\\.(.+)");
    private static final int SHOWN = 5;

    private GgufCheckpoint() {
    }

    /**
     * Opens a file that holds a model of one of these families.
     *
     * @throws BadData when it does not, or only a part of one
     */
    public static Checkpoint open(Path path, List<GgufFamily> families) {
        GgufFile file = GgufFile.open(path);
        long parts = file.whole("split.count").orElse(1L);
        if (parts > 1) {
            throw new BadData(path, "is one of " + parts + " parts of a model; join them with: llama-gguf-split --merge");
        }
        String architecture = file.text("general.architecture").orElseThrow(() -> new BadData(path, "has no general.architecture"));
        GgufFields fields = new GgufFields(file, architecture);
        GgufFamily family = families.stream().filter(f -> f.architectures().contains(architecture) && f.reads(fields)).findFirst()
                .orElseThrow(() -> new BadData(path, "general.architecture is " + GgufFile.shown(architecture) + "; known are "
                        + String.join(", ", families.stream().flatMap(f -> f.architectures().stream()).distinct().toList())));
        if (!file.text("general.type").orElse("model").equals("model")) {
            throw new BadData(path, "general.type is " + GgufFile.shown(file.text("general.type").orElseThrow()) + ", expected model");
        }
        ObjectNode config = family.config(fields);
        fields.requireAllAsked();
        GgufTokenizer.specialIds(file).forEach(config::put);

        Map<String, Tensor> tensors = new LinkedHashMap<>();
        List<String> unread = new ArrayList<>();
        file.tensors().forEach((stored, tensor) -> {
            String name = name(stored, family.names(), fields.count("block_count"));
            if (name == null) {
                unread.add(GgufFile.shown(stored));
            } else {
                tensors.put(name, family.restored(tensor.named(name), fields));
            }
        });
        List<String> warnings = new ArrayList<>(GgufTokenizer.warnings(file));
        if (!unread.isEmpty()) {
            warnings.add(path.getFileName() + " has tensors that nothing reads: " + String.join(", ", unread.subList(0, Math.min(SHOWN,
                    unread.size()))) + (unread.size() > SHOWN ? " and " + (unread.size() - SHOWN) + " more" : ""));
        }
        return new Checkpoint(path, config, tensors, Map.of(), warnings);
    }

    /** A tensor's name in HuggingFace's layout; null where the family has no such tensor. */
    private static String name(String stored, Map<String, String> names, int layers) {
        Matcher layer = LAYER.matcher(stored);
        if (!layer.matches()) {
            return names.get(stored);
        }
        String name = Integer.parseInt(layer.group(1)) < layers ? names.get("blk.*." + layer.group(2)) : null;
        return name == null ? null : name.replace("*", layer.group(1));
    }
}
