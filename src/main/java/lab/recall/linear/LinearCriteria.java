package lab.recall.linear;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import lab.recall.stats.RankCorrelation;
import lab.recall.view.Criteria;
import lab.recall.view.Criteria.Criterion;
import lab.recall.view.Criteria.Found;

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

    private static final String MAMBA = "Mamba";

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

    private record Models(Side mamba, Side neox) {
    }

    private LinearCriteria() {
    }

    /** Those that can be examined: a model without a measured relation counts as absent. */
    public static Criteria of(LinearRelations... found) {
        Side mamba = side(found, true);
        Side neox = side(found, false);
        String names = String.join(" and ", Arrays.stream(found).map(f -> f.model().name()).toList());
        List<Criterion<Models>> criteria = new ArrayList<>();
        if (mamba != null) {
            criteria.addAll(ofMamba());
        }
        if (neox != null) {
            criteria.addAll(ofNeox());
        }
        if (mamba != null && neox != null) {
            criteria.addAll(ofBoth());
        }
        return Criteria.examined(names + ", linear relations", criteria, new Models(mamba, neox), new Models(paper(true), paper(false)))
                .evidence(PaperLinearity.evidence());
    }

    private static Side side(LinearRelations[] found, boolean mamba) {
        return Arrays.stream(found).filter(f -> f.model().family().equals(MAMBA) == mamba && !f.measured().isEmpty()).findFirst().map(f -> {
            Map<String, Score> bars = new LinkedHashMap<>();
            Map<String, LayerCurves> curves = new LinkedHashMap<>();
            for (LinearRelation r : f.measured()) {
                String name = PaperLinearity.of(r.name()).map(PaperLinearity.Bar::relation).orElse(r.name());
                bars.put(name, new Score(r.faithfulness(Selection.NESTED).mean(), r.chance()));
                curves.put(name, LayerCurves.of(r, f.model().layers()));
            }
            return new Side(bars, curves);
        }).orElse(null);
    }

    private static Side paper(boolean mamba) {
        Map<String, Score> bars = new LinkedHashMap<>();
        PaperLinearity.all().forEach(b -> bars.put(b.relation(), new Score(mamba ? b.mamba() : b.pythia(), b.chance())));
        return new Side(bars, PaperLinearity.curves(mamba));
    }

    private static List<Criterion<Models>> ofMamba() {
        List<Criterion<Models>> all = new ArrayList<>();
        all.add(new Criterion<>("E1", "Mamba, in this order: native language, landmark on continent, country language, capital city, "
                + "company CEO", m -> {
            List<String> there = RANKING.stream().filter(m.mamba.bars::containsKey).toList();
            double[] scores = there.stream().mapToDouble(r -> m.mamba.bars.get(r).faithfulness).toArray();
            boolean falls = scores.length > 1;
            for (int i = 1; i < scores.length; i++) {
                falls &= scores[i] < scores[i - 1];
            }
            return new Found(scores.length == 0 ? "none of them measured"
                    : String.join(", ", Arrays.stream(scores).mapToObj(LinearCriteria::number).toList()), falls);
        }));
        all.add(new Criterion<>("E1", "Mamba: every relation at or above chance", m ->
                new Found(m.mamba.aboveChance() + " of " + m.mamba.bars.size(), m.mamba.aboveChance() == m.mamba.bars.size())));
        all.add(new Criterion<>("E2", "Mamba: at least two fifths of the relations above 0.5", m ->
                new Found(m.mamba.above(0.5) + " of " + m.mamba.bars.size(), m.mamba.above(0.5) >= 0.4 * m.mamba.bars.size())));
        all.add(new Criterion<>("E3", "Mamba, first quarter of the depth: causality at least faithfulness in seven eighths of the "
                + "relations", m -> {
            List<LayerCurves> edited = m.mamba.edited();
            long held = edited.stream().filter(c -> c.early(c.causality(), 0.25) >= c.early(c.faithfulness(), 0.25)).count();
            return new Found(held + " of " + edited.size(), !edited.isEmpty() && held >= 0.875 * edited.size());
        }));
        all.add(new Criterion<>("E3", "Mamba: causality is last at half of its height at 0.6 to 0.75 of the depth (median of "
                + "relations)", m ->
                lastHalf(m.mamba, 0.6, 0.75)));
        all.add(new Criterion<>("E4", "Mamba: some curve falls by more than half in one layer of the first half, and comes back", m -> {
            List<String> holes = m.mamba.curves.entrySet().stream().filter(e -> e.getValue().hasHole()).map(Map.Entry::getKey).toList();
            return new Found(holes.isEmpty() ? "none" : String.join(", ", holes), !holes.isEmpty());
        }));
        return all;
    }

    private static List<Criterion<Models>> ofNeox() {
        List<Criterion<Models>> all = new ArrayList<>();
        all.add(new Criterion<>("E3", "Pythia or NeoX: causality is last at half of its height at 0.4 to 0.6 of the depth (median of "
                + "relations)", m ->
                lastHalf(m.neox, 0.4, 0.6)));
        return all;
    }

    private static List<Criterion<Models>> ofBoth() {
        List<Criterion<Models>> all = new ArrayList<>();
        all.add(new Criterion<>("E1", "more relations at or above chance in Mamba than in the other", m ->
                new Found(m.mamba.aboveChance() + " of " + m.mamba.bars.size() + ", " + m.neox.aboveChance() + " of " + m.neox.bars.size(),
                        m.mamba.aboveChance() * m.neox.bars.size() > m.neox.aboveChance() * m.mamba.bars.size())));
        all.add(new Criterion<>("E2", "a larger share of relations above 0.5 in Mamba than in the other", m ->
                new Found(m.mamba.above(0.5) + " of " + m.mamba.bars.size() + ", " + m.neox.above(0.5) + " of " + m.neox.bars.size(),
                        m.mamba.above(0.5) * m.neox.bars.size() > m.neox.above(0.5) * m.mamba.bars.size())));
        all.add(new Criterion<>("E2", "mean faithfulness larger in Mamba", m ->
                new Found(number(m.mamba.mean()) + ", " + number(m.neox.mean()), m.mamba.mean() > m.neox.mean())));
        all.add(new Criterion<>("E2", "both order the relations alike: rank correlation of at least 0.4", m -> {
            List<String> both = m.mamba.bars.keySet().stream().filter(m.neox.bars::containsKey).toList();
            double r = RankCorrelation.of(both.stream().mapToDouble(n -> m.mamba.bars.get(n).faithfulness).toArray(),
                    both.stream().mapToDouble(n -> m.neox.bars.get(n).faithfulness).toArray());
            return new Found(number(r) + " over " + both.size(), r >= 0.4);
        }));
        return all;
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

    private static String number(double v) {
        return String.format(Locale.ROOT, "%.2f", v).replace("-0.00", "0.00");
    }
}
