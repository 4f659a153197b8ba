package lab.recall.paper;

import static lab.recall.paper.Criteria.number;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import lab.recall.base.BadRequest;
import lab.recall.linear.LinearRelation;
import lab.recall.linear.LinearRelations;
import lab.recall.linear.Selection;
import lab.recall.paper.Criteria.Criterion;
import lab.recall.paper.Criteria.Found;
import lab.recall.stats.RankCorrelation;

/**
 * What the paper reports about linear relations, examined on a Mamba and, where there is one, a GPT-NeoX beside it: each criterion is one
 * function of bars and layer sweeps, applied to this project's and to the published ones. Layers are compared by relative depth, l / L.
 *
 * <pre>{@code
 * LinearCriteria.of(ofMamba, ofNeox)
 * LinearCriteria.of(ofMamba)                                 // without the comparisons
 * }</pre>
 *
 * Source: arXiv 2404.03646, section 5, Mamba-2.8b and Pythia-2.8b, decoded from figures within 0.001 (bars) and 0.005 (sweeps).
 */
public final class LinearCriteria {
    private static final List<String> RANKING = List.of("person native language", "landmark on continent", "country language",
            "country capital city", "company CEO");

    /** A relation's bar and the paper's baseline for it. */
    private record Score(double faithfulness, double chance) {
    }

    /** Bars by relation, in the paper's words where it has the relation, and layer sweeps. */
    private record Side(Map<String, Score> bars, Map<String, LayerCurves> curves) {
        double mean() {
            return bars.values().stream().mapToDouble(Score::faithfulness).average().orElse(Double.NaN);
        }

        long above(double value) {
            return bars.values().stream().filter(s -> s.faithfulness > value).count();
        }

        long aboveChance() {
            return bars.values().stream().filter(s -> s.faithfulness >= s.chance).count();
        }

        List<LayerCurves> edited() {
            return curves.values().stream().filter(c -> c.causality().length > 0).toList();
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
        List<Criterion<Models>> criteria = new ArrayList<>();
        if (here.containsKey(PaperModel.MAMBA)) {
            criteria.addAll(ofMamba());
        }
        if (here.containsKey(PaperModel.PYTHIA)) {
            criteria.addAll(ofPythia());
        }
        if (here.size() == PaperModel.values().length) {
            criteria.addAll(ofBoth());
        }
        String names = Arrays.stream(found).map(f -> f.model().name()).collect(Collectors.joining(" and "));
        return Criteria.examined(names + ", linear relations", criteria,
                new Models(here.get(PaperModel.MAMBA), here.get(PaperModel.PYTHIA)),
                new Models(published(PaperModel.MAMBA), published(PaperModel.PYTHIA)), PaperLinearity.evidence());
    }

    private static Side side(LinearRelations found) {
        Map<String, Score> bars = new LinkedHashMap<>();
        Map<String, LayerCurves> curves = new LinkedHashMap<>();
        for (LinearRelation r : found.measured()) {
            String name = PaperLinearity.of(found.model(), r.name()).map(PaperLinearity.Bar::relation).orElse(r.name());
            bars.put(name, new Score(r.faithfulness(Selection.NESTED).mean(), r.chance()));
            curves.put(name, LayerCurves.of(r, found.model().layers()));
        }
        return new Side(bars, curves);
    }

    private static Side published(PaperModel model) {
        Map<String, Score> bars = new LinkedHashMap<>();
        PaperLinearity.all(model).forEach(b -> bars.put(b.relation(), new Score(b.faithfulness(), b.chance())));
        return new Side(bars, PaperLinearity.curves(model));
    }

