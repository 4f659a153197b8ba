package lab.recall.trace;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import lab.recall.base.BadRequest;
import lab.recall.base.Unsolvable;
import lab.recall.facts.FactPairs;
import lab.recall.model.HookPoint;
import lab.recall.stats.Estimate;
import lab.recall.stats.RankCorrelation;
import lab.recall.stats.RelativeDepth;
import lab.recall.study.ModelCard;
import lab.recall.view.Charts;
import lab.recall.view.HeatMap;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/**
 * Indirect effects averaged over pairs of facts, by position and layer, with 95 % bootstrap intervals; shows itself as a picture.
 *
 * <pre>{@code
 * var o = CausalTrace.of(mamba).component(OUT).over(pairs);
 * var s = CausalTrace.of(mamba).component(Y).over(pairs);
 * o.at(Position.SUBJECT_LAST, 4)                             // mean, interval, number of pairs
 * o.minus(s).heatmap()                                       // pair by pair, over the same pairs
 * }</pre>
 *
 * How pairs are averaged is told by {@link Averaging}.
 */
public final class AverageTrace implements Showable {
    private static final long SEED = 1;

    private final ModelCard model;
    private final HookPoint point;
    private final String what;
    private final String how;
    private final FactPairs pairs;
    private final double[][][] samples;
    private final double[][][] effects;
    private final transient Estimate[][] estimates;

    /**
     * @param what    in words, for titles
     * @param how     made and averaged: only traces of one kind may be subtracted
     * @param samples what each pair gives, [position][layer][pair]
     * @param effects effects of each pair's cells, [pair][layer][cell]
     */
    @JsonCreator
    AverageTrace(@JsonProperty("model") ModelCard model, @JsonProperty("point") HookPoint point, @JsonProperty("what") String what,
            @JsonProperty("how") String how, @JsonProperty("pairs") FactPairs pairs, @JsonProperty("samples") double[][][] samples,
            @JsonProperty("effects") double[][][] effects) {
        this.model = model;
        this.point = point;
        this.what = what;
        this.how = how;
        this.pairs = pairs;
        this.samples = samples;
        this.effects = effects;
        this.estimates = Arrays.stream(samples)
                .map(position -> Arrays.stream(position).map(v -> Estimate.mean(v, SEED)).toArray(Estimate[]::new))
                .toArray(Estimate[][]::new);
        if (samples[0].length == 0) {
            throw new Unsolvable(model.name(), "no pair's two runs differ by " + Averaging.LEAST_SPAN + " or more in probability");
        }
    }

    /** What was put back. */
    public HookPoint point() {
        return point;
    }

    /** The model that was traced. */
    public ModelCard model() {
        return model;
    }

    /** Number of pairs that count. */
    public int pairs() {
        return Arrays.stream(Position.values()).mapToInt(p -> at(p, 0).n()).max().orElseThrow();
    }

    /** Mean indirect effect at a position after a layer, with its interval. */
    public Estimate at(Position position, int layer) {
        return estimates[position.ordinal()][layer];
    }

    /** Means at a position by layer. */
    public double[] means(Position position) {
        return Arrays.stream(estimates[position.ordinal()]).mapToDouble(Estimate::mean).toArray();
    }

    /** The layer at which a position's mean effect is largest. */
    public int peak(Position position) {
        return RelativeDepth.peak(means(position));
    }

    /** The difference of this trace and the sum of others, pair by pair; all must be of the same pairs. */
    public AverageTrace minus(AverageTrace... others) {
        double[][][] rest = new double[samples.length][][];
        for (int p = 0; p < rest.length; p++) {
            rest[p] = Arrays.stream(samples[p]).map(double[]::clone).toArray(double[][]::new);
        }
        StringBuilder name = new StringBuilder(what);
        for (AverageTrace other : others) {
            if (!other.model.equals(model) || !other.pairs.equals(pairs)
                    || other.samples[0][0].length != samples[0][0].length || !other.how.equals(how)) {
                throw new IllegalArgumentException(
                        "a difference needs traces of one model over the same pairs, made and averaged the same way");
            }
            name.append(" − ").append(other.what);
            for (int p = 0; p < rest.length; p++) {
                for (int l = 0; l < rest[p].length; l++) {
                    for (int i = 0; i < rest[p][l].length; i++) {
                        rest[p][l][i] -= other.samples[p][l][i];
                    }
                }
            }
        }
        return new AverageTrace(model, point, name.toString(), how, pairs, rest, new double[0][][]);
    }

