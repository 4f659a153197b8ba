package lab.recall.edit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import lab.recall.base.BadData;
import lab.recall.base.BadRequest;
import lab.recall.base.Check;
import lab.recall.edit.EditSettings.KeyMode;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import lab.recall.model.TargetScore;
import lab.recall.study.Experiment;
import lab.recall.study.GivenPrompt;
import lab.recall.study.NamedArray;
import lab.recall.study.NamedView;
import lab.recall.study.Result;
import lab.recall.study.Runner;

/** One rank-one edit by token ids. */
public final class RomeExperiment extends Experiment<RomeRequest, RomeExperiment.Found> {
    /**
     * What is found.
     *
     * @param edited     the edit and its value
     * @param rows       of the matrix after the edit
     * @param pBefore    probability of the target
     * @param pAfter     the same after the edit
     * @param valueError |W k - v| / |v|
     */
    public record Found(RankOneEditor.Edited edited, NamedArray rows, double pBefore, double pAfter, double valueError) implements Result {
        @Override
        public Map<String, Object> scalars() {
            Map<String, Object> scalars = new LinkedHashMap<>();
            scalars.put("p_before", pBefore);
            scalars.put("p_after", pAfter);
            scalars.put("steps_run", edited.value().steps());
            scalars.put("key_dot_u", edited.edit().keyDotU());
            scalars.put("value_error", valueError);
            return scalars;
        }

        @Override
        public List<NamedArray> arrays() {
            return List.of(NamedArray.of("u", edited.edit().u()), NamedArray.of("delta", edited.value().delta()),
                    NamedArray.of("v", edited.edit().v()), rows, NamedArray.of("losses", edited.value().totals()),
                    NamedArray.of("loss_parts", edited.value().losses()));
        }

        @Override
        public List<NamedView> views() {
            return List.of(new NamedView("losses", edited.value().chart()));
        }
    }

    public RomeExperiment() {
        super("rome", "One rank-one edit of one matrix, by token ids.", RomeRequest.class, Found.class);
    }

    @Override
    public RomeRequest complete(LanguageModel model, RomeRequest q) {
        Check.whole("layer", q.layer(), 0, model.layers() - 1);
        EditableMatrix matrix = EditableMatrix.of(model, q.matrix());
        asked(model, q);
        SecondMoment.requireNamed(q.covariance(), model.width(matrix.key()));
        requireFolder(model, q.save());
        return q;
    }

    private static EditCase asked(LanguageModel model, RomeRequest q) {
        int[] prompt = q.prompt().ids(model, "prompt");
        int subjectLast = Check.whole("subject_last", q.subjectLast(), 0, prompt.length - 1);
        List<int[]> prefixes = IntStream.range(0, q.prefixes().size())
                .mapToObj(i -> Check.given("prefixes[" + i + "]", q.prefixes().get(i)).idsOrNone(model, "prefixes[" + i + "]")).toList();
        int[] target = GivenPrompt.ids(model, "target", q.target());
        int[] kl = q.klPrompt().ids(model, "kl_prompt");
        return EditCase.of(prompt, subjectLast, prefixes, target, kl, Check.whole("kl_pos", q.klPos(), 0, kl.length - 1));
    }

    private static EditSettings settings(RomeRequest q) {
        return q.hyperparameters().in(new EditSettings(1, 0, 0, 0, 0, 0, Double.POSITIVE_INFINITY, 0, keyMode(q.key())));
    }

    @Override
    public Found run(LanguageModel model, RomeRequest q, Runner runner) {
        EditableMatrix matrix = EditableMatrix.of(model, q.matrix());
        EditCase asked = asked(model, q);
        EditSettings settings = settings(q);
        SecondMoment c = SecondMoment.named(q.covariance(), model.width(matrix.key()));
        RankOneEditor.Edited done = RankOneEditor.of(model).at(q.layer(), matrix).with(settings).moment(c).cases(List.of(asked)).get(0);
        LanguageModel edited = done.edit().applyTo(model);
        NamedArray rows = new NamedArray("W_new", new long[] {done.edit().left().length, done.edit().u().length}, done.edit().rows(model));
        return new Found(done, rows, probability(model, asked), probability(edited, asked),
                RankOneEditor.error(edited, asked, done.edit(), settings));
    }

    private static double probability(LanguageModel model, EditCase c) {
        return TargetScore.of(model, List.of(c.sequence(0)), List.of(List.of(c.target())))[0][0].probability();
    }

    @Override
    public void finish(LanguageModel model, RomeRequest q, Found found) {
        if (q.save() != null) {
            found.edited.edit().applyTo(model).save(Path.of(q.save()));
        }
    }

    @Override
    public List<Path> leaves(RomeRequest q) {
        return saved(q.save());
    }

    /** The last file of a model that is saved in a folder, if there is one. */
    static List<Path> saved(String save) {
        return save == null ? List.of() : List.of(Path.of(save, "config.json"));
    }

    /** Refuses a file in the place of a folder for a model, and a folder that an edit of this one cannot be saved to. */
    static void requireFolder(LanguageModel model, String save) {
        if (save == null) {
            return;
        }
        if (Files.exists(Path.of(save)) && !Files.isDirectory(Path.of(save))) {
            throw new BadRequest("save", save + " is a file, expected a folder");
        }
        try {
            model.requireSavable(Path.of(save));
        } catch (BadData e) {
            throw BadRequest.at("save", e);
        }
    }

    /** The published key, unless a request says another. */
    static String key(String said) {
        return Check.word("key", Check.or(said, KeyMode.PUBLISHED.id()), List.of(KeyMode.PUBLISHED.id(), KeyMode.CONSISTENT.id()));
    }

    static KeyMode keyMode(String id) {
        return id.equals(KeyMode.CONSISTENT.id()) ? KeyMode.CONSISTENT : KeyMode.PUBLISHED;
    }
}
