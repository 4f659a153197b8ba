package lab.recall.knockout;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import lab.recall.base.BadRequest;
import lab.recall.facts.FactPairs;
import lab.recall.model.LanguageModel;
import lab.recall.model.Mixer;
import lab.recall.stats.Estimate;
import lab.recall.study.ModelCard;
import lab.recall.study.Runner;
import lab.recall.view.Showable;
import lab.recall.view.Tables;

/**
 * How much of the subject still gets through when its edges to all later tokens are cut in every layer: the total variation distance
 * between the predictions for two subjects, 0 if they cannot be told apart and 1 if they have nothing in common; shows itself as a table.
 *
 * <pre>{@code
 * Remainder.of(mamba, known.pairs(100, seed), means)
 * Remainder.of(neox, known.pairs(100, seed))                // of any model, without delta held
 * }</pre>
 *
 * In a scan the factors by which earlier tokens' terms decay on their way over the subject still depend on it, unless delta is held.
 */
public final class Remainder implements Showable {
    private static final long SEED = 1;
    static final String NOTHING = "nothing";

    private final ModelCard model;
    /** By what is cut, of each pair. */
    private final Map<String, double[]> distances;
    private final List<String> relations;
    private final transient Map<String, Estimate> estimates = new LinkedHashMap<>();

    /** @param relations of each pair: pairs of one are alike */
    @JsonCreator
    Remainder(@JsonProperty("model") ModelCard model, @JsonProperty("distances") Map<String, double[]> distances,
            @JsonProperty("relations") List<String> relations) {
        this.model = model;
        this.distances = Collections.unmodifiableMap(new LinkedHashMap<>(distances));
        this.relations = List.copyOf(relations);
        distances.forEach((what, d) -> estimates.put(what, Estimate.clustered(d, relations, SEED)));
    }

    /** Of pairs of facts, with a progress bar: nothing cut, and all that is cut without means. */
    public static Remainder of(LanguageModel model, FactPairs pairs) {
        return of(model, pairs, Runner.shown());
    }

    /** The same with a runner's progress and store. */
    public static Remainder of(LanguageModel model, FactPairs pairs, Runner runner) {
        return runner.run(new RemainderStudy(), model, new RemainderStudy.Asked(ablations(model), pairs.pairs()));
    }

    /**
     * The same, and with the step size held, with a progress bar.
     *
     * @param means of documents; must hold delta
     * @throws BadRequest if they do not, or the model has no scan
     */
    public static Remainder of(LanguageModel model, FactPairs pairs, MeanActivations means) {
        return of(model, pairs, means, Runner.shown());
    }

    /**
     * The same with a runner's progress and store.
     *
     * @param means of documents; must hold delta
     * @throws BadRequest if they do not, or the model has no scan
     */
    public static Remainder of(LanguageModel model, FactPairs pairs, MeanActivations means, Runner runner) {
        Map<String, Ablation> all = ablations(model);
        Ablation held = Ablation.of(model, Knockout.Form.HELD, means);
        all.put(model.mixing().title() + ", " + held.mean().id() + " held", held);
        return runner.run(new RemainderStudy(), model, new RemainderStudy.Asked(all, pairs.pairs()));
    }

    private static Map<String, Ablation> ablations(LanguageModel model) {
        Map<String, Ablation> all = new LinkedHashMap<>();
        List<Mixer> mixers = model.mixing().mixers();
        if (mixers.size() > 1) {
            mixers.forEach(m -> all.put(m.title(), Ablation.of(model, Knockout.Form.through(m), null)));
        }
        all.put(model.mixing().title(), Ablation.of(model, Knockout.Form.EDGES, null));
        return all;
    }

    /** The model. */
    public ModelCard model() {
        return model;
    }

    /** What can be cut: nothing; convolution, scan, convolution and scan, the same with delta held; or attention. */
    public List<String> cuts() {
        return List.copyOf(distances.keySet());
    }

    /**
     * Mean distance between the two predictions.
     *
     * @throws BadRequest if it was not measured
     */
    public Estimate distance(String cut) {
        if (!estimates.containsKey(cut)) {
            throw new BadRequest("cut", "'" + cut + "' was not measured; there are " + String.join(", ", estimates.keySet()));
        }
        return estimates.get(cut);
    }

    @Override
    public Object view() {
        List<List<Object>> rows = new ArrayList<>();
        double all = distance(NOTHING).mean();
        estimates.forEach((what, d) ->
                rows.add(List.of(what, d.mean(), Tables.number(d.low()) + " to " + Tables.number(d.high()), d.mean() / all)));
        int pairs = distances.get(NOTHING).length;
        return Tables.of(model.name() + ": what still gets through from the subject to later tokens, " + pairs + " pairs",
                List.of("cut in all layers", "distance of predictions", "95 % interval", "share of it"), rows);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Remainder r && model.equals(r.model) && relations.equals(r.relations) && cuts().equals(r.cuts())
                && cuts().stream().allMatch(c -> Arrays.equals(distances.get(c), r.distances.get(c)));
    }

    @Override
    public int hashCode() {
        return Objects.hash(model, cuts());
    }
}
