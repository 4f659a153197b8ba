package lab.recall.knockout;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import lab.recall.base.BadRequest;
import lab.recall.stats.Estimate;
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
 * Relative changes of the answer's probability by route and centre layer, averaged over facts with 95 % intervals over relations; shows
 * itself as a line chart.
 *
 * <pre>{@code
 * curves.at(SUBJECT, 4)                                     // mean and interval
 * curves.chart(), curves.heatmap(), curves.table()
 * curves.lowestMinus(ofAnotherModel, SUBJECT)               // fact by fact, where the same facts were asked
 * }</pre>
 */
public final class KnockoutCurves implements Showable {
    private static final String DEPTH = "(centre layer + 1) / layers";
    private static final String MEASURE = "(p' − p) / p";

    private final ModelCard model;
    private final String what;
    private final int window;
    private final List<Route> routes;
    private final double[][][] changes;
    private final List<String> relations;
    private final transient List<Samples> samples = new ArrayList<>();

    /**
     * @param what    was done, in words, for titles
     * @param window  layers together
     * @param changes (p' - p) / p, [fact][route][centre layer]
     * @param relations of each fact: facts of one are alike
     */
    @JsonCreator
    KnockoutCurves(@JsonProperty("model") ModelCard model, @JsonProperty("what") String what, @JsonProperty("window") int window,
            @JsonProperty("routes") List<Route> routes, @JsonProperty("changes") double[][][] changes,
            @JsonProperty("relations") List<String> relations) {
        this.model = model;
        this.what = what;
        this.window = window;
        this.routes = List.copyOf(routes);
        this.changes = changes;
        this.relations = List.copyOf(relations);
        for (int r = 0; r < routes.size(); r++) {
            int route = r;
            samples.add(new Samples(IntStream.range(0, model.layers())
                    .mapToObj(l -> Arrays.stream(changes).mapToDouble(c -> c[route][l]).toArray()).toArray(double[][]::new), relations));
        }
    }

    /** The model. */
    public ModelCard model() {
        return model;
    }

    /** How many facts. */
    public int facts() {
        return changes.length;
    }

    /** Over how many layers. */
    public int window() {
        return window;
    }

    /** The routes, in order. */
    public List<Route> routes() {
        return routes;
    }

    /** (p' - p) / p of each fact, [fact][route][centre layer]; NaN where a prompt has no such edge. */
    public double[][][] changes() {
        return changes;
    }

    /**
     * Mean and interval of a route's relative change at a centre layer.
     *
     * @throws BadRequest if the route was not measured
     */
    public Estimate at(Route route, int layer) {
        return samples(route).at(layer);
    }

    /**
     * What each fact gives by centre layer.
     *
     * @throws BadRequest if the route was not measured
     */
    public Samples samples(Route route) {
        int r = routes.indexOf(route);
        if (r < 0) {
            throw new BadRequest("route", "'" + route.label() + "' was not measured; there are "
                    + String.join(", ", routes.stream().map(Route::label).toList()));
        }
        return samples.get(r);
    }

    /** The same for a group whose edges to all later tokens were cut. */
    public Estimate at(TokenGroup source, int layer) {
        return at(Route.from(source), layer);
    }

    /** Means by centre layer. */
    public double[] means(Route route) {
        return samples(route).means();
    }

    /** The same for a group whose edges to all later tokens were cut. */
    public double[] means(TokenGroup source) {
        return means(Route.from(source));
    }

    /** The centre layer at which a route's mean is lowest. */
    public int lowest(Route route) {
        return RelativeDepth.lowest(means(route));
    }

    /**
     * By how much more a group costs at its most than in another model, fact by fact of the same facts in the same order: below 0 if here
     * more is lost. Centre layers are chosen on other facts, in each model by itself.
     *
     * @throws BadRequest if these are other facts, as far as their relations tell
     */
    public Estimate lowestMinus(KnockoutCurves other, TokenGroup source) {
        return samples(Route.from(source)).lowestMinus(other.samples(Route.from(source)));
    }

    /** One line a route, with intervals. */
    public XYChart chart() {
        return chart("centre layer", Charts::byLayer);
    }

    /** The same over relative depth, so that curves of other models can stand beside it. */
    public XYChart byDepth() {
        return chart(DEPTH, Charts::byDepth);
    }

    private XYChart chart(String over, Charts.Adding line) {
        XYChart chart = Charts.lines(title(), over, MEASURE);
        routes.forEach(r -> line.add(chart, r.label(), means(r), samples(r).lows(), samples(r).highs()));
        return range(chart);
    }

    /** The range that all charts of this measure have, be their changes small. */
    public static XYChart range(XYChart chart) {
        return Charts.range(chart, -1, 0.2);
    }

    /** One group's line of several curves in one chart, over relative depth; names and curves in the same order. */
    public static XYChart beside(String title, TokenGroup source, List<String> names, List<KnockoutCurves> curves) {
        XYChart chart = Charts.lines(title, DEPTH, MEASURE);
        for (int i = 0; i < curves.size(); i++) {
            KnockoutCurves c = curves.get(i);
            Route route = Route.from(source);
            Charts.byDepth(chart, names.get(i), c.means(route), c.samples(route).lows(), c.samples(route).highs());
        }
        return range(chart);
    }

    /** Routes in rows, with how many facts have such edges, centre layers in columns; a route that no prompt has is left out. */
    public HeatMap heatmap() {
        List<Route> some = routes.stream().filter(r -> at(r, 0).n() > 0).toList();
        List<Route> rows = some.isEmpty() ? routes : some;
        return HeatMap.of(title(), rows.stream().map(this::means).toArray(double[][]::new))
                .rows(rows.stream().map(r -> facts() == 1 ? r.label() : r.label() + " (" + at(r, 0).n() + ")").toList())
                .columns("centre layer").measure(MEASURE).colours(HeatMap.Colours.DIVERGING).range(-1, 1);
    }

    /** Mean and interval for each route and centre layer. */
    public Table table() {
        return Tables.byLayer(title() + ": mean relative change of p(answer) with its 95 % interval", List.of("knocked out", "facts"),
                model.layers(), routes, r -> List.of(r.label(), at(r, 0).n()), (r, layer) -> at(r, layer));
    }

    /** For each route the centre layer that costs most. */
    public Table strongest() {
        List<List<Object>> rows = new ArrayList<>();
        for (Route r : routes) {
            Estimate e = samples(r).lowest();
            rows.add(List.of(r.label(), e.n(), lowest(r), e.toString()));
        }
        return Tables.of(title() + ": where each route costs most",
                List.of("knocked out", "facts", "centre layer", "(p' − p) / p there and its 95 % interval (layer chosen on other facts)"),
                rows);
    }

    private String title() {
        return model.name() + ", " + what + ", window " + window + ", " + facts() + (facts() == 1 ? " fact" : " facts");
    }

    @Override
    public Object view() {
        return chart();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof KnockoutCurves c && model.equals(c.model) && what.equals(c.what) && window == c.window
                && relations.equals(c.relations) && routes.equals(c.routes) && Arrays.deepEquals(changes, c.changes);
    }

    @Override
    public int hashCode() {
        return Objects.hash(model, what, window, routes, facts());
    }
}
