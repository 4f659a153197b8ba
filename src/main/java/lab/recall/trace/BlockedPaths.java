package lab.recall.trace;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.base.Said;
import lab.recall.model.HookPoint;
import lab.recall.stats.Estimate;
import lab.recall.stats.Samples;
import lab.recall.study.Measured;
import lab.recall.study.ModelCard;
import lab.recall.view.Charts;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/** Recovery by layer with and without a component blocked, at the subject and at the prompt's last token; shows itself as a table. */
public final class BlockedPaths implements Showable {
    /** Stands for no component among those that were blocked. */
    public static final String NOTHING = "none";

    private final ModelCard model;
    /** By blocked component, {@link #NOTHING} for none, and token: [layer][pair]. */
    private final Map<String, Map<Position, double[][]>> samples;
    private final List<String> relations;
    private final transient Map<String, Map<Position, Samples>> recoveries = new HashMap<>();

    /** @param relations of each pair: pairs of one are alike */
    @JsonCreator
    BlockedPaths(@JsonProperty("model") ModelCard model, @JsonProperty("samples") Map<String, Map<Position, double[][]>> samples,
            @JsonProperty("relations") List<String> relations) {
        this.model = model;
        this.samples = samples;
        this.relations = List.copyOf(relations);
        samples.forEach((blocked, tokens) -> {
            Map<Position, Samples> each = new EnumMap<>(Position.class);
            tokens.forEach((token, layers) -> each.put(token, new Samples(layers, this.relations)));
            recoveries.put(blocked, each);
        });
    }

    /** The model. */
    public ModelCard model() {
        return model;
    }

    /** Where the stream was restored in turn: the subject's last token or the whole subject, and the prompt's last token. */
    public List<Position> tokens() {
        return List.copyOf(samples.get(NOTHING).keySet());
    }

    /** What was blocked in turn. */
    public List<HookPoint> components() {
        return samples.keySet().stream().filter(b -> !b.equals(NOTHING)).map(HookPoint::of).toList();
    }

    /** Number of pairs that count. */
    public int pairs() {
        return recovery(Position.LAST, 0).n();
    }

    /** Mean recovery with nothing blocked. */
    public Estimate recovery(Position token, int layer) {
        return samples(NOTHING, token).at(layer);
    }

    /** Mean recovery with a component blocked. */
    public Estimate recovery(HookPoint blocked, Position token, int layer) {
        return samples(blocked.id(), token).at(layer);
    }

    /** Mean recovery that blocking a component costs, pair by pair. */
    public Estimate damage(HookPoint blocked, Position token, int layer) {
        return samples(NOTHING, token).minus(samples(blocked.id(), token)).at(layer);
    }

    /**
     * Mean recovery by layer with a component blocked.
     *
     * @param blocked its id, or {@link #NOTHING}
     */
    public double[] means(String blocked, Position token) {
        return samples(blocked, token).means();
    }

    /**
     * What each pair gives by layer with a component blocked.
     *
     * @param blocked its id, or {@link #NOTHING}
     * @throws BadRequest if it was not blocked, or not at this token
     */
    public Samples samples(String blocked, Position token) {
        return of(recoveries, blocked, token);
    }

    private <T> T of(Map<String, Map<Position, T>> kept, String blocked, Position token) {
        Map<Position, T> all = kept.get(blocked);
        if (all == null || !all.containsKey(token)) {
            throw new BadRequest("blocked", "'" + Said.of(blocked) + "' at " + token + ", expected one of "
                    + String.join(", ", samples.keySet()) + " at " + tokens());
        }
        return all.get(token);
    }

    /** What a line is called with a component blocked, by its id, or {@link #NOTHING}. */
    public static String label(String blocked) {
        return blocked.equals(NOTHING) ? "nothing blocked" : HookPoint.of(blocked).title() + " blocked";
    }

    /** Recovery by layer at a token, a line for each blocked component, with intervals. */
    public XYChart chart(Position token) {
        return chart(token, "layer", Charts::byLayer);
    }

    /** The same over relative depth, so that curves of other models can stand beside it. */
    public XYChart byDepth(Position token) {
        return chart(token, "(layer + 1) / layers", Charts::byDepth);
    }

    private XYChart chart(Position token, String over, Charts.Adding line) {
        XYChart chart = Charts.lines(title() + ": restored at the " + token.label(), over, "recovery");
        for (String blocked : samples.keySet()) {
            Samples s = samples(blocked, token);
            line.add(chart, label(blocked), s.means(), s.lows(), s.highs());
        }
        return Charts.range(chart, 0, 1);
    }

    /** Recovery at a token with its interval: a row for each blocked component. */
    public Table table(Position token) {
        return byLayer("recovery", token, samples.keySet(), (blocked, layer) -> samples(blocked, token).at(layer));
    }

    /** Recovery that blocking costs at a token, with its interval: a row for each blocked component. */
    public Table damages(Position token) {
        return byLayer("recovery lost by blocking", token, components().stream().map(HookPoint::id).toList(),
                (blocked, layer) -> damage(HookPoint.of(blocked), token, layer));
    }

    private Table byLayer(String what, Position token, Collection<String> rows, BiFunction<String, Integer, Estimate> measured) {
        return Tables.byLayer(title() + ": " + what + " at the " + token.label() + " with its 95 % interval",
                List.of("blocked", "pairs"), model.layers(), rows, b -> List.of(label(b), measured.apply(b, 0).n()), measured);
    }

    /** One row for each token, blocked component and layer. For programs: {@code place} is the token's name in what a sweep measures. */
    public Table table() {
        List<List<Object>> rows = new ArrayList<>();
        for (Position token : tokens()) {
            for (String blocked : samples.keySet()) {
                for (int l = 0; l < model.layers(); l++) {
                    Estimate e = samples(blocked, token).at(l);
                    rows.add(List.of(token.label(), token.id(), blocked, l, e.mean(), e.low(), e.high(), e.n()));
                }
            }
        }
        return Tables.of(title(), List.of("token", "place", "blocked", "layer", "mean", "low", "high", "pairs"), rows);
    }

    /** {@code recovery/TOKEN/BLOCKED/LAYER}, and what blocking costs, {@code damage/TOKEN/BLOCKED/LAYER}. */
    List<Measured> measures() {
        List<Measured> all = new ArrayList<>();
        for (Position token : tokens()) {
            for (String blocked : samples.keySet()) {
                String place = "/" + token.id() + "/" + blocked + "/";
                for (int l = 0; l < model.layers(); l++) {
                    all.add(new Measured("recovery" + place + l, samples(blocked, token).at(l)));
                    if (!blocked.equals(NOTHING)) {
                        all.add(new Measured("damage" + place + l, damage(HookPoint.of(blocked), token, l)));
                    }
                }
            }
        }
        return all;
    }

    private String title() {
        return model.name() + ", path blocking, " + pairs() + " pairs";
    }

    @Override
    public Object view() {
        return table();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BlockedPaths b && Json.tree(this).equals(Json.tree(b));
    }

    @Override
    public int hashCode() {
        return model.hashCode();
    }
}
