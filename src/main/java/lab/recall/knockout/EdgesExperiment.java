package lab.recall.knockout;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import lab.recall.base.Progress;
import lab.recall.model.Edges;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Mamba;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.study.Answer;
import lab.recall.study.Experiment;
import lab.recall.study.Fields;
import lab.recall.study.NamedArray;
import lab.recall.study.Runner;

/** A run with cut edges: {"experiment": "edges", "prompt", "layers": [first, last], "edges": [[source, target], ..], "cut", "term_norms"}. */
public final class EdgesExperiment implements Experiment<LanguageModel> {
    @Override
    public String name() {
        return "edges";
    }

    @Override
    public List<String> fields() {
        return List.of("prompt", "layers", "edges", "cut", "term_norms");
    }

    @Override
    public Answer run(LanguageModel model, Fields f, Runner runner) {
        int[] ids = f.prompt("prompt", model.vocabulary(), t -> model.prompt(t).ids());
        int[] layers = f.layerRange("layers", model.layers());
        Edges edges = Edges.of(f.edges("edges", ids.length));
        boolean mamba = model instanceof Mamba;
        String cut = f.requiredChoice("cut", mamba ? List.of("scan", "conv", "both") : List.of("attention"));
        boolean norms = f.flag("term_norms");
        if (norms && !mamba) {
            throw new IllegalArgumentException("term_norms: true, expected false: only a Mamba has scan terms");
        }
        for (int t = 0; t < ids.length && !mamba; t++) {
            if (edges.count(t) == t + 1) {
                throw new IllegalArgumentException("edges: token " + t + " would attend to nothing; at least one source must stay");
            }
        }
        List<Intervention> cuts = new ArrayList<>();
        for (int l = layers[0]; l <= layers[1]; l++) {
            if (cut.equals("scan")) {
                cuts.add(Intervention.cutScan(l, edges));
            } else if (cut.equals("conv")) {
                cuts.add(Intervention.cutConv(l, edges));
            } else {
                cuts.addAll(Intervention.cut(model, l, l, edges));
            }
        }
        float[] logits = model.run(ids, Recording.points(HookPoint.LOGITS), cuts).activation(0, HookPoint.LOGITS).values();
        List<NamedArray> arrays = new ArrayList<>();
        arrays.add(new NamedArray("logits", new long[] {ids.length, model.vocabulary()}, logits));
        if (norms) {
            arrays.add(new NamedArray("scan_term_norm", new long[] {model.layers(), ids.length, ids.length}, norms((Mamba) model, ids, progress)));
        }
        return new Answer(Map.of(), arrays);
    }

    /** The 2-norm over channels of each scan term of the run without cuts, [L, target, source]. */
    private static float[] norms(Mamba model, int[] ids, Progress progress) {
        Pass pass = model.run(ids, Recording.points(HookPoint.X_ACT, HookPoint.DELTA, HookPoint.B, HookPoint.C));
        int tokens = ids.length;
        float[] norms = new float[model.layers() * tokens * tokens];
        progress.start("scan terms", "sources", (long) model.layers() * tokens);
        for (int l = 0; l < model.layers(); l++) {
            for (int s = 0; s < tokens; s++) {
                float[] terms = model.scanTerms(pass, l, s);
                int width = terms.length / (tokens - s);
                for (int t = s; t < tokens; t++) {
                    norms[(l * tokens + t) * tokens + s] = (float) HiddenAttention.norm(terms, (t - s) * width, width);
                }
                progress.to((long) l * tokens + s + 1);
                if (Thread.currentThread().isInterrupted()) {
                    throw new CancellationException("interrupted");
                }
            }
        }
        progress.finish();
        return norms;
    }
}
