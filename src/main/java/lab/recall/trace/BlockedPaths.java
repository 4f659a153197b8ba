package lab.recall.trace;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import lab.recall.base.BadRequest;
import lab.recall.base.Json;
import lab.recall.base.Said;
import lab.recall.model.HookPoint;
import lab.recall.stats.Estimate;
import lab.recall.study.Measured;
import lab.recall.study.ModelCard;
import lab.recall.view.Charts;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/** Recovery by layer with and without a component blocked, at the subject and at the prompt's last token; shows itself as a table. */
public final class BlockedPaths implements Showable {
    private static final long SEED = 1;

    /** Stands for no component among those that were blocked. */
    public static final String NOTHING = "none";

    private final ModelCard model;
    /** By blocked component, {@link #NOTHING} for none, and token: [layer][pair]. */
    private final Map<String, Map<Position, double[][]>> samples;
    private final transient Map<String, Map<Position, Estimate[]>> recoveries = new HashMap<>();

    @JsonCreator
    BlockedPaths(@JsonProperty("model") ModelCard model, @JsonProperty("samples") Map<String, Map<Position, double[][]>> samples) {
        this.model = model;
        this.samples = samples;
        samples.forEach((blocked, tokens) -> {
            Map<Position, Estimate[]> each = new EnumMap<>(Position.class);
            tokens.forEach((token, layers) -> each.put(token,
                    Arrays.stream(layers).map(v -> Estimate.mean(v, SEED)).toArray(Estimate[]::new)));
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

    /** Number of pairs that count. */
    public int pairs() {
        return recovery(Position.LAST, 0).n();
    }

    /** Mean recovery with nothing blocked. */
    public Estimate recovery(Position token, int layer) {
        return of(recoveries, NOTHING, token)[layer];
    }

    /** Mean recovery with a component blocked. */
    public Estimate recovery(HookPoint blocked, Position token, int layer) {
        return of(recoveries, blocked.id(), token)[layer];
    }

    /** Mean recovery that blocking a component costs, pair by pair. */
    public Estimate damage(HookPoint blocked, Position token, int layer) {
        double[] without = of(samples, NOTHING, token)[layer];
        double[] with = of(samples, blocked.id(), token)[layer];
        double[] lost = new double[with.length];
        for (int i = 0; i < lost.length; i++) {
            lost[i] = without[i] - with[i];
        }
        return Estimate.mean(lost, SEED);
    }

    /**
     * Mean recovery by layer with a component blocked.
     *
     * @param blocked its id, or {@link #NOTHING}
     */
    public double[] means(String blocked, Position token) {
        return Arrays.stream(of(recoveries, blocked, token)).mapToDouble(Estimate::mean).toArray();
    }

    private <T> T of(Map<String, Map<Position, T>> kept, String blocked, Position token) {
        Map<Position, T> all = kept.get(blocked);
        if (all == null || !all.containsKey(token)) {
            throw new BadRequest("blocked", "'" + Said.of(blocked) + "' at " + token + ", expected one of "
                    + String.join(", ", samples.keySet()) + " at " + tokens());
        }
        return all.get(token);
    }

    static String label(String blocked) {
        return blocked.equals(NOTHING) ? "nothing blocked" : HookPoint.of(blocked).title() + " blocked";
    }

    /** Recovery by layer at a token, a line for each blocked component, with intervals. */
    public XYChart chart(Position token) {
        XYChart chart = Charts.lines(title() + ": restored at the " + token.label().replace("*", ""), "layer", "recovery");
        for (String blocked : samples.keySet()) {
            Estimate[] e = of(recoveries, blocked, token);
            Charts.byLayer(chart, label(blocked), means(blocked, token), Arrays.stream(e).mapToDouble(Estimate::low).toArray(),
                    Arrays.stream(e).mapToDouble(Estimate::high).toArray());
        }
        return chart;
    }

    /** Recovery at a token with its interval: a row for each blocked component. */
    public Table table(Position token) {
        return byLayer("recovery", token, samples.keySet(), (blocked, layer) -> of(recoveries, blocked, token)[layer]);
    }

    /** Recovery that blocking costs at a token, with its interval: a row for each blocked component. */
    public Table damages(Position token) {
        return byLayer("recovery lost by blocking", token, samples.keySet().stream().filter(b -> !b.equals(NOTHING)).toList(),
                (blocked, layer) -> damage(HookPoint.of(blocked), token, layer));
    }

    private Table byLayer(String what, Position token, Collection<String> rows, BiFunction<String, Integer, Estimate> measured) {
        return Tables.byLayer(title() + ": " + what + " at the " + token.label().replace("*", "") + " with its 95 % interval",
                List.of("blocked", "pairs"), model.layers(), rows, b -> List.of(label(b), measured.apply(b, 0).n()), measured);
    }

    /** One row for each token, blocked component and layer. For programs. */
    public Table table() {
        List<List<Object>> rows = new ArrayList<>();
        for (Position token : tokens()) {
            for (String blocked : samples.keySet()) {
                for (int l = 0; l < model.layers(); l++) {
                    Estimate e = of(recoveries, blocked, token)[l];
                    rows.add(List.of(token.name().toLowerCase(Locale.ROOT), blocked, l, e.mean(), e.low(), e.high(), e.n()));
                }
            }
        }
        return Tables.of(title(), List.of("token", "blocked", "layer", "mean", "low", "high", "pairs"), rows);
    }

    /** {@code recovery/TOKEN/BLOCKED/LAYER}, and what blocking costs, {@code damage/TOKEN/BLOCKED/LAYER}. */
    List<Measured> measures() {
        List<Measured> all = new ArrayList<>();
        for (Position token : tokens()) {
            for (String blocked : samples.keySet()) {
                String place = "/" + token.name().toLowerCase(Locale.ROOT) + "/" + blocked + "/";
                for (int l = 0; l < model.layers(); l++) {
                    all.add(new Measured("recovery" + place + l, of(recoveries, blocked, token)[l]));
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
