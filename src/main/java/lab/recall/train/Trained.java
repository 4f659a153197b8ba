package lab.recall.train;

import lab.recall.model.LanguageModel;
import lab.recall.view.Showable;

/**
 * A trained model; shows itself as its learning curve.
 *
 * @param model  opened from its folder
 * @param recall of all pairs
 * @param log    how it came about
 */
public record Trained(LanguageModel model, Recall recall, TrainLog log) implements Showable {
    @Override
    public Object view() {
        return log.chart();
    }
}
