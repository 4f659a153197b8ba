package lab.recall.trace;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import lab.recall.model.HookPoint;
import lab.recall.model.LanguageModel;
import lab.recall.stats.Estimate;
import lab.recall.view.Charts;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import org.knowm.xchart.XYChart;
import tech.tablesaw.api.Table;

/** Recovery by layer with and without a component blocked, at the subject's last token and the prompt's; shows itself as a table. */
public final class BlockedPaths implements Showable {
    private static final long SEED = 1;

    private final LanguageModel model;
    /** By blocked component, null for none, and token: [layer][pair]. */
    private final Map<HookPoint, Map<Position, double[][]>> samples;
    private final Map<HookPoint, Map<Position, Estimate[]>> recoveries = new HashMap<>();

    BlockedPaths(LanguageModel model, Map<HookPoint, Map<Position, double[][]>> samples) {
        this.model = model;
        this.samples = samples;
        samples.forEach((blocked, tokens) -> {
            Map<Position, Estimate[]> each = new EnumMap<>(Position.class);
            tokens.forEach((token, layers) -> each.put(token, Arrays.stream(layers).map(v -> Estimate.mean(v, SEED)).toArray(Estimate[]::new)));
            recoveries.put(blocked, each);
        });
    }

    /** The model. */
    public LanguageModel model() {
        return model;
    }

    /** Number of pairs that count. */
    public int pairs() {
        return recovery(null, Position.LAST, 0).n();
    }

    /** Mean recovery; {@code blocked} is null for none. */
    public Estimate recovery(HookPoint blocked, Position token, int layer) {
        return of(recoveries, blocked, token)[layer];
    }

    /** Mean recovery that blocking costs, pair by pair. */
    public Estimate damage(HookPoint blocked, Position token, int layer) {
        double[] without = of(samples, null, token)[layer];
        double[] with = of(samples, blocked, token)[layer];
        double[] lost = new double[with.length];
        for (int i = 0; i < lost.length; i++) {
            lost[i] = without[i] - with[i];
        }
        return Estimate.mean(lost, SEED);
    }

    /** Mean recovery by layer. */
    double[] means(HookPoint blocked, Position token) {
        double[] means = new double[model.layers()];
        for (int l = 0; l < means.length; l++) {
            means[l] = recovery(blocked, token, l).mean();
        }
        return means;
    }

    private <T> T of(Map<HookPoint, Map<Position, T>> kept, HookPoint blocked, Position token) {
        Map<Position, T> all = kept.get(blocked);
        if (all == null || !all.containsKey(token)) {
            throw new IllegalArgumentException("blocked were " + samples.keySet().stream().map(BlockedPaths::label).toList() + " at " + PathBlocking.TOKENS);
        }
        return all.get(token);
    }

    static String label(HookPoint blocked) {
        return blocked == null ? "nothing blocked" : CausalTrace.label(blocked) + " blocked";
    }

    /** Recovery by layer at a token, a line for each blocked component, with intervals. */
    public XYChart chart(Position token) {
        XYChart chart = Charts.lines(title() + ": restored at the " + token.label().replace("*", ""), "layer", "recovery");
        for (HookPoint blocked : samples.keySet()) {
            double[] low = new double[model.layers()];
            double[] high = new double[model.layers()];
            for (int l = 0; l < low.length; l++) {
                low[l] = recovery(blocked, token, l).low();
                high[l] = recovery(blocked, token, l).high();
            }
            Charts.byLayer(chart, label(blocked), means(blocked, token), low, high);
        }
        return chart;
    }

    /** Recovery at a token with its interval: a row for each blocked component. */
    public Table table(Position token) {
        return byLayer("recovery", token, samples.keySet(), this::recovery);
    }

    /** Recovery that blocking costs at a token, with its interval: a row for each blocked component. */
    public Table damages(Position token) {
        return byLayer("recovery lost by blocking", token, PathBlocking.blockable(model), this::damage);
    }

    private interface Measured {
        Estimate at(HookPoint blocked, Position token, int layer);
    }

    private Table byLayer(String what, Position token, Collection<HookPoint> rows, Measured measured) {
        List<String> columns = new ArrayList<>(List.of("blocked", "pairs"));
        for (int l = 0; l < model.layers(); l++) {
            columns.add("layer " + l);
        }
        List<List<Object>> cells = new ArrayList<>();
        for (HookPoint blocked : rows) {
            List<Object> row = new ArrayList<>(List.of(label(blocked), measured.at(blocked, token, 0).n()));
            for (int l = 0; l < model.layers(); l++) {
                row.add(measured.at(blocked, token, l).toString());
            }
            cells.add(row);
        }
        return Tables.of(title() + ": " + what + " at the " + token.label().replace("*", "") + " with its 95 % interval", columns, cells);
    }

    /** One row for each token, blocked component and layer. For programs. */
    public Table table() {
        List<List<Object>> rows = new ArrayList<>();
        for (Position token : PathBlocking.TOKENS) {
            for (HookPoint blocked : samples.keySet()) {
                for (int l = 0; l < model.layers(); l++) {
                    Estimate e = recovery(blocked, token, l);
                    rows.add(List.of(token.name().toLowerCase(Locale.ROOT), blocked == null ? "none" : blocked.id(), l, e.mean(), e.low(), e.high(), e.n()));
                }
            }
        }
        return Tables.of(title(), List.of("token", "blocked", "layer", "mean", "low", "high", "pairs"), rows);
    }

    private String title() {
        return model.name() + ", path blocking, " + pairs() + " pairs";
    }

    @Override
    public Object view() {
        return table();
    }
}