    /** Spearman's rank correlation of two traces over the tokens and layers of each pair, averaged over pairs. */
    public Estimate rankCorrelation(AverageTrace other) {
        if (!other.pairs.equals(pairs) || effects.length != other.effects.length) {
            throw new BadRequest("", "a correlation needs traces over the same pairs");
        }
        double[] each = new double[effects.length];
        for (int i = 0; i < each.length; i++) {
            each[i] = effects[i].length == 0 || other.effects[i].length == 0
                    ? Double.NaN : RankCorrelation.of(flat(effects[i]), flat(other.effects[i]));
        }
        return Estimate.mean(each, SEED);
    }

    private static double[] flat(double[][] grid) {
        return Arrays.stream(grid).flatMapToDouble(Arrays::stream).toArray();
    }

    /** Mean effect by position (row) and layer. */
    public HeatMap heatmap() {
        double[][] means = Arrays.stream(Position.values()).map(this::means).toArray(double[][]::new);
        return HeatMap.of(title(), means).rows(Arrays.stream(Position.values()).map(Position::label).toList()).columns("layer").range(0, 1)
                .colours(point.colours());
    }

    /**
     * Token by token from the subject's last one on.
     *
     * @throws lab.recall.base.BadRequest for a difference of traces
     */
    public AfterSubject afterSubject() {
        return new AfterSubject(title(), point.colours(), pairs, effects, model.layers());
    }

    /** Mean effect and interval for each position and layer. */
    public Table byPosition() {
        return Tables.byLayer(title() + ": mean indirect effect with its 95 % interval", List.of("position", "pairs"), model.layers(),
                List.of(Position.values()), p -> List.of(p.label(), at(p, 0).n()), this::at);
    }

    /** One row for each position and layer: mean, interval, number of pairs. For programs. */
    public Table table() {
        List<List<Object>> rows = new ArrayList<>();
        for (Position p : Position.values()) {
            for (int l = 0; l < model.layers(); l++) {
                Estimate e = at(p, l);
                rows.add(List.of(p.name().toLowerCase(Locale.ROOT), l, e.mean(), e.low(), e.high(), e.n()));
            }
        }
        return Tables.of(title(), List.of("position", "layer", "mean", "low", "high", "pairs"), rows);
    }

    /** The subject's last token, the whole subject and the prompt's last token by layer, with intervals: where the model hands over. */
    public XYChart handOver() {
        XYChart chart = Charts.lines(title(), "layer", "indirect effect");
        chart.getStyler().setYAxisMin(0.0).setYAxisMax(1.0);
        for (Position p : new Position[] {Position.SUBJECT_LAST, Position.LAST, Position.SUBJECT}) {
            Estimate[] e = estimates[p.ordinal()];
            Charts.byLayer(chart, p.label(), means(p), Arrays.stream(e).mapToDouble(Estimate::low).toArray(),
                    Arrays.stream(e).mapToDouble(Estimate::high).toArray());
        }
        return chart;
    }

    private String title() {
        return model.name() + ", " + what + ", " + pairs() + " pairs";
    }

    @Override
    public Object view() {
        return heatmap();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof AverageTrace t && model.equals(t.model) && point.equals(t.point) && what.equals(t.what) && how.equals(t.how)
                && pairs.equals(t.pairs) && Arrays.deepEquals(samples, t.samples) && Arrays.deepEquals(effects, t.effects);
    }

    @Override
    public int hashCode() {
        return Objects.hash(model, point, what, how, pairs, Arrays.deepHashCode(samples));
    }
}
