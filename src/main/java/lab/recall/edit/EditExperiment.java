package lab.recall.edit;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.base.Progress;
import lab.recall.facts.EditRequest;
import lab.recall.facts.EditRequests;
import lab.recall.model.LanguageModel;
import lab.recall.study.Answer;
import lab.recall.study.Experiment;
import lab.recall.study.Fields;
import lab.recall.study.NamedArray;
import lab.recall.study.NamedView;
import lab.recall.study.Runner;

/**
 * Edits by text: {"experiment": "edit", "subject", "prompt", "target", "true"} for one fact, or "file" (and "requests", "relation", "relations")
 * for several; "layer", "matrix", "contexts", "documents", "texts", "moments", "covariance", "key", "preset", "hyperparameters", "seed"; "how"
 * (each, sequence, joint), "weight"; "save", "change".
 */
public final class EditExperiment implements Experiment<LanguageModel> {
    private static final int TOP = 5;
    private static final int CONTINUATION = 12;
    private static final int MANY = 1_000_000;

    @Override
    public String name() {
        return "edit";
    }

    @Override
    public List<String> fields() {
        return List.of("subject", "prompt", "target", "true", "file", "requests", "relation", "relations", "layer", "matrix", "contexts", "documents", "texts",
                "moments", "covariance", "key", "preset", "hyperparameters", "seed", "how", "weight", "save", "change");
    }

    @Override
    public Answer run(LanguageModel model, Fields f, Runner runner) {
        int seed = f.integer("seed", 0, Integer.MAX_VALUE, 1);
        int layer = f.integer("layer", 0, model.layers() - 1, RankOneEditor.layer(model));
        EditMatrix matrix = EditMatrix.of(model, f.text("matrix", EditMatrix.output(model).id()));
        EditSettings settings = RomeExperiment.preset(model, f);
        boolean one = f.has("subject") || f.has("prompt") || f.has("target");
        String how = f.choice("how", List.of("each", "sequence", "joint"));
        double weight = f.number("weight", 0, 1);
        ManyFacts.requireWeight(weight);
        if (one && (f.has("file") || f.has("requests") || f.has("relation") || f.has("relations"))) {
            throw new IllegalArgumentException("subject, prompt and target say one request: leave out file, requests, relation and relations");
        }
        EditRequests requests = one ? new EditRequests(List.of(request(f)))
                : EditSweepExperiment.requests(model, f, f.integer("requests", 1, MANY, EditSweepExperiment.REQUESTS), seed);
        if (f.has("covariance") && f.has("moments")) {
            throw new IllegalArgumentException("moments: a covariance is given, so that none are collected; leave out one of the two");
        }
        boolean single = requests.size() == 1;
        if (f.has("save") && !single && how.equals("each") || f.has("change") && !single) {
            throw new IllegalArgumentException((f.has("change") ? "change: the file holds one edit" : "save: a model holds several edits by how sequence or joint")
                    + "; there are " + requests.size() + " requests, each edited by itself");
        }
        int contexts = f.integer("contexts", 0, 1_000, RankOneEditor.CONTEXTS);
        RankOneEditor editor = RankOneEditor.of(model).at(layer, matrix).with(settings).contexts(ContextTemplates.of(model, contexts, seed));
        editor = editor.moment(f.has("covariance") ? RomeExperiment.moment(f.text("covariance"), model.width(matrix.key()))
                : EditSweepExperiment.moments(model, f, List.of(layer), List.of(matrix), seed, progress).of(layer, matrix));
        return single ? one(editor, requests.get(0), f) : many(editor, requests, how, weight, f, progress);
    }

    private static EditRequest request(Fields f) {
        return new EditRequest(0, "", f.text("prompt"), f.text("subject"), f.text("target"), f.text("true", ""), List.of(), List.of());
    }

    private static Answer one(RankOneEditor editor, EditRequest request, Fields f) {
        LanguageModel model = editor.model();
        RankOneEditor.Edited done = editor.edit(request);
        LanguageModel edited = done.edit().applyTo(model);
        if (f.has("save")) {
            edited.save(Path.of(f.text("save")));
        }
        if (f.has("change")) {
            done.edit().change(model).write(Path.of(f.text("change")));
        }
        String text = request.template().with(request.subject());
        BeforeAfter told = BeforeAfter.of(model, edited);
        Map<String, Object> scalars = new LinkedHashMap<>();
        scalars.put("layer", editor.layer());
        scalars.put("matrix", editor.matrix().id());
        scalars.put("steps_run", done.value().steps());
        scalars.put("last_loss", done.value().totals()[done.value().totals().length - 1]);
        scalars.put("key_dot_u", done.edit().keyDotU());
        scalars.put("value_error", RankOneEditor.error(edited, EditCase.of(model, request, editor.contexts()), done.edit(), editor.settings()));
        List<NamedArray> arrays = List.of(RomeExperiment.vector("u", done.edit().u()), RomeExperiment.vector("left", done.edit().left()),
                RomeExperiment.vector("v", done.edit().v()));
        List<NamedView> views = new ArrayList<>(List.of(new NamedView("next", told.next(text, Math.min(TOP, model.vocabulary()))),
                new NamedView("tests", told.tests(request)), new NamedView("continuation", told.continuation(text, CONTINUATION)),
                new NamedView("losses", done.value().chart())));
        return new Answer(scalars, arrays, views);
    }

    private static Answer many(RankOneEditor editor, EditRequests requests, String how, double weight, Fields f, Progress progress) {
        LanguageModel model = editor.model();
        EditTests tests = EditTests.of(model, requests.all());
        EditScores before = new EditScores(model.name() + " before", tests.on(model));
        List<CaseScores> found;
        if (how.equals("each")) {
            found = tests.edited(model, editor.edit(requests.all()).stream().map(RankOneEditor.Edited::edit).toList());
        } else {
            ManyFacts many = ManyFacts.of(editor);
            LanguageModel edited = how.equals("joint") ? many.joint(requests, weight) : many.sequence(requests, progress);
            if (f.has("save")) {
                edited.save(Path.of(f.text("save")));
            }
            found = tests.on(edited);
        }
        String title = requests.size() + " facts in " + editor.matrix().id() + " of layer " + editor.layer() + ", "
                + (how.equals("each") ? "each edited by itself" : how.equals("joint") ? "edited together" : "edited one after another");
        EditScores after = new EditScores(title, found);
        Map<String, Object> scalars = new LinkedHashMap<>();
        scalars.put("requests", requests.size());
        scalars.put("layer", editor.layer());
        scalars.put("matrix", editor.matrix().id());
        for (EditScores.Measure m : EditScores.Measure.values()) {
            scalars.put(m.label(), after.success(m).mean());
        }
        scalars.put("score", after.score().mean());
        return new Answer(scalars, List.of(), List.of(new NamedView("before", before.table()), new NamedView("after", after.table())));
    }
}
