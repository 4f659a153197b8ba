package lab.recall.edit;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import lab.recall.stats.Estimate;
import lab.recall.view.Showable;
import lab.recall.view.Tables;
import tech.tablesaw.api.Table;

/**
 * Scores averaged over cases, with 95 % intervals: exact ones of shares, over relations of differences.
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
    private static final double LEVEL = 0.95;
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
        return Estimate.share(each(CaseScores::success, of));
    }

    /** By how much it is likelier. */
    public Estimate magnitude(Measure of) {
        return Estimate.clustered(each(CaseScores::magnitude, of), cases.stream().map(CaseScores::relation).toList(), SEED);
    }

    /** Share of prompts at which the right target is the most probable of all. */
    public Estimate accuracy(Measure of) {
        return Estimate.share(each(CaseScores::accuracy, of));
    }

    private double[] each(Function<CaseScores, double[]> what, Measure of) {
        return cases.stream().mapToDouble(c -> what.apply(c)[of.ordinal()]).toArray();
    }

    /**
     * The harmonic mean of the three shares. Its interval goes from that of their lower ends to that of their upper ends, each share's
     * being of such a level (Bonferroni's) that all three are right in 95 %.
     */
    public Estimate score() {
        double level = 1 - (1 - LEVEL) / MEASURES.length;
        List<Estimate> all = Arrays.stream(MEASURES).map(m -> Estimate.share(each(CaseScores::success, m), level)).toList();
        return all.stream().anyMatch(e -> e.n() == 0) ? Estimate.share(0, 0)
                : new Estimate(harmonic(all, Estimate::mean), harmonic(all, Estimate::low), harmonic(all, Estimate::high), cases.size());
    }

    private static double harmonic(List<Estimate> all, ToDoubleFunction<Estimate> what) {
        return all.size() / all.stream().mapToDouble(e -> 1 / what.applyAsDouble(e)).sum();
    }

    /** The mean of a share alone, over the cases that have such prompts; NaN where none has. */
    double mean(Measure of) {
        return Arrays.stream(each(CaseScores::success, of)).filter(v -> !Double.isNaN(v)).average().orElse(Double.NaN);
    }

    /** The harmonic mean alone. */
    double meanScore() {
        return MEASURES.length / Arrays.stream(MEASURES).mapToDouble(m -> 1 / mean(m)).sum();
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
