package lab.recall.edit;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import lab.recall.facts.EditRequest;
import lab.recall.model.EditableMatrix;
import lab.recall.model.LanguageModel;
import lab.recall.study.Cost;
import lab.recall.study.Runner;
import lab.recall.study.Study;
import lab.recall.text.Template;

/** Edits of many facts in one layer and matrix, each of the unedited model. */
final class EditsStudy extends Study<EditsStudy.Asked, EditsStudy.Piece, RankOneEditor.Edited[], List<RankOneEditor.Edited>> {
    /**
     * How a fact is edited.
     *
     * @param moment digest of the second moment
     */
    record Settings(int layer, EditableMatrix matrix, EditSettings settings, List<Template> contexts, String moment) {
    }

    /** Settings, the second moment that they name, and requests. */
    record Asked(Settings settings, SecondMoment moment, List<EditRequest> requests) {
    }

    /** Some of the requests. */
    record Piece(List<EditRequest> requests) {
    }

    EditsStudy() {
        super("edits", "edits", RankOneEditor.Edited[].class);
    }

    @Override
    public Object settings(Asked asked) {
        return asked.settings;
    }

    @Override
    public String title(LanguageModel model, Asked asked) {
        return "editing " + asked.settings.matrix.id() + " of layer " + asked.settings.layer;
    }

    @Override
    public long size(LanguageModel model, Asked asked, Piece piece) {
        return piece.requests.size();
    }

    @Override
    public List<Piece> plan(LanguageModel model, Asked asked, Runner runner) {
        return Study.parts(asked.requests).stream().map(Piece::new).toList();
    }

    @Override
    public RankOneEditor.Edited[] compute(LanguageModel model, Asked asked, Piece piece, LongConsumer done) {
        return edited(model, asked, piece.requests, done);
    }

    static List<EditCase> cases(LanguageModel model, Settings s, List<EditRequest> requests) {
        return requests.stream().map(r -> EditCase.of(model, r, s.contexts)).toList();
    }

    static RankOneEditor.Edited[] edited(LanguageModel model, Asked asked, List<EditRequest> requests, LongConsumer done) {
        Settings s = asked.settings;
        List<EditCase> cases = cases(model, s, requests);
        return RankOneEditor.cases(model, s.layer, s.matrix, cases, s.settings, asked.moment, done).toArray(RankOneEditor.Edited[]::new);
    }

    /** The first piece takes the second moment apart. */
    @Override
    public Cost cost(LanguageModel model, Asked asked, Piece piece) {
        EditCost cost = new EditCost(model, asked.settings.layer, asked.settings.matrix, asked.settings.settings);
        List<EditCase> cases = cases(model, asked.settings, piece.requests);
        Cost all = cost.edits(cases).and(cost.runs(cases));
        return piece.requests.get(0).equals(asked.requests.get(0)) ? all.and(cost.factor()) : all;
    }

    /** None of them. */
    @Override
    public List<RankOneEditor.Edited> supposed(LanguageModel model, Asked asked, List<Piece> pieces, List<RankOneEditor.Edited[]> found) {
        return found.contains(null) ? List.of() : combine(model, asked, pieces, found);
    }

    @Override
    public List<String> suppositions() {
        return EditCost.SUPPOSITIONS;
    }

    @Override
    public Optional<Asked> sent(Asked asked, Piece piece) {
        return Optional.of(new Asked(asked.settings, asked.moment, List.of()));
    }

    @Override
    public boolean fits(LanguageModel model, Asked asked, Piece piece, RankOneEditor.Edited[] found) {
        return found.length == piece.requests.size()
                && Arrays.stream(found).allMatch(e -> e != null && e.value() != null && e.value().losses() != null
                        && fits(model, asked.settings, e.edit()));
    }

    static boolean fits(LanguageModel model, Settings s, RankOneEdit e) {
        return e != null && e.layer() == s.layer && e.matrix().equals(s.matrix) && e.u() != null
                && e.u().length == model.width(s.matrix.key())
                && e.left() != null && e.left().length == model.width(s.matrix.value()) && e.key() != null && e.v() != null;
    }

    @Override
    public List<RankOneEditor.Edited> combine(LanguageModel model, Asked asked, List<Piece> pieces, List<RankOneEditor.Edited[]> found) {
        return found.stream().flatMap(Arrays::stream).toList();
    }
}
