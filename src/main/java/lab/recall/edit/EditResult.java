package lab.recall.edit;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import lab.recall.model.EditableMatrix;
import lab.recall.study.ModelCard;
import lab.recall.study.NamedArray;
import lab.recall.study.NamedView;
import lab.recall.study.Result;

/**
 * What {@link EditQuestion} finds: of one fact, or of several.
 *
 * @param model   that was edited
 * @param one     null where several facts were edited
 * @param several null where one fact was edited
 * @param rounding |rounded - edited| / |edited - before| of the matrix that was written in a smaller format; null where none was
 */
public record EditResult(ModelCard model, One one, Several several, Double rounding) implements Result {
    /**
     * Of one fact.
     *
     * @param valueError |W k - v| / |v|
     */
    record One(RankOneEditor.Edited edited, double valueError, BeforeAfter.Next next, BeforeAfter.Tests tests,
            BeforeAfter.Continuation continuation) {
    }

    /**
     * Of several facts.
     *
     * @param rows of the edited matrix, [width of the value, width of the key]; none where each fact was edited by itself
     */
    record Several(int layer, EditableMatrix matrix, EditScores before, EditScores after, List<NamedArray> rows) {
    }

    @Override
    public Map<String, Object> scalars() {
        Map<String, Object> scalars = new LinkedHashMap<>();
        if (one != null) {
            double[] losses = one.edited.value().totals();
            scalars.put("layer", one.edited.edit().layer());
            scalars.put("matrix", one.edited.edit().matrix().id());
            scalars.put("steps_run", one.edited.value().steps());
            scalars.put("last_loss", losses[losses.length - 1]);
            scalars.put("key_dot_u", one.edited.edit().keyDotU());
            scalars.put("value_error", one.valueError);
        } else {
            scalars.put("requests", several.after.cases());
            scalars.put("layer", several.layer);
            scalars.put("matrix", several.matrix.id());
            for (EditScores.Measure m : EditScores.Measure.values()) {
                scalars.put(m.label(), several.after.success(m).mean());
            }
            scalars.put("score", several.after.score().mean());
        }
        if (rounding != null) {
            scalars.put("rounding_of_saved_matrix", rounding);
        }
        return scalars;
    }

    /** Of one fact: u, left and v. */
    @Override
    public List<NamedArray> arrays() {
        if (one == null) {
            return List.of();
        }
        RankOneEdit edit = one.edited.edit();
        return List.of(NamedArray.of("u", edit.u()), NamedArray.of("left", edit.left()), NamedArray.of("v", edit.v()));
    }

    @Override
    public List<NamedView> views() {
        if (one != null) {
            return List.of(new NamedView("next", one.next.table()), new NamedView("tests", one.tests.table()),
                    new NamedView("continuation", one.continuation.table()), new NamedView("losses", one.edited.value().chart()));
        }
        return List.of(new NamedView("before", several.before.table()), new NamedView("after", several.after.table()));
    }
}
