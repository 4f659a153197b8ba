package lab.recall.paper;

import static lab.recall.paper.Found.HALF;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import lab.recall.base.BadRequest;
import lab.recall.linear.LinearRelation;
import lab.recall.linear.LinearRelations;
import lab.recall.linear.Selection;
import lab.recall.paper.Criteria.Criterion;
import lab.recall.stats.Estimate;
import lab.recall.stats.RankCorrelation;

/**
 * What the paper reports about linear relations, examined on a Mamba and, where there is one, a GPT-NeoX beside it: each criterion is one
 * function of bars and layer sweeps, applied to this project's and to the published ones, with bounds that are shares of the latter. Layers
 * are compared by relative depth, (l + 1) / L. Of invented facts neither the order of the relations nor the two models are compared.
 *
 * <pre>{@code
 * LinearCriteria.of(ofMamba, ofNeox)
 * LinearCriteria.of(ofMamba)                                 // without the comparisons
 * }</pre>
 *
 * Source: arXiv 2404.03646, section 5, Mamba-2.8b and Pythia-2.8b, decoded from figures within 0.001 (bars) and 0.005 (sweeps).
 */
public final class LinearCriteria {
    private static final long SEED = 1;
    /** The paper's coarser sweep has 22 places. */
    private static final int LEAST_LAYERS = 20;
    private static final List<String> RANKING = List.of("person native language", "landmark on continent", "country language",
            "country capital city", "company CEO");

    /** A relation's bar and the paper's baseline for it. */
    private record Score(Estimate faithfulness, double chance) {
    }

    /** Bars by relation, in the paper's words where it has the relation, and layer sweeps. */
    private record Side(Map<String, Score> bars, Map<String, LayerCurves> curves) {
        double mean() {
            return bars.values().stream().mapToDouble(s -> s.faithfulness.mean()).average().orElse(Double.NaN);
        }

        /** How many relations are above a bound surely, by their means, or perhaps. */
        Count count(ToDoubleFunction<Score> bound) {
            return new Count(above(bound, Estimate::low), above(bound, Estimate::mean), above(bound, Estimate::high), bars.size());
        }

        private long above(ToDoubleFunction<Score> bound, ToDoubleFunction<Estimate> of) {
            return bars.values().stream().filter(s -> of.applyAsDouble(s.faithfulness) >= bound.applyAsDouble(s)).count();
        }

        Count aboveHalf() {
            return count(s -> Math.nextUp(0.5));
        }

        List<LayerCurves> edited() {
            return curves.values().stream().filter(c -> c.causality().length > 0).toList();
        }
    }

    /** How many of n, at least, by their means, and at most. */
    private record Count(long surely, long mean, long maybe, int n) {
        String text() {
            return mean + (surely == maybe ? "" : " (" + surely + " to " + maybe + ")") + " of " + n;
        }

        /** Whether they are at least such a share of all. */
        Found atLeast(double share) {
            return new Found(text(), Verdict.of(surely >= share * n, maybe >= share * n));
        }

        /** Whether they are a larger share than others are. */
        Found larger(Count other) {
            return new Found(text() + ", " + other.text(),
                    Verdict.of(surely * other.n > other.maybe * n, maybe * other.n > other.surely * n));
        }
    }

    /** Either is null where it is not examined. */
    private record Models(Side mamba, Side pythia) {
    }

    private LinearCriteria() {
    }

