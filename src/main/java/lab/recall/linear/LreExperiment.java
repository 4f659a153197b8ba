package lab.recall.linear;

import java.util.ArrayList;
import java.util.List;
import lab.recall.base.Check;
import lab.recall.base.Interruption;
import lab.recall.base.Progress;
import lab.recall.math.Svd;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.study.Experiment;
import lab.recall.study.NamedArray;
import lab.recall.study.Result;
import lab.recall.study.Runner;

/** A {@link LinearOperator} of given prompts, and what it says of others. */
public final class LreExperiment extends Experiment<LreRequest, LreExperiment.Found> {
    /** W, b, its singular values, what it says of the tests; the same of its low-rank form, where a rank was given. */
    public record Found(List<NamedArray> arrays) implements Result {
    }

    private record Example(int[] ids, int token) {
    }

    public LreExperiment() {
        super("lre", "One affine map from the subject's state to the last residual stream, made of given prompts.",
                LreRequest.class, Found.class);
    }

    @Override
    public LreRequest complete(LanguageModel model, LreRequest q) {
        examples(model, "samples", q.samples());
        q.layer().in(model);
        examples(model, "tests", q.tests());
        if (q.rank() != null) {
            Check.whole("rank", q.rank(), 1, model.width());
        }
        return q;
    }

    private static List<Example> examples(LanguageModel model, String field, List<LreRequest.Example> given) {
        List<Example> all = new ArrayList<>();
        for (int i = 0; i < given.size(); i++) {
            String here = field + "[" + i + "].";
            int[] ids = given.get(i).prompt().ids(model, here + "prompt");
            all.add(new Example(ids, Check.whole(here + "token", given.get(i).token(), 0, ids.length - 1)));
        }
        return all;
    }

    @Override
    public Found run(LanguageModel model, LreRequest q, Runner runner) {
        int d = model.width();
        List<Example> samples = examples(model, "samples", q.samples());
        int layer = q.layer().in(model);
        int rank = q.rank() == null ? 0 : q.rank();
        LinearOperator operator = operator(model, layer, samples, runner.progress());
        Svd svd = operator.svd(rank);
        List<float[]> states = states(model, layer, examples(model, "tests", q.tests()));
        List<NamedArray> arrays = new ArrayList<>();
        arrays.add(square("W", operator.matrix(), d));
        arrays.add(new NamedArray("b", new long[] {d}, operator.bias()));
        arrays.add(logits("logits", model, operator, states, q.beta()));
        arrays.add(NamedArray.of("singular_values", svd.values()));
        if (rank > 0) {
            LinearOperator low = new LinearOperator(layer, d, samples.size(), svd.lowRank(rank), operator.bias());
            arrays.add(square("W_rank", low.matrix(), d));
            arrays.add(square("W_pinv", svd.inverse(rank), d));
            arrays.add(logits("rank_logits", model, low, states, q.beta()));
        }
        return new Found(arrays);
    }

    private static LinearOperator operator(LanguageModel model, int layer, List<Example> samples, Progress progress) {
        LinearOperator.Mean mean = new LinearOperator.Mean(layer, model.width());
        progress.start("Jacobians", "samples", samples.size());
        try {
            for (int i = 0; i < samples.size(); i++) {
                Interruption.betweenPieces();
                Example e = samples.get(i);
                LinearOperator.Mean.add(List.of(mean), model.run(e.ids, Recording.gradients()), e.token);
                progress.to(i + 1);
            }
        } finally {
            progress.finish();
        }
        return mean.operator();
    }

    private static List<float[]> states(LanguageModel model, int layer, List<Example> tests) {
        HookPoint point = LinearOperator.site(layer, 0).point();
        List<Pass> passes = model.runAll(tests.stream().map(Example::ids).toList(), Recording.of(point.name(layer)));
        List<float[]> states = new ArrayList<>();
        for (int i = 0; i < passes.size(); i++) {
            states.add(passes.get(i).requireFinite().get(LinearOperator.site(layer, tests.get(i).token)));
        }
        return states;
    }

    private static NamedArray square(String name, float[] values, int d) {
        return new NamedArray(name, new long[] {d, d}, values);
    }

    private static NamedArray logits(String name, LanguageModel model, LinearOperator operator, List<float[]> states, double beta) {
        int vocabulary = model.vocabulary();
        float[][] each = model.logitLens(states.stream().map(h -> operator.apply(h, beta)).toArray(float[][]::new));
        float[] all = new float[each.length * vocabulary];
        for (int i = 0; i < each.length; i++) {
            System.arraycopy(each[i], 0, all, i * vocabulary, vocabulary);
        }
        return new NamedArray(name, new long[] {each.length, vocabulary}, all);
    }
}
