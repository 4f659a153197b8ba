package lab.recall.edit;

import java.util.ArrayList;
import java.util.List;
import lab.recall.model.EditableMatrix;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Site;

/**
 * The unedited runs of a case, from which the search forks: its contexts with the target after them, and the KL prompt. They serve every
 * layer and matrix that was recorded.
 */
record CasePasses(EditCase asked, List<Pass> contexts, Pass kl) {
    /** Runs cases together. */
    static List<CasePasses> run(LanguageModel model, List<EditCase> cases, List<Integer> layers, List<EditableMatrix> matrices) {
        List<int[]> prompts = new ArrayList<>();
        for (EditCase c : cases) {
            for (int i = 0; i < c.contexts().size(); i++) {
                prompts.add(c.sequence(i));
            }
            prompts.add(c.klPrompt());
        }
        List<Pass> passes = model.runAll(prompts,
                recording(layers, matrices).and(Recording.states(layers.stream().mapToInt(l -> l).min().orElse(0))));
        List<CasePasses> all = new ArrayList<>();
        int at = 0;
        for (EditCase c : cases) {
            int n = c.contexts().size();
            all.add(new CasePasses(c, passes.subList(at, at + n), passes.get(at + n)));
            at += n + 1;
        }
        return all;
    }

    /** Keys and values of matrices in layers. */
    static Recording recording(List<Integer> layers, List<EditableMatrix> matrices) {
        Recording keep = Recording.nothing();
        for (int l : layers) {
            for (EditableMatrix m : matrices) {
                keep = keep.and(Recording.of(m.key().name(l), m.value().name(l)));
            }
        }
        return keep;
    }

    /** A point at the subject's last token of a context. */
    float[] at(int context, int layer, HookPoint point) {
        return contexts.get(context).get(new Site(layer, point, asked.lookups()[context]));
    }

    /** Its mean over the contexts. */
    double[] mean(int layer, HookPoint point) {
        double[] sum = new double[contexts.get(0).model().width(point)];
        for (int c = 0; c < contexts.size(); c++) {
            float[] v = at(c, layer, point);
            for (int i = 0; i < sum.length; i++) {
                sum[i] += v[i];
            }
        }
        for (int i = 0; i < sum.length; i++) {
            sum[i] /= contexts.size();
        }
        return sum;
    }
}
