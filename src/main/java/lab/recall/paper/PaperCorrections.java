package lab.recall.paper;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import lab.recall.edit.EditScores.Measure;
import lab.recall.stats.Estimate;
import lab.recall.stats.RelativeDepth;
import lab.recall.trace.Position;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * What stands between the paper's figures and what they show, counted from its own numbers: baselines, rows that are no number, unlike
 * samples, choices on the tests.
 *
 * <pre>{@code
 * PaperCorrections.maps(), PaperCorrections.difference()
 * PaperCorrections.linear(), PaperCorrections.linearSummary()
 * PaperCorrections.edits(), PaperCorrections.readers()
 * }</pre>
 *
 * Needs no model. Source: arXiv 2404.03646; which examples were averaged, and how, is read from its public notebooks and code.
 */
public final class PaperCorrections {
    private PaperCorrections() {
    }

    /** Of each averaged map: what it averages, its background, how much of it is cut off at the top, and its rows without a cell. */
    public static Table maps() {
        PaperNumbers numbers = PaperFigures.traced();
        List<List<Object>> rows = new ArrayList<>();
        for (String map : PaperFigures.maps()) {
            JsonNode samples = numbers.at("samples").path(map);
            double background = TracingCriteria.background(numbers, map);
            double[] cells = TracingCriteria.ROWS.values().stream().flatMapToDouble(r -> Arrays.stream(numbers.curve("grids", map, r)))
                    .toArray();
            double top = Arrays.stream(cells).max().orElseThrow();
            long cut = top > 0.79 || Math.abs(top - 0.499) < 1e-9 ? Arrays.stream(cells).filter(c -> c == top).count() : 0;
            double subject = RelativeDepth.most(numbers.curve("grids", map, "subj last"), 0, 1);
            rows.add(List.of(PaperFigures.title(map), samples.isMissingNode() ? "–" : samples.path("examples").asText(),
                    samples.isMissingNode() ? "–" : samples.path("relations").asText(), background, subject, subject - background,
                    cut + " of " + cells.length, String.join(", ", names(numbers.at("empty_rows")))));
        }
        return Tables.of("the published maps: p / (p_clean − p_corrupt), the corrupt run's own p never taken off", List.of("map",
                "examples", "relations", "background (median cell)", "subject's last token at its most", "less the background",
                "cells cut off at the top", "rows without a number"), rows);
    }

    private static List<String> names(JsonNode list) {
        List<String> all = new ArrayList<>();
        list.forEach(n -> all.add(n.asText()));
        return all;
    }

    /** In one sentence, what taking the backgrounds off does to o − s − g. */
    public static String difference() {
        double[] published = PaperFigures.difference(0);
        double[] corrected = PaperFigures.difference(1);
        int at = RelativeDepth.peak(published);
        return "o − s − g is " + Criteria.number(published[at]) + " at its most (layer " + at + ") as published and "
                + Criteria.number(corrected[RelativeDepth.peak(corrected)]) + " less the backgrounds;\nin the last layer "
                + Criteria.number(published[published.length - 1]) + " and " + Criteria.number(corrected[corrected.length - 1])
                + ".\nThe three averages are over 326, 601 and 604 examples of 5, 6 and 6 relations: none can be taken pair by pair.";
    }

    /** Of each relation: the published bars, the paper's baseline and the best constant answer, and whether the bars are above it. */
    public static Table linear() {
        List<List<Object>> rows = new ArrayList<>();
        List<PaperLinearity.Bar> pythia = PaperLinearity.all(PaperModel.PYTHIA);
        for (PaperLinearity.Bar b : PaperLinearity.all(PaperModel.MAMBA)) {
            double constant = PaperLinearity.constant(b);
            double other = pythia.stream().filter(p -> p.relation().equals(b.relation())).findFirst().orElseThrow().faithfulness();
            rows.add(List.of(b.relation(), b.faithfulness(), other, b.chance(), constant,
                    b.faithfulness() > constant ? "above" : "not above", other > constant ? "above" : "not above"));
        }
        return Tables.of("faithfulness of 25 relations, and what one and the same word would get", List.of("relation", "Mamba-2.8b",
                "Pythia-2.8b", "the paper's baseline", "best constant answer", "Mamba", "Pythia"), rows);
    }

