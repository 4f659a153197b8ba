package lab.recall.edit;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import lab.recall.base.AtomicFiles;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.checkpoint.DType;
import lab.recall.checkpoint.Rounding;
import lab.recall.facts.EditRequest;
import lab.recall.facts.EditRequests;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import lab.recall.study.Experiment;
import lab.recall.study.ModelCard;
import lab.recall.study.NamedArray;
import lab.recall.study.Runner;

/** Edits by text: one fact, or several, each by itself, one after another, or at once. */
public final class EditExperiment extends Experiment<EditQuestion, EditResult> {
    private static final int TOP = 5;
    private static final int CONTINUATION = 12;

    public EditExperiment() {
        super("edit", "Puts a fact into a model by a rank-one change of one matrix, and shows what it says before and after.",
                EditQuestion.class, EditResult.class);
    }

    @Override
    public boolean isOverFacts() {
        return true;
    }

    @Override
    public EditQuestion complete(LanguageModel model, EditQuestion q) {
        int layer = Check.whole("layer", Check.or(q.layer(), model.profile().editLayer(model)), 0, model.layers() - 1);
        EditableMatrix matrix = EditableMatrix.of(model, Check.or(q.matrix(), model.outputMatrix().id()));
        if (!q.isOne()) {
            EditSweepExperiment.requireFacts(model, q.file(), q.relations(), q.relation());
        }
        if (q.file() != null) {
            requireOneModel(q, EditSweepExperiment.requests(model, q.file(), "", "", q.requests(), q.seed(), Runner.silent()));
        }
        if (q.covariance() != null) {
            SecondMoment.requireNamed(q.covariance(), model.width(matrix.key()));
        } else {
            SecondMoments.of(model, List.of(layer), List.of(matrix)).requireSources(q.moments(), q.texts());
        }
        RomeExperiment.requireFolder(model, q.save());
        requireFile(q.change());
        Hyperparameters all = Hyperparameters.of(EditSweepExperiment.settings(model, q.preset(), q.key(), q.hyperparameters()));
        return new EditQuestion(q.subject(), q.prompt(), q.target(), q.truth(), q.file(), q.requests(), q.relation(), q.relations(),
                layer, matrix.id(), q.contexts(), q.documents(), q.texts(), q.moments(), q.covariance(), q.key(), q.preset(), all,
                q.seed(), q.how(), q.weight(), q.save(), q.dtype(), q.change());
    }

    private static void requireFile(String change) {
        if (change != null) {
            try {
                AtomicFiles.requireReplaceable(Path.of(change));
            } catch (BadData e) {
                throw BadRequest.at("change", e);
            }
        }
    }

    /** Refuses to write one model or change of several edits, each by itself. */
    private static void requireOneModel(EditQuestion q, EditRequests requests) {
        boolean single = requests.size() == 1;
        String apart = "; there are " + requests.size() + " requests, each edited by itself";
        if (q.change() != null && !single) {
            throw new BadRequest("change", "the file holds one edit" + apart);
        }
        if (q.save() != null && !single && q.how().equals("each")) {
            throw new BadRequest("save", "a model holds several edits by how sequence or joint" + apart);
        }
    }

    @Override
    public EditResult run(LanguageModel model, EditQuestion q, Runner runner) {
        EditableMatrix matrix = EditableMatrix.of(model, q.matrix());
        EditRequests requests = q.isOne() ? new EditRequests(List.of(q.fact()))
                : EditSweepExperiment.requests(model, q.file(), q.relations(), q.relation(), q.requests(), q.seed(), runner);
        requireOneModel(q, requests);
        if (requests.size() == 1) {
            EditResult.One one = one(model, matrix, q, requests.get(0), runner);
            return new EditResult(ModelCard.of(model), one, null, rounding(model, matrix, q, () -> one.edited().edit().rows(model)));
        }
        RankOneEditor editor = editor(model, matrix, q, runner);
        EditResult.Several several = several(editor, requests, q, runner);
        return new EditResult(ModelCard.of(model), null, several,
                several.rows().isEmpty() ? null : rounding(model, matrix, q, () -> several.rows().get(0).values()));
    }

    private static RankOneEditor editor(LanguageModel model, EditableMatrix matrix, EditQuestion q, Runner runner) {
        SecondMoment c = q.covariance() != null ? SecondMoment.named(q.covariance(), model.width(matrix.key()))
                : EditSweepExperiment.moments(SecondMoments.of(model, List.of(q.layer()), List.of(matrix)),
                        model, q.moments(), q.texts(), q.documents(), q.seed(), runner).of(q.layer(), matrix);
        return RankOneEditor.of(model).at(q.layer(), matrix).moment(c)
                .with(EditSweepExperiment.settings(model, q.preset(), q.key(), q.hyperparameters()))
                .contexts(ContextTemplates.of(model, q.contexts(), q.seed(), runner));
    }