    private static List<Criterion<Models>> ofMamba() {
        return List.of(
                new Criterion<>("E1", "Mamba, in this order: native language, landmark on continent, country language, capital city, "
                        + "company CEO", m -> {
                    List<String> there = RANKING.stream().filter(m.mamba.bars::containsKey).toList();
                    double[] scores = there.stream().mapToDouble(r -> m.mamba.bars.get(r).faithfulness).toArray();
                    boolean falls = scores.length > 1;
                    for (int i = 1; i < scores.length; i++) {
                        falls &= scores[i] < scores[i - 1];
                    }
                    return new Found(scores.length == 0 ? "none of them measured"
                            : String.join(", ", Arrays.stream(scores).mapToObj(Criteria::number).toList()), falls);
                }),
                new Criterion<>("E1", "Mamba: every relation at or above chance", m ->
                        new Found(m.mamba.aboveChance() + " of " + m.mamba.bars.size(), m.mamba.aboveChance() == m.mamba.bars.size())),
                new Criterion<>("E2", "Mamba: at least two fifths of the relations above 0.5", m ->
                        new Found(m.mamba.above(0.5) + " of " + m.mamba.bars.size(), m.mamba.above(0.5) >= 0.4 * m.mamba.bars.size())),
                new Criterion<>("E3", "Mamba, first quarter of the depth: causality at least faithfulness in seven eighths of the "
                        + "relations", m -> {
                    List<LayerCurves> edited = m.mamba.edited();
                    long held = edited.stream().filter(c -> c.early(c.causality(), 0.25) >= c.early(c.faithfulness(), 0.25)).count();
                    return new Found(held + " of " + edited.size(), !edited.isEmpty() && held >= 0.875 * edited.size());
                }),
                new Criterion<>("E3", "Mamba: causality is last at half of its height at 0.6 to 0.75 of the depth (median of "
                        + "relations)", m -> lastHalf(m.mamba, 0.6, 0.75)),
                new Criterion<>("E4", "Mamba: some curve falls by more than half in one layer of the first half, and comes back", m -> {
                    List<String> holes = m.mamba.curves.entrySet().stream().filter(e -> e.getValue().hasHole()).map(Map.Entry::getKey)
                            .toList();
                    return new Found(holes.isEmpty() ? "none" : String.join(", ", holes), !holes.isEmpty());
                }));
    }

    private static List<Criterion<Models>> ofPythia() {
        return List.of(new Criterion<>("E3", "Pythia or NeoX: causality is last at half of its height at 0.4 to 0.6 of the depth (median "
                + "of relations)", m -> lastHalf(m.pythia, 0.4, 0.6)));
    }

    private static List<Criterion<Models>> ofBoth() {
        return List.of(
                new Criterion<>("E1", "more relations at or above chance in Mamba than in the other",
                        m -> larger(m, m.mamba.aboveChance(), m.pythia.aboveChance())),
                new Criterion<>("E2", "a larger share of relations above 0.5 in Mamba than in the other",
                        m -> larger(m, m.mamba.above(0.5), m.pythia.above(0.5))),
                new Criterion<>("E2", "mean faithfulness larger in Mamba", m ->
                        new Found(number(m.mamba.mean()) + ", " + number(m.pythia.mean()), m.mamba.mean() > m.pythia.mean())),
                new Criterion<>("E2", "both order the relations alike: rank correlation of at least 0.4", m -> {
                    List<String> both = m.mamba.bars.keySet().stream().filter(m.pythia.bars::containsKey).toList();
                    double r = RankCorrelation.of(both.stream().mapToDouble(n -> m.mamba.bars.get(n).faithfulness).toArray(),
                            both.stream().mapToDouble(n -> m.pythia.bars.get(n).faithfulness).toArray());
                    return new Found(number(r) + " over " + both.size(), r >= 0.4);
                }));
    }

    /** Whether so many of Mamba's relations are a larger share than so many of the other's. */
    private static Found larger(Models m, long mamba, long pythia) {
        return new Found(mamba + " of " + m.mamba.bars.size() + ", " + pythia + " of " + m.pythia.bars.size(),
                mamba * m.pythia.bars.size() > pythia * m.mamba.bars.size());
    }

    private static Found lastHalf(Side side, double from, double to) {
        double[] depths = side.edited().stream().mapToDouble(c -> c.lastHalf(c.causality())).sorted().toArray();
        if (depths.length == 0) {
            return new Found("no edits", false);
        }
        double median = depths[(depths.length - 1) / 2];
        return new Found(number(median) + ", from " + number(depths[0]) + " to " + number(depths[depths.length - 1]),
                median >= from && median <= to);
    }
}
