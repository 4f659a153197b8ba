package lab.recall.edit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import lab.recall.base.Interruption;
import lab.recall.facts.EditRequest;
import lab.recall.model.LanguageModel;
import lab.recall.study.Cost;
import lab.recall.study.Runner;
import lab.recall.study.Study;

/**
 * Some edits of a chain, each of the model that the one before has left: one piece. The model that is asked is the one that the earlier
 * pieces have left, so that a piece depends on it and the requests alone; one piece's edits make the next one's model.
 */
final class ChainStudy extends Study<ChainStudy.Asked, EditsStudy.Piece, RankOneEdit[], List<RankOneEdit>> {
    /**
     * Requests of one piece.
     *
     * @param before how many were edited before
     * @param all    how many the whole chain has
     */
    record Asked(EditsStudy.Asked editing, int before, int all) {
    }

    /** All edits of a chain. */
    static List<RankOneEdit> run(LanguageModel model, EditsStudy.Asked asked, Runner runner) {
        List<RankOneEdit> all = new ArrayList<>();
        LanguageModel now = model;
        for (List<EditRequest> some : Study.parts(asked.requests())) {
            List<RankOneEdit> edits = runner.run(new ChainStudy(), now,
                    new Asked(new EditsStudy.Asked(asked.settings(), asked.moment(), some), all.size(), asked.requests().size()));
            now = RankOneEdit.apply(now, edits);
            all.addAll(edits);
        }
        return all;
    }

    ChainStudy() {
        super("edit_chain", "edits", RankOneEdit[].class);
    }

    @Override
    public Object settings(Asked asked) {
        return asked.editing.settings();
    }

    @Override
    public String title(LanguageModel model, Asked asked) {
        int to = asked.before + asked.editing.requests().size();
        return "editing one after another"
                + (to - asked.before < asked.all ? ", " + (asked.before + 1) + " to " + to + " of " + asked.all : "");
    }

    @Override
    public long size(LanguageModel model, Asked asked, EditsStudy.Piece piece) {
        return piece.requests().size();
    }

    @Override
    public List<EditsStudy.Piece> plan(LanguageModel model, Asked asked, Runner runner) {
        return List.of(new EditsStudy.Piece(asked.editing.requests()));
    }

    @Override
    public RankOneEdit[] compute(LanguageModel model, Asked asked, EditsStudy.Piece piece, LongConsumer done) {
        List<RankOneEdit> edits = new ArrayList<>();
        LanguageModel now = model;
        for (EditRequest r : piece.requests()) {
            Interruption.check();
            RankOneEdit edit = EditsStudy.edited(now, asked.editing, List.of(r), one -> { })[0].edit();
            now = edit.applyTo(now);
            edits.add(edit);
            done.accept(edits.size());
        }
        return edits.toArray(RankOneEdit[]::new);
    }

    @Override
    public Cost cost(LanguageModel model, Asked asked, EditsStudy.Piece piece) {
        EditsStudy.Settings s = asked.editing.settings();
        EditCost cost = new EditCost(model, s.layer(), s.matrix(), s.settings());
        Cost all = asked.before == 0 ? cost.factor() : Cost.of(model);
        for (EditCase c : EditsStudy.cases(model, s, piece.requests())) {
            all.and(cost.edits(List.of(c))).and(cost.runs(List.of(c)));
        }
        return all;
    }

    /** None of them. */
    @Override
    public List<RankOneEdit> supposed(LanguageModel model, Asked asked, List<EditsStudy.Piece> pieces, List<RankOneEdit[]> found) {
        return found.contains(null) ? List.of() : combine(model, asked, pieces, found);
    }

    @Override
    public List<String> suppositions() {
        return EditCost.SUPPOSITIONS;
    }

    /** One piece, of a model that the one before has made. */
    @Override
    public Optional<Asked> sent(Asked asked, EditsStudy.Piece piece) {
        return Optional.empty();
    }

    @Override
    public boolean fits(LanguageModel model, Asked asked, EditsStudy.Piece piece, RankOneEdit[] found) {
        return found.length == piece.requests().size()
                && Arrays.stream(found).allMatch(e -> EditsStudy.fits(model, asked.editing.settings(), e));
    }

    @Override
    public List<RankOneEdit> combine(LanguageModel model, Asked asked, List<EditsStudy.Piece> pieces, List<RankOneEdit[]> found) {
        return List.of(found.get(0));
    }
}