    /**
     * Those that can be examined: a model without a measured relation counts as absent, and of two of a family the first counts.
     *
     * @throws BadRequest if the paper has no linear relations of a model's family
     */
    public static Criteria of(LinearRelations... found) {
        Map<PaperModel, Side> here = new EnumMap<>(PaperModel.class);
        for (LinearRelations f : found) {
            PaperModel model = PaperModel.of(f.model(), "linear relations", PaperModel.MAMBA, PaperModel.PYTHIA);
            if (!f.measured().isEmpty()) {
                here.putIfAbsent(model, side(f));
            }
        }
        boolean invented = Arrays.stream(found).anyMatch(f -> f.model().facts().inventedWorld());
        List<Criterion<Models>> criteria = new ArrayList<>();
        if (here.containsKey(PaperModel.MAMBA)) {
            criteria.addAll(ofMamba(invented));
        }
        if (here.containsKey(PaperModel.PYTHIA)) {
            criteria.addAll(ofPythia());
        }
        if (here.size() == PaperModel.values().length && !invented) {
            criteria.addAll(ofBoth());
        }
        String names = Arrays.stream(found).map(f -> f.model().name()).collect(Collectors.joining(" and "));
        return Criteria.examined(names + ", linear relations" + (invented ? " of invented facts" : ""), criteria,
                new Models(here.get(PaperModel.MAMBA), here.get(PaperModel.PYTHIA)),
                new Models(published(PaperModel.MAMBA), published(PaperModel.PYTHIA)), PaperLinearity.evidence());
    }

    private static Side side(LinearRelations found) {
        Map<String, Score> bars = new LinkedHashMap<>();
        Map<String, LayerCurves> curves = new LinkedHashMap<>();
        for (LinearRelation r : found.measured()) {
            String name = PaperLinearity.of(found.model(), r.name()).map(PaperLinearity.Bar::relation).orElse(r.name());
            bars.put(name, new Score(r.faithfulness(Selection.NESTED), r.chance()));
            curves.put(name, LayerCurves.of(r, found.model().layers()));
        }
        return new Side(bars, curves);
    }

    private static Side published(PaperModel model) {
        Map<String, Score> bars = new LinkedHashMap<>();
        PaperLinearity.all(model).forEach(b -> bars.put(b.relation(), new Score(Estimate.exactly(b.faithfulness()), b.chance())));
        return new Side(bars, PaperLinearity.curves(model));
    }

    private static List<Criterion<Models>> ofMamba(boolean invented) {
        List<Criterion<Models>> all = new ArrayList<>();
        if (!invented) {
            all.add(new Criterion<>("E1", "Mamba, in this order: " + String.join(", ", RANKING), (m, p) -> order(m.mamba)));
        }
        all.add(new Criterion<>("E1", "Mamba: every relation at or above chance", (m, p) -> m.mamba.count(Score::chance).atLeast(1)));
        all.add(new Criterion<>("E2", "Mamba: at least half of the paper's share of relations above 0.5",
                (m, p) -> m.mamba.aboveHalf().atLeast(HALF * p.mamba.aboveHalf().mean / p.mamba.bars.size())));
        all.add(new Criterion<>("E3", "Mamba, first quarter of the depth: causality at least faithfulness in more than half of the "
                + "relations",
                (m, p) -> {
                    List<LayerCurves> edited = m.mamba.edited();
                    int held = (int) edited.stream().filter(c -> c.early(c.causality(), 0.25) >= c.early(c.faithfulness(), 0.25)).count();
                    return edited.isEmpty() ? Found.nothing("no edits")
                            : Found.atLeast(m == p ? Estimate.exactly(held / (double) edited.size())
                                    : Estimate.share(held, edited.size()), HALF).as(held + " of " + edited.size() + ":");
                }));
        all.add(new Criterion<>("E3", "Mamba: causality is last at half of its height as deep (median of relations)",
                (m, p) -> lastHalf(m.mamba, p.mamba)));
        all.add(new Criterion<>("E4", "Mamba: some curve falls by more than half in one layer of the first half, and comes back",
                (m, p) -> holes(m.mamba)));
        return all;
    }

