package lab.recall.train;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.base.BadData;
import lab.recall.checkpoint.SafeTensors;
import lab.recall.checkpoint.Tensor;

/**
 * All that a training needs to go on as if it had never stopped: weights, both moments, the step. One file, replaced as a whole; it is
 * there from before the first step until the training is done.
 */
final class TrainState {
    private static final String STEP = "step";
    private static final String SECONDS = "seconds";

    private final Path file;

    TrainState(Path folder) {
        this.file = folder.resolve("state.safetensors");
    }

    boolean exists() {
        return Files.exists(file);
    }

    void write(int step, double seconds, Map<String, float[]> weights, AdamW adam) {
        List<Tensor> all = new ArrayList<>(List.of(Tensor.of(STEP, new long[] {step}, 1), Tensor.of(SECONDS, new double[] {seconds}, 1)));
        add(all, "weight.", weights);
        add(all, "first.", adam.first());
        add(all, "second.", adam.second());
        SafeTensors.write(file, all, Map.of());
    }

    private static void add(List<Tensor> all, String prefix, Map<String, float[]> arrays) {
        arrays.forEach((name, values) -> all.add(Tensor.of(prefix + name, values, values.length)));
    }

    /** Fills weights and moments in; returns steps done and seconds. */
    double[] read(Map<String, float[]> weights, AdamW adam) {
        Map<String, Tensor> all = SafeTensors.read(file);
        if (!all.containsKey(STEP) || !all.containsKey(SECONDS)) {
            throw new BadData(file, "no state of a training; remove the file to begin anew");
        }
        for (Map.Entry<String, float[]> w : weights.entrySet()) {
            Tensor kept = all.get("weight." + w.getKey());
            if (kept == null || kept.size() != w.getValue().length) {
                throw new BadData(file, "kept weights of another model; remove the file to begin anew");
            }
            kept.read(0, w.getValue(), 0, w.getValue().length);
        }
        int step = Math.toIntExact(all.get(STEP).longs()[0]);
        adam.resume(step, named(all, "first."), named(all, "second."));
        return new double[] {step, all.get(SECONDS).doubles()[0]};
    }

    private static Map<String, float[]> named(Map<String, Tensor> all, String prefix) {
        Map<String, float[]> found = new LinkedHashMap<>();
        all.forEach((name, t) -> {
            if (name.startsWith(prefix)) {
                found.put(name.substring(prefix.length()), t.floats());
            }
        });
        return found;
    }
}
