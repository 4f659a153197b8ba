package lab.recall.linear;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import lab.recall.math.Svd;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.model.Pass;
import lab.recall.model.Recording;
import lab.recall.study.Answer;
import lab.recall.study.Experiment;
import lab.recall.study.Fields;
import lab.recall.study.NamedArray;
import lab.recall.study.Runner;

/**
 * A {@link LinearOperator} of given prompts: {"experiment": "lre", "samples": [{"prompt", "token"}], "layer", "beta", "tests": [{"prompt",
 * "token"}], "rank" (optional)}.
 */
public final class LreExperiment implements Experiment<LanguageModel> {
    private record Example(int[] ids, int token) {
    }

    @Override
    public String name() {
        return "lre";
    }

    @Override
    public List<String> fields() {
        return List.of("samples", "layer", "beta", "tests", "rank");
    }

    @Override
    public Answer run(LanguageModel model, Fields f, Runner runner) {
        int d = model.width();
        List<Example> samples = examples(model, f, "samples");
        int layer = f.layer("layer", model.layers());
        double beta = f.number("beta", Double.NEGATIVE_INFINITY);
        List<Example> tests = examples(model, f, "tests");
        int rank = f.has("rank") ? f.integer("rank", 1, d) : 0;
        progress.start("Jacobians", "samples", samples.size());
        LinearOperator.Mean mean = new LinearOperator.Mean(layer, d);
        for (int i = 0; i < samples.size(); i++) {
            Example e = samples.get(i);
            LinearOperator.Mean.add(List.of(mean), model.run(e.ids, Recording.gradients()), e.token);
            progress.to(i + 1);
        }
        progress.finish();
        LinearOperator operator = mean.operator();
        Svd svd = operator.svd(rank);
        List<float[]> states = states(model, layer, tests);
        List<NamedArray> arrays = new ArrayList<>();
        arrays.add(square("W", operator.matrix(), d));
        arrays.add(new NamedArray("b", new long[] {d}, operator.bias()));
        arrays.add(logits("logits", model, operator, states, beta));
        float[] values = new float[d];
        for (int i = 0; i < d; i++) {
            values[i] = (float) svd.values()[i];
        }
        arrays.add(new NamedArray("singular_values", new long[] {d}, values));
        if (rank > 0) {
            LinearOperator low = new LinearOperator(layer, d, samples.size(), svd.lowRank(rank), operator.bias());
            arrays.add(square("W_rank", low.matrix(), d));
            arrays.add(square("W_pinv", svd.inverse(rank), d));
            arrays.add(logits("rank_logits", model, low, states, beta));
        }
        return new Answer(Map.of(), arrays);
    }

    private static List<Example> examples(LanguageModel model, Fields f, String field) {
        List<Example> all = new ArrayList<>();
        for (Fields o : f.objects(field)) {
            int[] ids = o.prompt("prompt", model.vocabulary(), t -> model.prompt(t).ids());
            all.add(new Example(ids, o.integer("token", 0, ids.length - 1)));
            o.done();
        }
        if (all.isEmpty()) {
            throw new IllegalArgumentException(field + ": expected a list of at least one {\"prompt\", \"token\"}");
        }
        return all;
    }

    private static List<float[]> states(LanguageModel model, int layer, List<Example> tests) {
        HookPoint point = LinearOperator.site(layer, 0).point();
        List<Pass> passes = model.runAll(tests.stream().map(Example::ids).toList(), Recording.of(point.name(layer)));
        List<float[]> states = new ArrayList<>();
        for (int i = 0; i < passes.size(); i++) {
            states.add(passes.get(i).get(LinearOperator.site(layer, tests.get(i).token)));
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