    /** In a sentence for each model: how many relations are above either baseline. */
    public static String linearSummary() {
        StringBuilder all = new StringBuilder();
        for (PaperModel m : PaperModel.values()) {
            List<PaperLinearity.Bar> bars = PaperLinearity.all(m);
            Estimate above = Estimate.mean(bars.stream()
                    .mapToDouble(b -> b.faithfulness() - PaperLinearity.constant(b)).toArray(), 1);
            all.append(all.isEmpty() ? "" : "\n").append(m.fullName()).append(": ")
                    .append(bars.stream().filter(b -> b.faithfulness() >= b.chance()).count()).append(" of ").append(bars.size())
                    .append(" relations at or above the paper's baseline, ")
                    .append(bars.stream().filter(b -> b.faithfulness() > PaperLinearity.constant(b)).count())
                    .append(" above the best constant answer;\non average ").append(above).append(" above it (over relations).");
        }
        return all.toString();
    }

    /** The best constant answer of a relation over all of its facts; empty where its file is not here. */
    static Optional<Double> constant(String relation) {
        return PaperLinearity.all(PaperModel.MAMBA).stream().filter(b -> b.relation().equalsIgnoreCase(relation)).findFirst()
                .map(b -> PaperLinearity.constant(b));
    }

    /**
     * Of each matrix the best layer, its score with an interval that follows from 2,000 cases, and how many layers it cannot be told from.
     */
    public static Table edits() {
        List<List<Object>> rows = new ArrayList<>();
        for (PaperModel m : PaperModel.values()) {
            for (String matrix : List.of(PaperEdits.W_A, PaperEdits.W_G, PaperEdits.W_O, PaperEdits.W_DOWN)) {
                if (!PaperEdits.matrices(m).contains(matrix)) {
                    continue;
                }
                Estimate[] scores = scores(m, matrix);
                int best = RelativeDepth.peak(Arrays.stream(scores).mapToDouble(Estimate::mean).toArray());
                long same = Arrays.stream(scores).filter(e -> e.high() >= scores[best].low()).count() - 1;
                double[] efficacy = PaperEdits.curve(m, matrix, Measure.EFFICACY.label());
                rows.add(List.of(m.fullName(), PaperEdits.letter(matrix), best + " of " + scores.length, scores[best].toString(), same,
                        efficacy[best], efficacy[efficacy.length - 1], scores[scores.length - 1].mean()));
            }
        }
        return Tables.of("the best layer of many, chosen on the requests that it is scored on", List.of("model", "matrix", "best layer",
                "its score, with an interval of 2,000 cases", "layers whose intervals meet it", "its efficacy",
                "efficacy of the last layer", "score of the last layer"), rows);
    }

    /** Scores with intervals as if each share were of 2,000 prompts; paraphrases and neighbours are more, and alike. */
    private static Estimate[] scores(PaperModel model, String matrix) {
        int n = 2_000;
        double level = 1 - 0.05 / Measure.values().length;
        int layers = PaperEdits.curve(model, matrix, PaperEdits.SCORE).length;
        return IntStream.range(0, layers).mapToObj(l -> {
            List<Estimate> shares = Arrays.stream(Measure.values())
                    .map(m -> Estimate.share(PaperEdits.curve(model, matrix, m.label())[l], n, level)).toList();
            return new Estimate(harmonic(shares.stream().mapToDouble(Estimate::mean).toArray()),
                    harmonic(shares.stream().mapToDouble(Estimate::low).toArray()),
                    harmonic(shares.stream().mapToDouble(Estimate::high).toArray()), n);
        }).toArray(Estimate[]::new);
    }

    private static double harmonic(double... shares) {
        return shares.length / Arrays.stream(shares).map(s -> 1 / s).sum();
    }

    /** The layers at whose entering and leaving the window of ten the subject's knock-out curve steps most. */
    public static Table readers() {
        double[] subject = PaperNumbers.of("knockout").curve("categories", "subject");
        List<Integer> readers = KnockoutCriteria.readers(subject, KnockoutCriteria.PAPER_WINDOW);
        double[] residual = TracingCriteria.traces(PaperModel.MAMBA).at(TracingCriteria.RESIDUAL,
                Position.SUBJECT_LAST).means();
        List<List<Object>> rows = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            int m = readers.get(i);
            int enters = m - KnockoutCriteria.PAPER_WINDOW / 2 + 1;
            int left = m + KnockoutCriteria.PAPER_WINDOW / 2 + 1;
            rows.add(List.of(m, step(subject, enters), step(subject, left), m == 0 ? 0.0 : residual[m] - residual[m - 1]));
        }
        return Tables.of("layers that read the subject, by the steps of Mamba-2.8b's knock-out curve", List.of("layer",
                "step where it enters the window", "step where it leaves",
                "change of the subject's last token's effect there (tracing)"), rows);
    }

    private static double step(double[] curve, int at) {
        return at <= 0 || at >= curve.length ? Double.NaN : curve[at] - curve[at - 1];
    }
}
