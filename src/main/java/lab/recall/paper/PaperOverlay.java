package lab.recall.paper;

import java.util.ArrayList;
import java.util.List;
import lab.recall.edit.EditCurves;
import lab.recall.edit.EditScores.Measure;
import lab.recall.edit.EditSweepResult;
import lab.recall.study.NamedView;
import lab.recall.study.Overlay;
import lab.recall.study.Result;

/**
 * What the paper published, in the files of results: its curves beside those of an edit sweep, over relative depth, and its criteria where
 * all layers and matrices were edited. Results on models of other families stay as they are.
 */
public final class PaperOverlay implements Overlay {
    @Override
    public List<NamedView> over(Result result) {
        return result instanceof EditSweepResult sweep && PaperModel.of(sweep.curves().model()).isPresent()
                ? edits(sweep.curves()) : List.of();
    }

    private static List<NamedView> edits(EditCurves curves) {
        List<NamedView> views = new ArrayList<>(List.of(new NamedView(PaperEdits.SCORE, PaperEdits.beside(curves))));
        for (Measure m : Measure.values()) {
            views.add(new NamedView(m.label(), PaperEdits.beside(curves, m)));
        }
        if (EditCriteria.isComplete(curves)) {
            views.add(new NamedView("criteria", EditCriteria.of(curves).table()));
        }
        return views;
    }
}
