package lab.recall.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import lab.recall.edit.EditCase;
import lab.recall.edit.EditSettings;
import lab.recall.edit.RankOneEditor;
import lab.recall.edit.SecondMoment;
import lab.recall.math.CrossEntropy;
import lab.recall.model.AddedVectors;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.block.ScanMatrices;
import lab.recall.model.block.ScanPoints;

/** Rank-one editing at one layer. */
final class EditJobs {
    private EditJobs() {
    }

    /** One step of the inner loop: 5 templates and a KL row of 20 tokens, forward and back from the edited layer on. */
    static Job step(String name, int layer, int threads) {
        int token = 12;
        return new Job("rome-step", "rome-step, layer " + layer, name, 120, threads, models -> {
            LanguageModel model = models.open(name);
            List<Pass> bases = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                bases.add(model.run(Models.ids(model, 20, i)));
            }
            float[] delta = new float[model.width()];
            Arrays.fill(delta, 0.01f);
            return Work.of(() -> {
                AddedVectors added = AddedVectors.at(model, layer, ScanPoints.OUT);
                bases.forEach(b -> added.add(b, token, delta, 1));
                added.forward((fork, i, logits, at) -> CrossEntropy.backward(logits, at, model.vocabulary(), 7, 1f, logits, at));
                added.backward(fork -> true);
            }).rows(6L * 8 * 2 * (model.layers() - layer)).torch("rome-step, layer " + layer, "rome-step", model.folder().toString(),
                    "--layer", "" + layer, "--from-layer", "--threads", "" + threads);
        });
    }

    /** One whole edit, 20 losses: 5 templates of 20 tokens, the target's first among them, and a KL prompt. */
    static Job edit(String name, int layer, int threads) {
        int tokens = 20;
        return new Job("rome-edit", "rome-edit", name, 6 * tokens, threads, models -> {
            LanguageModel model = models.open(name);
            int[] target = Models.ids(model, 2, 7);
            List<int[]> contexts = new ArrayList<>();
            int[] lookups = new int[5];
            for (int i = 0; i < lookups.length; i++) {
                contexts.add(Models.ids(model, tokens - 1, i));
                lookups[i] = tokens / 2 + i % 3;
            }
            EditCase asked = new EditCase(contexts, lookups, target, Models.ids(model, tokens / 2 + 1, 9));
            EditSettings all = new EditSettings(20, 0.5, 0.5, 0.0625, 3, 0, Double.POSITIVE_INFINITY, 0, EditSettings.KeyMode.PUBLISHED);
            SecondMoment moment = SecondMoment.identity(model.width(ScanPoints.GATED));
            moment.solve(new double[moment.size()]);                // its factor is kept, as PyTorch's users keep the inverse
            RankOneEditor editor = RankOneEditor.of(model).at(layer, ScanMatrices.W_O).with(all).moment(moment);
            String[] call = {"rome-edit", model.folder().toString(), "--layer", "" + layer, "--threads", "" + threads};
            String[] from = Arrays.copyOf(call, call.length + 1);
            from[call.length] = "--from-layer";
            return Work.of(() -> editor.cases(List.of(asked))).rows(20L * (5 * (tokens / 2) + 1) * (model.layers() - layer))
                    .torch("rome-edit, published way", call).torch("rome-edit, from the layer on", from);
        });
    }
}
