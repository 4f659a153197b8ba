package lab.recall.knockout;

import java.util.ArrayList;
import java.util.List;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.base.Interruption;
import lab.recall.base.Progress;
import lab.recall.model.Edges;
import lab.recall.model.HookPoint;
import lab.recall.model.Intervention;
import lab.recall.model.LanguageModel;
import lab.recall.model.Mixer;
import lab.recall.model.Mixing;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.model.Terms;
import lab.recall.study.Experiment;
import lab.recall.study.NamedArray;
import lab.recall.study.Result;
import lab.recall.study.Runner;

/** A run with cut edges. */
public final class EdgesExperiment extends Experiment<EdgesRequest, EdgesExperiment.Found> {
    /** Logits, [tokens, V], and if asked for the norms of the terms, such as {@code scan_term_norm}, [L, target, source]. */
    public record Found(List<NamedArray> arrays) implements Result {
    }

    /** The word for a cut through all mixers. */
    private static final String WHOLLY = "both";

    public EdgesExperiment() {
        super("edges", "A run in which some tokens no longer read some others.", EdgesRequest.class, Found.class);
    }

    @Override
    public EdgesRequest complete(LanguageModel model, EdgesRequest q) {
        int tokens = q.prompt().ids(model, "prompt").length;
        int first = Check.whole("layers[0]", q.layers().get(0), 0, model.layers() - 1);
        Check.whole("layers[1]", q.layers().get(1), first, model.layers() - 1);
        for (int i = 0; i < q.edges().size(); i++) {
            int target = Check.whole("edges[" + i + "] (target)", q.edges().get(i).get(1), 0, tokens - 1);
            Check.whole("edges[" + i + "] (source)", q.edges().get(i).get(0), 0, target);
        }
        Mixing mixing = model.mixing();
        List<String> words = new ArrayList<>(mixing.mixers().stream().map(Mixer::id).toList());
        if (words.size() > 1) {
            words.add(WHOLLY);
        }
        Check.word("cut", q.cut(), words);
        if (q.termNorms() && mixing.summing().isEmpty()) {
            throw new BadRequest("term_norms", "true, expected false: " + mixing.title() + " of a " + model.family()
                    + " is no sum of one term a token");
        }
        Edges edges = edges(q);
        for (int t = 0; t < tokens && !mixing.canReadNothing(); t++) {
            if (edges.count(t) == t + 1) {
                throw new BadRequest("edges", "token " + t + " would attend to nothing; at least one source must stay");
            }
        }
        return q;
    }

    private static Edges edges(EdgesRequest q) {
        return Edges.of(q.edges().stream().map(e -> new int[] {e.get(0), e.get(1)}).toList());
    }

    @Override
    public Found run(LanguageModel model, EdgesRequest q, Runner runner) {
        int[] ids = q.prompt().ids(model, "prompt");
        Edges edges = edges(q);
        List<Intervention> cuts = new ArrayList<>();
        for (int l = q.layers().get(0); l <= q.layers().get(1); l++) {
            for (Mixer m : model.mixing().mixers()) {
                if (q.cut().equals(WHOLLY) || q.cut().equals(m.id())) {
                    cuts.add(m.cut(l, edges));
                }
            }
        }
        float[] logits = model.run(ids, Recording.points(HookPoint.LOGITS), cuts).requireFinite()
                .activation(0, HookPoint.LOGITS).values();
        List<NamedArray> arrays = new ArrayList<>();
        arrays.add(new NamedArray("logits", new long[] {ids.length, model.vocabulary()}, logits));
        if (q.termNorms()) {
            Mixer mixer = model.mixing().summing().orElseThrow();
            arrays.add(new NamedArray(mixer.id() + "_term_norm", new long[] {model.layers(), ids.length, ids.length},
                    norms(model, mixer.terms().orElseThrow(), ids, runner.progress())));
        }
        return new Found(arrays);
    }

    /** The 2-norm over channels of each term of the run without cuts, [L, target, source]. */
    private static float[] norms(LanguageModel model, Terms terms, int[] ids, Progress progress) {
        Pass pass = model.run(ids, terms.recording());
        int tokens = ids.length;
        float[] norms = new float[model.layers() * tokens * tokens];
        progress.start("terms", "sources", (long) model.layers() * tokens);
        for (int l = 0; l < model.layers(); l++) {
            for (int s = 0; s < tokens; s++) {
                Interruption.betweenPieces();
                float[] each = terms.of(pass, l, s);
                int width = each.length / (tokens - s);
                for (int t = s; t < tokens; t++) {
                    norms[(l * tokens + t) * tokens + s] = (float) HiddenAttention.norm(each, (t - s) * width, width);
                }
                progress.to((long) l * tokens + s + 1);
            }
        }
        progress.finish();
        return norms;
    }
}