    /** |rounded - edited| / |edited - before| of the matrix that is written; null where nothing is, or nothing is rounded. */
    private static Double rounding(LanguageModel model, EditableMatrix matrix, EditQuestion q, Supplier<float[]> rows) {
        if ((q.save() == null && q.change() == null) || !q.keepsFormats()) {
            return null;
        }
        DType dtype = matrix.storedAs(model, q.layer());
        if (dtype != DType.BF16 && dtype != DType.F16) {
            return null;
        }
        float[] edited = rows.get();
        float[] before = matrix.rows(model, q.layer());
        float[] rounded = edited.clone();
        Rounding.round(dtype, rounded);
        double missed = 0;
        double changed = 0;
        for (int i = 0; i < edited.length; i++) {
            missed += Math.pow(rounded[i] - (double) edited[i], 2);
            changed += Math.pow(edited[i] - (double) before[i], 2);
        }
        return Math.sqrt(missed / changed);
    }

    /** An edit, and what its error is measured by. */
    private record Made(RankOneEditor.Edited edited, EditCase of, EditSettings settings) {
    }

    private static Made made(LanguageModel model, EditableMatrix matrix, EditQuestion q, EditRequest request, Runner runner) {
        RankOneEditor editor = editor(model, matrix, q, runner);
        return new Made(editor.edit(List.of(request), runner).get(0), EditCase.of(model, request, editor.sampleContexts()),
                editor.settings());
    }

    /** The second moment, hundreds of megabytes at the large sizes, has been let go before the edited model is asked. */
    private static EditResult.One one(LanguageModel model, EditableMatrix matrix, EditQuestion q, EditRequest request, Runner runner) {
        Made made = made(model, matrix, q, request, runner);
        RankOneEdit edit = made.edited.edit();
        LanguageModel edited = edit.applyTo(model);
        String text = request.template().with(request.subject());
        BeforeAfter told = BeforeAfter.of(model, edited);
        return new EditResult.One(made.edited, RankOneEditor.error(edited, made.of, edit, made.settings),
                told.nextFound(text, Math.min(TOP, model.vocabulary())), told.testsFound(request),
                told.continuationFound(text, CONTINUATION));
    }

    private static EditResult.Several several(RankOneEditor editor, EditRequests requests, EditQuestion q, Runner runner) {
        LanguageModel model = editor.model();
        EditableMatrix matrix = editor.matrix();
        EditTests tests = EditTests.of(model, requests.all());
        EditScores before = new EditScores(model.name() + " before", tests.on(model));
        String title = requests.size() + " facts in " + matrix.id() + " of layer " + editor.layer() + ", ";
        if (q.how().equals("each")) {
            return new EditResult.Several(editor.layer(), matrix, before,
                    new EditScores(title + "each edited by itself", each(editor, requests, runner)), List.of());
        }
        boolean joint = q.how().equals("joint");
        ManyFacts many = ManyFacts.of(editor);
        LanguageModel edited = joint ? many.joint(requests, q.weight(), runner) : many.sequence(requests, runner);
        NamedArray rows = new NamedArray(matrix.id(), new long[] {model.width(matrix.value()), model.width(matrix.key())},
                matrix.rows(edited, editor.layer()));
        return new EditResult.Several(editor.layer(), matrix, before,
                new EditScores(title + (joint ? "edited together" : "edited one after another"), tests.on(edited)), List.of(rows));
    }

    /** A sweep of one layer and matrix. */
    private static List<CaseScores> each(RankOneEditor editor, EditRequests requests, Runner runner) {
        EditsStudy.Asked asked = editor.asked(requests.all(), runner);
        EditSweepStudy.Settings settings = new EditSweepStudy.Settings(editor.settings(), asked.settings().contexts());
        Map<String, SecondMoment> moment = Map.of(editor.matrix().key().name(editor.layer()), asked.moment());
        return runner.run(new EditSweepStudy(), editor.model(), new EditSweepStudy.Asked(settings, List.of(editor.layer()),
                List.of(editor.matrix()), moment, requests.all())).cases(editor.matrix(), editor.layer());
    }

    /** The change goes first: a large model may not find room. */
    @Override
    public void finish(LanguageModel model, EditQuestion q, EditResult found) {
        if (q.change() != null) {
            RankOneEdit edit = found.one().edited().edit();
            (q.keepsFormats() ? edit.changeAsStored(model) : edit.change(model)).write(Path.of(q.change()));
        }
        if (q.save() != null) {
            LanguageModel edited = found.one() != null ? found.one().edited().edit().applyTo(model)
                    : found.several().matrix().with(model, found.several().layer(), found.several().rows().get(0).values());
            if (q.keepsFormats()) {
                edited.saveAsStored(Path.of(q.save()));
            } else {
                edited.save(Path.of(q.save()));
            }
        }
    }

    @Override
    public List<Path> leaves(EditQuestion q) {
        List<Path> all = new ArrayList<>(RomeExperiment.saved(q.save()));
        if (q.change() != null) {
            all.add(Path.of(q.change()));
        }
        return all;
    }
}