    private static Found order(Side side) {
        List<Estimate> scores = RANKING.stream().filter(side.bars::containsKey).map(r -> side.bars.get(r).faithfulness).toList();
        if (scores.size() < 2) {
            return Found.nothing(scores.isEmpty() ? "none of them measured" : "one of them measured");
        }
        Verdict falls = Verdict.HELD;
        for (int i = 1; i < scores.size(); i++) {
            falls = falls.and(Verdict.of(scores.get(i).high() < scores.get(i - 1).low(), scores.get(i).low() < scores.get(i - 1).high()));
        }
        return new Found(String.join(", ", scores.stream().map(Found::said).toList()), falls);
    }

    /** A hole of one layer cannot be told from a rise and a fall where layers are few. */
    private static Found holes(Side side) {
        List<String> holes = side.curves.entrySet().stream().filter(e -> e.getValue().hasHole()).map(Map.Entry::getKey).toList();
        int most = side.curves.values().stream().mapToInt(c -> c.depth().length).max().orElse(0);
        return most < LEAST_LAYERS ? Found.nothing(most + " places")
                : new Found(holes.isEmpty() ? "none" : String.join(", ", holes), Verdict.of(!holes.isEmpty(), !holes.isEmpty()));
    }

    private static List<Criterion<Models>> ofPythia() {
        return List.of(new Criterion<>("E3", "Pythia or NeoX: causality is last at half of its height as deep (median of relations)",
                (m, p) -> lastHalf(m.pythia, p.pythia)));
    }

    private static List<Criterion<Models>> ofBoth() {
        return List.of(
                new Criterion<>("E1", "more relations at or above chance in Mamba than in the other",
                        (m, p) -> m.mamba.count(Score::chance).larger(m.pythia.count(Score::chance))),
                new Criterion<>("E2", "a larger share of relations above 0.5 in Mamba than in the other",
                        (m, p) -> m.mamba.aboveHalf().larger(m.pythia.aboveHalf())),
                new Criterion<>("E2", "mean faithfulness larger in Mamba, over the relations of both", (m, p) -> {
                    List<String> both = both(m);
                    double[] more = both.stream().mapToDouble(n -> of(m.mamba, n) - of(m.pythia, n)).toArray();
                    return Found.atLeast(m == p ? Estimate.exactly(Arrays.stream(more).average().orElse(Double.NaN))
                            : Estimate.mean(more, SEED), 0);
                }),
                new Criterion<>("E2", "both order the relations alike: half of the paper's rank correlation", (m, p) -> {
                    Estimate found = correlation(m);
                    return Found.atLeast(m == p ? Estimate.exactly(found.mean()) : found, HALF * correlation(p).mean());
                }));
    }

    private static List<String> both(Models m) {
        return m.mamba.bars.keySet().stream().filter(m.pythia.bars::containsKey).toList();
    }

    private static double of(Side side, String relation) {
        return side.bars.get(relation).faithfulness.mean();
    }

    private static Estimate correlation(Models m) {
        List<String> both = both(m);
        return Estimate.of(both.size(), drawn -> RankCorrelation.of(
                Arrays.stream(drawn).mapToDouble(i -> of(m.mamba, both.get(i))).toArray(),
                Arrays.stream(drawn).mapToDouble(i -> of(m.pythia, both.get(i))).toArray()), SEED);
    }

    private static Found lastHalf(Side here, Side paper) {
        double[] depths = depths(here);
        if (depths.length == 0) {
            return Found.nothing("no edits");
        }
        double published = median(depths(paper));
        Estimate median = here == paper ? Estimate.exactly(published)
                : Estimate.of(depths.length, drawn -> median(Arrays.stream(drawn).mapToDouble(i -> depths[i]).toArray()), SEED);
        return new Found("median " + Found.said(median) + " of the depth",
                Found.atLeast(median, published - Found.NEAR).and(Found.atMost(median, published + Found.NEAR)).verdict());
    }

    private static double[] depths(Side side) {
        return side.edited().stream().mapToDouble(c -> c.lastHalf(c.causality())).toArray();
    }

    private static double median(double... values) {
        double[] sorted = Arrays.stream(values).sorted().toArray();
        return sorted[(sorted.length - 1) / 2];
    }
}
