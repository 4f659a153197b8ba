package lab.recall.edit;

import java.util.Arrays;
import java.util.Objects;
import java.util.stream.IntStream;
import lab.recall.view.Charts;
import lab.recall.view.Showable;
import org.knowm.xchart.XYChart;

/**
 * A value that makes a target likely: v = start + delta; shows itself as the curve of its losses.
 *
 * @param start  v0, the value at the subject's last token of the plain prompt
 * @param delta  what the search added
 * @param losses one for each forward run: [negative log-likelihood, KL divergence, weight decay], the last two times the settings' factors:
 *               they add up to what is minimised
 * @param steps  Adam steps
 */
public record FoundValue(double[] start, double[] delta, double[][] losses, int steps) implements Showable {
    /** v. */
    public double[] value() {
        return IntStream.range(0, start.length).mapToDouble(i -> start[i] + delta[i]).toArray();
    }

    /** The sum of the three parts at each run. */
    public double[] totals() {
        return IntStream.range(0, losses.length).mapToDouble(i -> losses[i][0] + losses[i][1] + losses[i][2]).toArray();
    }

    /** |v0|. */
    public double startNorm() {
        return ValueSearch.norm(start);
    }

    /** How long Adam's first step is, in |v0|: it moves each number by the learning rate. Before the bound of the change cuts it. */
    public double firstStep(EditSettings settings) {
        return settings.rate() * settings.unit(start) * Math.sqrt(start.length) / startNorm();
    }

    /** Share of the weight decay in the last loss: where it is large, the search can hardly stop at a small loss. */
    public double decayShare() {
        return losses[losses.length - 1][2] / totals()[losses.length - 1];
    }

    /** The losses by step. */
    public XYChart chart() {
        XYChart chart = Charts.lines("losses of the value", "Adam steps", "loss");
        double[] x = IntStream.range(0, losses.length).mapToDouble(i -> i).toArray();
        Charts.line(chart, "all", x, totals());
        String[] names = {"-log p(target)", "KL divergence x factor", "weight decay x factor"};
        for (int part = 0; part < names.length; part++) {
            int p = part;
            Charts.line(chart, names[part], x, IntStream.range(0, losses.length).mapToDouble(i -> losses[i][p]).toArray());
        }
        return chart;
    }

    @Override
    public Object view() {
        return chart();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FoundValue v && steps == v.steps && Arrays.equals(start, v.start) && Arrays.equals(delta, v.delta)
                && Arrays.deepEquals(losses, v.losses);
    }

    @Override
    public int hashCode() {
        return Objects.hash(steps, Arrays.hashCode(start), Arrays.hashCode(delta), Arrays.deepHashCode(losses));
    }
}
