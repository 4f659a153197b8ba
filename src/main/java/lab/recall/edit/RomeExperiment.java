package lab.recall.edit;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.model.LanguageModel;
import lab.recall.model.TargetScore;
import lab.recall.study.Answer;
import lab.recall.study.Experiment;
import lab.recall.study.Fields;
import lab.recall.study.NamedArray;
import lab.recall.study.NamedView;
import lab.recall.study.Runner;

/**
 * One rank-one edit by token ids: {"experiment": "rome", "layer", "matrix", "prompt", "subject_last", "prefixes", "target", "kl_prompt", "kl_pos",
 * "covariance", "hyperparameters", "key", "save"}. Arrays: {@code u, delta, v, W_new, losses, loss_parts}.
 */
public final class RomeExperiment implements Experiment<LanguageModel> {
    private static final int MOST_STEPS = 100_000;

    @Override
    public String name() {
        return "rome";
    }

    @Override
    public List<String> fields() {
        return List.of("layer", "matrix", "prompt", "subject_last", "prefixes", "target", "kl_prompt", "kl_pos", "covariance", "hyperparameters", "key",
                "save");
    }

    @Override
    public Answer run(LanguageModel model, Fields f, Runner runner) {
        int layer = f.integer("layer", 0, model.layers() - 1);
        EditMatrix matrix = EditMatrix.of(model, f.text("matrix"));
        int[] prompt = f.prompt("prompt", model.vocabulary(), t -> model.prompt(t).ids());
        int subjectLast = f.integer("subject_last", 0, prompt.length - 1);
        List<int[]> prefixes = f.prompts("prefixes", model.vocabulary(), t -> model.prompt(t).ids());
        int[] target = f.ids("target", model.vocabulary());
        int[] kl = f.prompt("kl_prompt", model.vocabulary(), t -> model.prompt(t).ids());
        EditCase asked = EditCase.of(prompt, subjectLast, prefixes, target, kl, f.integer("kl_pos", 0, kl.length - 1));
        EditSettings settings = settings(f.object("hyperparameters")).withKey(key(f));
        SecondMoment c = moment(f.text("covariance"), model.width(matrix.key()));
        String save = f.has("save") ? f.text("save") : null;
        RankOneEditor.Edited done = RankOneEditor.of(model).at(layer, matrix).with(settings).moment(c).cases(List.of(asked)).get(0);
        LanguageModel edited = done.edit().applyTo(model);
        if (save != null) {
            edited.save(Path.of(save));
        }
        Map<String, Object> scalars = new LinkedHashMap<>();
        scalars.put("p_before", probability(model, asked));
        scalars.put("p_after", probability(edited, asked));
        scalars.put("steps_run", done.value().steps());
        scalars.put("key_dot_u", done.edit().keyDotU());
        scalars.put("value_error", RankOneEditor.error(edited, asked, done.edit(), settings));
        return new Answer(scalars, arrays(model, done), List.of(new NamedView("losses", done.value().chart())));
    }

    private static List<NamedArray> arrays(LanguageModel model, RankOneEditor.Edited done) {
        RankOneEdit edit = done.edit();
        double[][] parts = done.value().losses();
        float[] flat = new float[parts.length * 3];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = (float) parts[i / 3][i % 3];
        }
        List<NamedArray> all = new ArrayList<>();
        all.add(vector("u", edit.u()));
        all.add(vector("delta", done.value().delta()));
        all.add(vector("v", edit.v()));
        all.add(new NamedArray("W_new", new long[] {edit.left().length, edit.u().length}, edit.rows(model)));
        all.add(vector("losses", done.value().totals()));
        all.add(new NamedArray("loss_parts", new long[] {parts.length, 3}, flat));
        return all;
    }

    static NamedArray vector(String name, double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return new NamedArray(name, new long[] {floats.length}, floats);
    }

    private static double probability(LanguageModel model, EditCase c) {
        return TargetScore.of(model, List.of(c.sequence(0)), List.of(List.of(c.target())))[0][0].probability();
    }

    /** The published key or the consistent one. */
    static EditSettings.KeyMode key(Fields f) {
        return f.choice("key", List.of(EditSettings.KeyMode.PUBLISHED.id(), EditSettings.KeyMode.CONSISTENT.id()))
                .equals(EditSettings.KeyMode.CONSISTENT.id()) ? EditSettings.KeyMode.CONSISTENT : EditSettings.KeyMode.PUBLISHED;
    }

    private static EditSettings settings(Fields hp) {
        EditSettings s = new EditSettings(hp.integer("steps", 1, MOST_STEPS), hp.number("lr", 0), hp.number("weight_decay", 0), hp.number("kl_factor", 0),
                hp.number("clamp_norm_factor", 0), hp.number("stop_loss", 0),
                hp.has("stop_probability") ? hp.number("stop_probability", 0) : Double.POSITIVE_INFINITY, hp.number("ridge", 0, 0), EditSettings.KeyMode.PUBLISHED);
        hp.done();
        return s;
    }

    /** The model's own settings or the paper's, and other numbers where the request has them. */
    static EditSettings preset(LanguageModel model, Fields f) {
        boolean published = f.choice("preset", List.of("model", "published")).equals("published");
        EditSettings p = (published ? EditSettings.PUBLISHED : EditSettings.of(model)).withKey(key(f));
        if (!f.has("hyperparameters")) {
            return p;
        }
        Fields hp = f.object("hyperparameters");
        EditSettings s = new EditSettings(hp.integer("steps", 1, MOST_STEPS, p.steps()), hp.number("lr", 0, p.rate()),
                hp.number("weight_decay", 0, p.weightDecay()), hp.number("kl_factor", 0, p.klFactor()), hp.number("clamp_norm_factor", 0, p.clamp()),
                hp.number("stop_loss", 0, p.stopLoss()), hp.number("stop_probability", 0, p.stopProbability()), hp.number("ridge", 0, p.ridge()), p.key());
        hp.done();
        return s;
    }

    /** {@code identity}, or a file with C. */
    static SecondMoment moment(String source, int size) {
        if (source.equals("identity")) {
            return SecondMoment.identity(size);
        }
        try {
            return SecondMoment.read(Path.of(source), size);
        } catch (IllegalArgumentException e) {
            throw e.getMessage().startsWith("covariance:") ? e : new IllegalArgumentException("covariance: " + e.getMessage(), e);
        }
    }
}
