package lab.recall.sweep;

import java.nio.charset.StandardCharsets;
import java.util.List;
import lab.recall.stats.Estimate;
import lab.recall.study.Asks;
import lab.recall.study.Measured;
import lab.recall.study.Result;

/**
 * A number that a sweep found: a row of its table.
 *
 * @param model   as the file names it
 * @param study   its name in the file
 * @param setting what the grid gave the study
 * @param place   what was measured, where, in which layer
 * @param mean    NaN where there is none
 * @param low     of its interval; NaN where there is none
 * @param high    of its interval
 * @param n       over how many
 */
public record SweepRow(
        @Asks("The model, as the file names it") String model,
        @Asks("The study's name in the file") String study,
        @Asks("What the grids gave it, such as `pairs=60, seed=1`; empty without grids") String setting,
        @Asks("What was measured, where, in which layer, such as `resid_post/subject_last/3`") String place,
        @Asks("The mean; empty (in Parquet null) where nothing could be measured") Double mean,
        @Asks("The lower end of its 95 % interval; empty where there is none") Double low,
        @Asks("The upper end") Double high,
        @Asks("Over how many pairs, facts, edits or relations") Integer n) {
    private static final String COLUMNS = "model,study,setting,place,mean,low,high,n\n";

    /** Those of a request's result, in its order. */
    public static List<SweepRow> of(SweepRequest request, Result result) {
        return result.measures().stream().map(m -> of(request, m)).toList();
    }

    private static SweepRow of(SweepRequest request, Measured m) {
        Estimate e = m.value();
        return new SweepRow(request.model(), request.study(), request.setting(), m.place(), e.mean(), e.low(), e.high(), e.n());
    }

    /** A table as CSV (RFC 4180): numbers with as many digits as tell them apart, nothing for NaN. */
    public static byte[] csv(List<SweepRow> rows) {
        StringBuilder all = new StringBuilder(COLUMNS);
        for (SweepRow r : rows) {
            all.append(quoted(r.model)).append(',').append(quoted(r.study)).append(',').append(quoted(r.setting)).append(',')
                    .append(quoted(r.place)).append(',').append(number(r.mean)).append(',').append(number(r.low)).append(',')
                    .append(number(r.high)).append(',').append(r.n).append('\n');
        }
        return all.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static String number(double v) {
        return Double.isNaN(v) ? "" : Double.toString(v);
    }

    private static String quoted(String text) {
        return text.matches("[^\",\\n\\r]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
    }
}
