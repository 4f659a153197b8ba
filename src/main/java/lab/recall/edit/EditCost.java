package lab.recall.edit;

import java.util.List;
import lab.recall.model.EditableMatrix;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.study.Cost;

/** What edits of one layer and matrix cost. */
record EditCost(LanguageModel model, int layer, EditableMatrix matrix, EditSettings settings) {
    /** What only the searches tell. */
    static final List<String> SUPPOSITIONS = List.of("each search for a value takes all of its steps");

    /** The unedited runs, from which searches fork. */
    Cost runs(List<EditCase> cases) {
        Cost cost = Cost.of(model);
        for (EditCase c : cases) {
            for (int i = 0; i < c.contexts().size(); i++) {
                cost.run(c.sequence(i).length, 1);
            }
            cost.run(c.klPrompt().length, 1);
        }
        return cost;
    }

    /** All steps of the searches, the last one without a way back, and the updates. */
    Cost edits(List<EditCase> cases) {
        HookPoint at = matrix.value().addedAt();
        int entry = at.equals(HookPoint.RESID_POST) ? layer + 1 : layer;
        double size = model.width(matrix.key());
        Cost all = Cost.of(model);
        for (EditCase c : cases) {
            Cost forward = Cost.of(model);
            Cost back = Cost.of(model);
            for (int i = 0; i < c.contexts().size(); i++) {
                int tokens = c.sequence(i).length;
                forward.step(c.lookups()[i], tokens, entry, c.target().length);
                back.stepBack(c.lookups()[i], tokens, entry, c.target().length);
            }
            int kl = c.klPrompt().length;
            forward.step(kl - 1, kl, entry, 1);
            back.stepBack(kl - 1, kl, entry, 1);
            all.times(settings.steps(), forward).times(settings.steps() - 1, back).more(SecondMoment.FACTORS, 2 * size * size);
        }
        return all;
    }

    /** C taken apart. */
    Cost factor() {
        return Cost.of(model).more(SecondMoment.FACTORS, SecondMoment.workOfFactor(model.width(matrix.key())));
    }
}
