package lab.recall.trace;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import lab.recall.base.BadRequest;
import lab.recall.base.Unsolvable;
import lab.recall.facts.Fact;
import lab.recall.facts.FactPair;
import lab.recall.facts.FactPairs;
import lab.recall.model.HookPoint;
import lab.recall.stats.Estimate;
import lab.recall.stats.RankCorrelation;
import lab.recall.stats.RelativeDepth;
import lab.recall.stats.Samples;
import lab.recall.study.ModelCard;
import lab.recall.view.Charts;
import lab.recall.view.HeatMap;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/**
 * Indirect effects averaged over pairs of facts, by position and layer, with 95 % intervals over relations; shows itself as a
 * picture.
 *
 * <pre>{@code
 * var o = CausalTrace.of(mamba).component(OUT).over(pairs);
 * var s = CausalTrace.of(mamba).component(Y).over(pairs);
 * o.at(Position.SUBJECT_LAST, 4)                             // mean, interval, number of pairs
 * o.most(Position.SUBJECT_LAST)                              // where it is largest, chosen on other pairs than those that are scored
 * o.minus(s).heatmap().centred()                             // pair by pair, over the same pairs
 * o.mostMinus(ofAnotherModel, Position.SUBJECT_LAST)         // pair by pair of the same facts
 * o.byRelation(), o.bySubjectTokens(), o.only("cities", p -> p.clean().relation().equals("city_in_country"))
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
    private final transient List<Samples> positions;

    /**
     * @param what    in words, for titles
     * @param how     made and averaged: only traces of one kind may be subtracted
     * @param samples what each pair gives, [position][layer][pair]
     * @param effects effects of each pair's tokens and whole subject, [pair][layer][cell]; of none where tokens were put back together
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
        List<String> relations = relations();
        this.positions = Arrays.stream(samples).map(position -> new Samples(position, relations)).toList();
        if (samples[0].length == 0) {
            throw new Unsolvable(model.name(), "no pair's two runs differ by " + Averaging.LEAST_SPAN + " or more in probability");
        }
    }

    /** The relation of each pair that has a place among the samples: pairs of one relation are alike. */
    private List<String> relations() {
        int[] counted = samples[0].length == 0 || countsEveryPair() ? IntStream.range(0, pairs.size()).toArray()
                : Averaging.latest(pairs.pairs());
        return IntStream.of(counted).mapToObj(i -> pairs.get(i).clean().relation()).toList();
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
        return samples(position).at(layer);
    }

    /** Means at a position by layer. */
    public double[] means(Position position) {
        return samples(position).means();
    }

    /** What each pair gives at a position, by layer. */
    public Samples samples(Position position) {
        return positions.get(position.ordinal());
    }

    /** The largest mean effect at a position: each pair is read at the layer that is best for other pairs. */
    public Estimate most(Position position) {
        return samples(position).highest();
    }

    /** The effect at a position at the layer at which another has its most, chosen in the same way. */
    public Estimate where(Position most, Position read) {
        return samples(most).where(samples(read));
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

    /** Whether it has effects token by token: it is no difference, and no tokens were put back together. */
    boolean isByToken() {
        return effects.length > 0;
    }

    /** Whether each pair has a place of its own among the samples, be it empty. */
    boolean countsEveryPair() {
        return samples[0][0].length == pairs.size();
    }

    /**
     * By how much a position carries more at its most than in another model, pair by pair of the same facts; layers are chosen on other
     * pairs, in each model by itself.
     *
     * @throws BadRequest of other pairs of facts
     */
    public Estimate mostMinus(AverageTrace other, Position position) {
        if (!bothFacts().equals(other.bothFacts())) {
            throw new BadRequest("", "a paired difference of two models needs traces over the same facts, as FactPairs.shared gives");
        }
        return samples(position).highestMinus(other.samples(position));
    }

    private List<List<Fact>> bothFacts() {
        return pairs.pairs().stream().map(p -> List.of(p.clean(), p.corrupt())).toList();
    }

    /**
     * The facts that were traced, one a pair.
     *
     * @throws BadRequest where not every pair counts, as published averages have it
     */
    public List<Fact> facts() {
        requireEveryPair();
        return pairs.pairs().stream().map(FactPair::clean).toList();
    }

    /**
     * The number of the pair whose effects are nearest to the means, at the subject's last token, the prompt's and the whole subject.
     *
     * @throws BadRequest of averages as published
     */
    public int typical() {
        return IntStream.range(0, pairs.size()).filter(this::counts).boxed()
                .min(Comparator.comparingDouble(this::fromMeans)).orElseThrow();
    }

    /** That of the pair whose effects are farthest from the means. */
    public int untypical() {
        return IntStream.range(0, pairs.size()).filter(this::counts).boxed()
                .max(Comparator.comparingDouble(this::fromMeans)).orElseThrow();
    }

    private boolean counts(int pair) {
        requireEveryPair();
        return !Double.isNaN(samples[Position.SUBJECT.ordinal()][0][pair]);
    }

    private double fromMeans(int pair) {
        return Stream.of(Position.SUBJECT_LAST, Position.LAST, Position.SUBJECT).mapToDouble(p -> {
            double[] means = means(p);
            return IntStream.range(0, means.length).mapToDouble(l -> samples[p.ordinal()][l][pair] - means[l]).map(d -> d * d)
                    .filter(d -> !Double.isNaN(d)).sum();
        }).sum();
    }

    /** In a sentence, where the means of two averages of one model differ most. */
    public String largestDifference(AverageTrace other) {
        Position at = Position.LAST;
        int layer = 0;
        double most = -1;
        for (Position p : rows()) {
            double[] here = means(p);
            double[] there = other.means(p);
            for (int l = 0; l < model.layers(); l++) {
                double apart = Math.abs(here[l] - there[l]);
                if (apart > most) {
                    most = apart;
                    at = p;
                    layer = l;
                }
            }
        }
        return String.format(Locale.ROOT, "%s and %s differ most at the %s after layer %d: %.3f and %.3f", title(), other.title(),
                at.label(), layer, means(at)[layer], other.means(at)[layer]);
    }

    /** How much more one position carries than another after a layer, pair by pair. */
    public Estimate difference(Position more, Position less, int layer) {
        return samples(more).minus(samples(less)).at(layer);
    }

    /** The first layer after which the prompt's last token carries more than the whole subject: the fact has been handed over. */
    public OptionalInt handOverLayer() {
        return RelativeDepth.overtakes(means(Position.LAST), means(Position.SUBJECT));
    }

    private void requireEveryPair() {
        if (!countsEveryPair()) {
            throw new BadRequest("averaging", "as published, expected corrected: of two facts about one subject only one counts");
        }
    }

    /**
     * The same over some of the pairs.
     *
     * @param which in words, for titles
     * @throws BadRequest of averages as published, which do not count every pair
     */
    public AverageTrace only(String which, Predicate<FactPair> counts) {
        requireEveryPair();
        int[] kept = IntStream.range(0, pairs.size()).filter(i -> counts.test(pairs.get(i))).toArray();
        double[][][] some = Arrays.stream(samples).map(position -> Arrays.stream(position)
                .map(v -> IntStream.of(kept).mapToDouble(i -> v[i]).toArray()).toArray(double[][]::new)).toArray(double[][][]::new);
        double[][][] each = !isByToken() ? effects : IntStream.of(kept).mapToObj(i -> effects[i]).toArray(double[][][]::new);
        return new AverageTrace(model, point, what + ", " + which, how,
                new FactPairs(IntStream.of(kept).mapToObj(pairs::get).toList(), 0), some, each);
    }

    /**
     * By how many tokens the subject has.
     *
     * @throws BadRequest of averages as published
     */
    public Strata bySubjectTokens() {
        return strata("tokens of the subject", n -> "subjects of " + n + (n == 1 ? " token" : " tokens"),
                pairs.pairs().stream().map(AverageTrace::subjectTokens).sorted(), AverageTrace::subjectTokens);
    }

    /**
     * By the relation of the facts.
     *
     * @throws BadRequest of averages as published
     */
    public Strata byRelation() {
        return strata("relation", r -> r, pairs.pairs().stream().map(p -> p.clean().relation()), p -> p.clean().relation());
    }

    private <K> Strata strata(String kind, Function<K, String> words, Stream<K> keys, Function<FactPair, K> of) {
        Map<String, AverageTrace> all = new LinkedHashMap<>();
        keys.distinct().forEach(k -> {
            AverageTrace some = only(words.apply(k), p -> of.apply(p).equals(k));
            if (some.pairs() > 0) {
                all.put(k.toString(), some);
            }
        });
        return new Strata(title(), kind, all);
    }

    private static Integer subjectTokens(FactPair pair) {
        return pair.cleanPrompt().subjectTokens().length;
    }

    /** Spearman's rank correlation of two traces over the tokens and layers of each pair, averaged over pairs. */
    public Estimate rankCorrelation(AverageTrace other) {
        if (!other.pairs.equals(pairs) || !isByToken() || effects.length != other.effects.length) {
            throw new BadRequest("", "a correlation needs traces of single tokens over the same pairs");
        }
        double[] each = new double[effects.length];
        for (int i = 0; i < each.length; i++) {
            each[i] = effects[i].length == 0 || other.effects[i].length == 0
                    ? Double.NaN : RankCorrelation.of(flat(effects[i]), flat(other.effects[i]));
        }
        return Estimate.clustered(each, pairs.pairs().stream().map(p -> p.clean().relation()).toList(), SEED);
    }

    private static double[] flat(double[][] grid) {
        return Arrays.stream(grid).flatMapToDouble(Arrays::stream).toArray();
    }

    /** Positions that some pair has. */
    private List<Position> rows() {
        return Arrays.stream(Position.values()).filter(p -> at(p, 0).n() > 0).toList();
    }

    /** Mean effect by position (row, with how many pairs have it) and layer; the whole subject, which is no token, stands apart. */
    public HeatMap heatmap() {
        List<Position> rows = rows();
        double[][] means = rows.stream().map(this::means).toArray(double[][]::new);
        return HeatMap.of(title(), means).rows(rows.stream().map(p -> p.label() + " (" + at(p, 0).n() + ")").toList())
                .rowAxis("position (pairs)").columns("layer").apart(rows.contains(Position.SUBJECT) && rows.size() > 1 ? 1 : 0).range(0, 1)
                .measure("mean indirect effect").colours(point.colours()).hover((row, layer) -> {
                    Estimate there = at(rows.get(row), layer);
                    return there + ", pairs: " + there.n();
                });
    }

    /**
     * Token by token from the subject's last one on.
     *
     * @throws BadRequest of a difference of traces, or one of tokens together
     */
    public AfterSubject afterSubject() {
        return new AfterSubject(title(), point.colours(), pairs, effects, model.layers());
    }

    /** Mean effect and interval for each position and layer, to be read; {@link #table} has the numbers. */
    public Table byPosition() {
        return Tables.byLayer(title() + ": mean indirect effect with its 95 % interval", List.of("position", "pairs"), model.layers(),
                rows(), p -> List.of(p.label(), at(p, 0).n()), this::at);
    }

    /** For each position the layer after which it carries most. */
    public Table strongest() {
        List<List<Object>> rows = new ArrayList<>();
        for (Position p : Position.values()) {
            boolean any = at(p, 0).n() > 0;
            rows.add(List.of(p.label(), at(p, 0).n(), any ? String.valueOf(peak(p)) : "–", most(p).toString()));
        }
        return Tables.of(title() + ": where each position carries most",
                List.of("position", "pairs", "layer", "mean indirect effect there and its 95 % interval (layer chosen on other pairs)"),
                rows);
    }

    /**
     * One row for each position and layer: mean, interval, number of pairs. For programs: {@code place} is the position's name in what a
     * sweep measures.
     */
    public Table table() {
        List<List<Object>> rows = new ArrayList<>();
        for (Position p : Position.values()) {
            for (int l = 0; l < model.layers(); l++) {
                Estimate e = at(p, l);
                rows.add(List.of(p.label(), p.id(), l, e.mean(), e.low(), e.high(), e.n()));
            }
        }
        return Tables.of(title(), List.of("position", "place", "layer", "mean", "low", "high", "pairs"), rows);
    }

    /** The subject's last token, the whole subject and the prompt's last token by layer, with intervals: where the model hands over. */
    public XYChart handOver() {
        return handOver("layer", Charts::byLayer);
    }

    /** The same over relative depth, so that curves of other models can stand beside it. */
    public XYChart handOverByDepth() {
        return handOver("(layer + 1) / layers", Charts::byDepth);
    }

    private XYChart handOver(String over, Charts.Adding line) {
        XYChart chart = Charts.lines(title(), over, "indirect effect");
        for (Position p : new Position[] {Position.SUBJECT_LAST, Position.LAST, Position.SUBJECT}) {
            line.add(chart, p.label(), means(p), samples(p).lows(), samples(p).highs());
        }
        return Charts.range(chart, 0, 1);
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
