package lab.recall.edit;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.IntStream;
import lab.recall.stats.Estimate;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * Scores averaged over cases, with 95 % bootstrap intervals.
 *
 * <pre>{@code
 * EditScores s = new EditScores("W_o, layer 2", cases);
 * s.success(Measure.EFFICACY).mean(), s.score()
 * }</pre>
 */
public final class EditScores implements Showable {
    /** What is measured. */
    public enum Measure {
        /** On the prompt itself. */
        EFFICACY,
        /** On paraphrases. */
        GENERALISATION,
        /** On neighbours. */
        SPECIFICITY;

        /** Its name in tables. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final long SEED = 1;
    private static final Measure[] MEASURES = Measure.values();

    private final String title;
    private final List<CaseScores> cases;

    /** @param title what was done */
    @JsonCreator
    public EditScores(@JsonProperty("title") String title, @JsonProperty("cases") List<CaseScores> cases) {
        this.title = title;
        this.cases = List.copyOf(cases);
    }

    /** How many cases. */
    public int cases() {
        return cases.size();
    }

    /** Share of prompts at which the right target is the likelier one, from 0 to 1. */
    public Estimate success(Measure of) {
        return Estimate.mean(cases.stream().mapToDouble(c -> c.success()[of.ordinal()]).toArray(), SEED);
    }

    /** By how much it is likelier. */
    public Estimate magnitude(Measure of) {
        return Estimate.mean(cases.stream().mapToDouble(c -> c.magnitude()[of.ordinal()]).toArray(), SEED);
    }

    /** Share of prompts at which the right target is the most probable of all. */
    public Estimate accuracy(Measure of) {
        return Estimate.mean(cases.stream().mapToDouble(c -> c.accuracy()[of.ordinal()]).toArray(), SEED);
    }

    /** The harmonic mean of the three shares. */
    public Estimate score() {
        return Estimate.of(cases.size(), this::harmonic, SEED);
    }

    /** The mean of a share alone, without the resampling of an interval. */
    double mean(Measure of) {
        return mean(of, IntStream.range(0, cases.size()).toArray());
    }

    /** The harmonic mean alone. */
    double meanScore() {
        return harmonic(IntStream.range(0, cases.size()).toArray());
    }

    private double harmonic(int[] drawn) {
        double inverse = 0;
        for (Measure m : MEASURES) {
            inverse += 1 / mean(m, drawn);
        }
        return MEASURES.length / inverse;
    }

    /** Over the cases that have such prompts; NaN where none has. */
    private double mean(Measure of, int[] drawn) {
        double sum = 0;
        int n = 0;
        for (int i : drawn) {
            double v = cases.get(i).success()[of.ordinal()];
            if (!Double.isNaN(v)) {
                sum += v;
                n++;
            }
        }
        return sum / n;
    }

    /** All measures. */
    public Table table() {
        List<List<Object>> rows = new ArrayList<>();
        for (Measure m : Measure.values()) {
            rows.add(List.of(m.label(), success(m).n(), success(m).toString(), magnitude(m).toString(), accuracy(m).toString()));
        }
        rows.add(List.of("score (harmonic mean)", cases.size(), score().toString(), "", ""));
        return Tables.of(title + ": means over cases with their 95 % intervals",
                List.of("", "cases", "right target likelier", "by", "right target first"), rows);
    }

    @Override
    public Object view() {
        return table();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof EditScores s && title.equals(s.title) && cases.equals(s.cases);
    }

    @Override
    public int hashCode() {
        return Objects.hash(title, cases);
    }
}
